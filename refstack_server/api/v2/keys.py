"""Public keys of every type that OpenSSH has (``/v2/keys``)."""

from http import HTTPStatus

import pydantic
from fastapi import APIRouter, Request
from typing_extensions import TypedDict

from refstack_server.store import public_keys
from refstack_server.web.dependencies import Body, Config, CurrentCaller, WriteSession
from refstack_server.web.request_body import Document, Text, read, schema_of

router = APIRouter(prefix="/keys", tags=["keys"])


class NewKey(Document):
    """A public key, the challenge, and the challenge signed with the private key."""

    key: Text = pydantic.Field(examples=["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5… laptop"])
    challenge: Text
    signature: Text = pydantic.Field(examples=["-----BEGIN SSH SIGNATURE-----…"])


class AddedKey(TypedDict):
    """A registered key with its fingerprint, as OpenSSH shows it."""

    id: str
    fingerprint: str


class Challenge(TypedDict):
    """A challenge, the seconds for which it is valid, and the command that signs it."""

    challenge: str
    seconds: int
    how: str


@router.get("/challenge")
def challenge(request: Request, settings: Config, caller: CurrentCaller) -> Challenge:
    """Return the challenge to sign to register a key, and the command that signs it."""
    caller.require_user()
    secret = request.app.state.secret
    return {
        "challenge": public_keys.challenge(secret, settings.public_url, caller.openid),
        "seconds": public_keys.SECONDS,
        "how": f"printf %s CHALLENGE | ssh-keygen -Y sign -n {public_keys.NAMESPACE} -f KEY",
    }


@router.post("", status_code=HTTPStatus.CREATED, openapi_extra=schema_of(NewKey))
def add(
    body: Body, request: Request, session: WriteSession, settings: Config, caller: CurrentCaller
) -> AddedKey:
    """Register a key for the caller."""
    caller.require_user()
    proof = public_keys.Proof(**read(body, NewKey).model_dump())
    added = public_keys.register(
        session, request.app.state.secret, settings.public_url, caller.openid, proof
    )
    session.commit()
    return {"id": added.id, "fingerprint": added.fingerprint}
