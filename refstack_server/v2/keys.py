"""Public keys of every kind OpenSSH has (``/v2/keys``)."""

from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Request

from refstack_server import keys
from refstack_server.context import Body, Config, Reader, Writer, Writing
from refstack_server.reading import Document, Text, read, schema_of

router = APIRouter(prefix="/keys", tags=["keys"])


class NewKey(Document):
    """A public key, the challenge, and the challenge signed with the key's private half."""

    key: Text
    challenge: Text
    signature: Text


@router.get("/challenge")
def challenge(request: Request, settings: Config, caller: Reader) -> dict[str, Any]:
    """Return what is to be signed to register a key, and how."""
    caller.require_user()
    given = keys.challenge(request.app.state.secret, settings.public_url, caller.openid)
    return {
        "challenge": given,
        "seconds": keys.SECONDS,
        "how": f"printf %s CHALLENGE | ssh-keygen -Y sign -n {keys.NAMESPACE} -f KEY",
    }


@router.post("", status_code=HTTPStatus.CREATED, openapi_extra=schema_of(NewKey))
def add(
    body: Body, request: Request, session: Writing, settings: Config, caller: Writer
) -> dict[str, str]:
    """Register a key of the caller's."""
    caller.require_user()
    proof = keys.Proof(**read(body, NewKey).model_dump())
    added = keys.register(
        session, request.app.state.secret, settings.public_url, caller.openid, proof
    )
    session.commit()
    return {"id": added.id, "fingerprint": added.fingerprint}
