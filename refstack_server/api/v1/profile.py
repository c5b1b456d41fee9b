"""The caller and their public keys (``/v1/profile``)."""

from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Response

from refstack_server.store import callers, public_keys
from refstack_server.store.callers import known_user
from refstack_server.web.dependencies import Body, Reader, Reading, Writer, Writing
from refstack_server.web.request_body import Document, Text, read, schema_of

router = APIRouter(prefix="/profile", tags=["profile"])
_SIGNED = b"signature"
"""What RefStack v1 has signed with a key to show that it is one's own."""
_FORMATS = ("ssh-rsa",)
"""``/v2/keys`` takes every kind."""


class NewKey(Document):
    """A public key in OpenSSH's one line, and a signature made with its private half."""

    raw_key: Text
    self_signature: Text


@router.get("")
def show(session: Reading, caller: Reader) -> dict[str, Any]:
    """Return who the caller is."""
    caller.require_user()
    user = known_user(session, caller.openid)
    return {
        "openid": user.openid,
        "email": user.email,
        "fullname": user.fullname,
        "is_admin": caller.is_foundation,
    }


@router.get("/pubkeys")
def list_keys(session: Reading, caller: Reader) -> list[dict[str, str]]:
    """List the caller's keys."""
    caller.require_user()
    return [
        {
            "id": each.id,
            "openid": each.openid,
            "format": each.format,
            "pubkey": each.text,
            "comment": each.comment,
        }
        for each in public_keys.of_user(session, caller.openid)
    ]


@router.get("/pubkeys/schema")
def key_schema() -> dict[str, Any]:
    """Return the JSON schema of a key."""
    return NewKey.model_json_schema()


@router.post("/pubkeys", status_code=HTTPStatus.CREATED, openapi_extra=schema_of(NewKey))
def add_key(body: Body, session: Writing, caller: Writer) -> str:
    """Register a key of the caller's; return its id."""
    caller.require_user()
    sent = read(body, NewKey)
    line = public_keys.parse(sent.raw_key, _FORMATS)
    key = callers.read_key(sent.raw_key)
    callers.check_signature(key, sent.self_signature, _SIGNED)
    added = public_keys.add(session, caller.openid, line)
    session.commit()
    return added.id


@router.delete("/pubkeys/{key_id}", status_code=HTTPStatus.NO_CONTENT, response_class=Response)
def delete_key(key_id: str, session: Writing, caller: Writer) -> None:
    """Remove a key; what was uploaded with it stays the caller's."""
    caller.require_user()
    public_keys.remove(session, caller.openid, key_id)
    session.commit()
