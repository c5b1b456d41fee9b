"""The audit log (``/v2/log``): entries, signed checkpoints, proofs, signatures of witnesses."""

import base64
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import PlainTextResponse
from typing_extensions import TypedDict

from refstack_client.errors import InputError
from refstack_client.upload import checkpoint
from refstack_server.store import audit_log
from refstack_server.store.audit_log import EntryDocument
from refstack_server.store.errors import InvalidError
from refstack_server.store.log_tree import LogTree
from refstack_server.web.dependencies import Body, ReadSession, WriteSession

router = APIRouter(prefix="/log", tags=["audit log"])
Number = Annotated[int, Query(ge=1, le=2**31 - 1)]
Size = Annotated[int, Query(ge=0, le=2**31 - 1)]
_MOST_WITNESSES = 16


class ProofDocument(TypedDict):
    """The hashes of a proof in base64, from the leaves up (RFC 9162, section 2.1)."""

    hashes: list[str]


def _tree(request: Request) -> LogTree:
    return request.app.state.log_tree


@router.get("")
def show_log(
    session: ReadSession,
    after: Annotated[int, Query(ge=0, le=2**31 - 1)] = 0,
    most: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> list[EntryDocument]:
    """Return entries of the audit log; a digest covers the text and the previous digest."""
    return list(audit_log.entries(session, after, most))


@router.get("/key", response_class=PlainTextResponse)
def show_key(request: Request) -> str:
    """Return the key that signs checkpoints, as a verifier key (C2SP signed-note)."""
    return f"{_tree(request).verifier_key()}\n"


@router.get("/checkpoint", response_class=PlainTextResponse)
def show_checkpoint(
    request: Request,
    session: ReadSession,
    witnesses: Annotated[int, Query(ge=0, le=_MOST_WITNESSES)] = 0,
) -> str:
    """Return the signed checkpoint of the log (C2SP tlog-checkpoint).

    With ``witnesses`` it is the newest one that at least so many witnesses signed.
    """
    return str(_tree(request).checkpoint(session, witnesses))


@router.get("/proofs/inclusion")
def prove_inclusion(
    request: Request, session: ReadSession, number: Number, size: Number
) -> ProofDocument:
    """Return the proof that the log of a size has the entry with a number."""
    return _proof(_tree(request).inclusion_proof(session, number, size))


@router.get("/proofs/consistency")
def prove_consistency(
    request: Request, session: ReadSession, first: Size, second: Size
) -> ProofDocument:
    """Return the proof that the log of a size begins with that of an earlier size."""
    return _proof(_tree(request).consistency_proof(session, first, second))


def _proof(hashes: list[bytes]) -> ProofDocument:
    return {"hashes": [base64.b64encode(found).decode() for found in hashes]}


@router.post("/cosignatures", status_code=HTTPStatus.CREATED)
def cosign(body: Body, request: Request, session: WriteSession) -> dict[str, int]:
    """Keep the signatures of witnesses on a checkpoint of this log (C2SP tlog-cosignature)."""
    try:
        sent = checkpoint.parse(body.decode())
    except (InputError, UnicodeDecodeError) as error:
        raise InvalidError("The body is not a checkpoint", str(error)) from error
    number = _tree(request).cosign(session, sent)
    session.commit()
    return {"signatures": number}
