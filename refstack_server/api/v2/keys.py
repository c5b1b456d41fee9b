"""Public keys of every kind OpenSSH has (``/v2/keys``)."""

from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Request

from refstack_server.store import public_keys
from refstack_server.web.dependencies import Body, Config, Reader, Writer, Writing
from refstack_server.web.request_body import Document, Text, read, schema_of

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
    given = public_keys.challenge(request.app.state.secret, settings.public_url, caller.openid)
    return {
        "challenge": given,
        "seconds": public_keys.SECONDS,
        "how": f"printf %s CHALLENGE | ssh-keygen -Y sign -n {public_keys.NAMESPACE} -f KEY",
    }


@router.post("", status_code=HTTPStatus.CREATED, openapi_extra=schema_of(NewKey))
def add(
    body: Body, request: Request, session: Writing, settings: Config, caller: Writer
) -> dict[str, str]:
    """Register a key of the caller's."""
    caller.require_user()
    proof = public_keys.Proof(**read(body, NewKey).model_dump())
    added = public_keys.register(
        session, request.app.state.secret, settings.public_url, caller.openid, proof
    )
    session.commit()
    return {"id": added.id, "fingerprint": added.fingerprint}
