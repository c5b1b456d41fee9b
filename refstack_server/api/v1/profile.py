"""The caller and their public keys (``/v1/profile``)."""

from http import HTTPStatus

from fastapi import APIRouter, Response
from typing_extensions import TypedDict

from refstack_server.store import callers, public_keys
from refstack_server.store.callers import find_user
from refstack_server.web.dependencies import (
    Body,
    CurrentCaller,
    ReadSession,
    WriteSession,
)
from refstack_server.web.request_body import Document, Json, Text, read, schema_of

router = APIRouter(prefix="/profile", tags=["profile"])
_SIGNED = b"signature"
"""The text that RefStack v1 has users sign to prove possession of a key."""
_FORMATS = ("ssh-rsa",)
"""RefStack v1 accepts RSA keys only; ``/v2/keys`` accepts every type, and proves more."""


class NewKey(Document):
    """A public key in OpenSSH's one-line format, and a signature by its private key."""

    raw_key: Text
    self_signature: Text


class Profile(TypedDict):
    """The caller."""

    openid: str
    email: str
    fullname: str
    is_admin: bool


class KeyDocument(TypedDict):
    """A registered key."""

    id: str
    openid: str
    format: str
    pubkey: str
    comment: str


@router.get("")
def show(session: ReadSession, caller: CurrentCaller) -> Profile:
    """Return the caller."""
    caller.require_user()
    user = find_user(session, caller.openid)
    return {
        "openid": user.openid,
        "email": user.email,
        "fullname": user.fullname,
        "is_admin": caller.is_foundation,
    }


@router.get("/pubkeys")
def list_keys(session: ReadSession, caller: CurrentCaller) -> list[KeyDocument]:
    """List the caller's keys."""
    caller.require_user()
    return [
        {
            "id": key.id,
            "openid": key.openid,
            "format": key.format,
            "pubkey": key.text,
            "comment": key.comment,
        }
        for key in public_keys.of_user(session, caller.openid)
    ]


@router.get("/pubkeys/schema")
def key_schema() -> Json:
    """Return the JSON schema of a key."""
    return NewKey.model_json_schema()


@router.post("/pubkeys", status_code=HTTPStatus.CREATED, openapi_extra=schema_of(NewKey))
def add_key(body: Body, session: WriteSession, caller: CurrentCaller) -> str:
    """Register a key for the caller, for requests of RefStack v1 alone; return its id.

    The signature is of a constant text, so that it can be sent by every client that saw it once.
    """
    caller.require_user()
    sent = read(body, NewKey)
    line = public_keys.parse(sent.raw_key, _FORMATS)
    key = callers.read_key(sent.raw_key)
    callers.check_signature(key, sent.self_signature, _SIGNED)
    added = public_keys.add(session, caller.openid, line, is_proven=False)
    session.commit()
    return added.id


@router.delete("/pubkeys/{key_id}", status_code=HTTPStatus.NO_CONTENT, response_class=Response)
def delete_key(key_id: str, session: WriteSession, caller: CurrentCaller) -> None:
    """Remove a key; the caller keeps the results that were uploaded with it."""
    caller.require_user()
    public_keys.remove(session, caller.openid, key_id)
    session.commit()
