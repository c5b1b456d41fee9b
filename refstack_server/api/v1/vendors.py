"""Vendors and who acts for them (``/v1/vendors``)."""

import base64
import binascii
import json
from http import HTTPStatus
from typing import Any

import pydantic
import sqlalchemy as sa
from fastapi import APIRouter, Request, Response
from sqlalchemy.orm import Session

from refstack_server.store import registration, vendors
from refstack_server.store import results as stored_results
from refstack_server.store.callers import Caller, known_user
from refstack_server.store.schema import Membership, User, Vendor, VendorType
from refstack_server.web import times
from refstack_server.web.dependencies import Body, Reader, Reading, Writer, Writing
from refstack_server.web.errors import bad_request, forbidden
from refstack_server.web.request_body import Document, Text, read, read_fields, schema_of

router = APIRouter(prefix="/vendors", tags=["vendors"])
_LONGEST = 80


class NewVendor(Document):
    """An organization."""

    name: Text = pydantic.Field(max_length=_LONGEST)
    description: Text | None = None


class VendorChange(pydantic.BaseModel):
    """What may be changed of a vendor."""

    name: Text | None = pydantic.Field(default=None, max_length=_LONGEST)
    description: Text | None = None
    properties: dict[str, Any] | None = None


@router.get("")
def list_vendors(session: Reading, caller: Reader) -> dict[str, Any]:
    """List official vendors and one's own; the foundation sees all."""
    return {"vendors": [_summary(each, caller) for each in vendors.vendors(session, caller)]}


@router.post("", status_code=HTTPStatus.CREATED, openapi_extra=schema_of(NewVendor))
def add(body: Body, session: Writing, caller: Writer) -> dict[str, str]:
    """Add a private vendor for which its maker acts."""
    caller.require_user()
    sent = read(body, NewVendor)
    if not sent.name.strip():
        raise bad_request("name should not be empty")
    vendor = Vendor(
        name=sent.name, description=sent.description, created_by_user=caller.openid, properties=None
    )
    session.add(vendor)
    session.flush()
    session.add(Membership(vendor_id=vendor.id, openid=caller.openid))
    session.commit()
    return {"id": vendor.id}


def _summary(vendor: Vendor, caller: Caller) -> dict[str, Any]:
    return {
        "id": vendor.id,
        "type": vendor.type,
        "name": vendor.name,
        "description": vendor.description,
        "can_manage": caller.acts_for(vendor.id),
    }


def _whole(vendor: Vendor, caller: Caller) -> dict[str, Any]:
    return {
        **_summary(vendor, caller),
        "group_id": vendor.id,
        "created_by_user": vendor.created_by_user,
        # A text, as in the original.
        "properties": json.dumps(vendor.properties) if vendor.properties else None,
        "created_at": times.text(vendor.created_at),
        "updated_at": times.text(vendor.updated_at) if vendor.updated_at else None,
    }


def _find_own(session: Session, vendor_id: str, caller: Caller) -> Vendor:
    vendor = vendors.known_vendor(session, vendor_id)
    caller.require_vendor(vendor.id)
    return vendor


@router.get("/{vendor_id}")
def show(vendor_id: str, session: Reading, caller: Reader) -> dict[str, Any]:
    """Return a vendor; those who act for it see all of it."""
    vendor = vendors.find_vendor(session, vendor_id, caller)
    shown = _whole if caller.acts_for(vendor.id) else _summary
    return shown(vendor, caller)


@router.put("/{vendor_id}")
def change(
    vendor_id: str, body: Body, request: Request, session: Writing, caller: Writer
) -> dict[str, Any]:
    """Change a vendor; an official one keeps its name unless the foundation changes it."""
    vendor = _find_own(session, vendor_id, caller)
    content_type = request.headers.get("content-type", "")
    given = read_fields(body, content_type, request.url.query, VendorChange)
    for name, value in given.model_dump(exclude_unset=True).items():
        if name == "name" and not (value or "").strip():
            raise bad_request("name should not be empty")
        if name == "name" and value != vendor.name and vendor.type == VendorType.OFFICIAL:
            caller.require_foundation()
        setattr(vendor, name, value)
    session.commit()
    return _whole(vendor, caller)


@router.delete("/{vendor_id}", status_code=HTTPStatus.NO_CONTENT, response_class=Response)
def delete(vendor_id: str, session: Writing, caller: Writer) -> None:
    """Remove a vendor with its products, unless results are attached to them."""
    vendor = _find_own(session, vendor_id, caller)
    if vendor.type == VendorType.FOUNDATION:
        raise forbidden("the foundation cannot be removed")
    if stored_results.are_there(session, stored_results.of_vendors([vendor.id])):
        raise bad_request("results are attached to products of this vendor")
    session.delete(vendor)
    session.commit()


class Action(pydantic.BaseModel):
    """Exactly one of the steps, with any value; a denial says why."""

    register_: Any = pydantic.Field(default=None, alias="register")
    cancel: Any = None
    approve: Any = None
    deny: Any = None
    registration_decline_reason: Text | None = None


@router.post("/{vendor_id}/action")
def act(vendor_id: str, body: Body, request: Request, session: Writing, caller: Writer) -> None:
    """Take a step on a vendor's way to become official."""
    content_type = request.headers.get("content-type", "")
    sent = read_fields(body, content_type, request.url.query, Action)
    asked = sent.model_dump(by_alias=True, exclude_unset=True)
    chosen = [name for name in registration.STEPS if name in asked]
    if len(chosen) != 1:
        raise bad_request(f"Invalid actions in the body: {chosen}")
    reason = asked.get(registration.REASON) or ""
    registration.take(session, caller, vendor_id, chosen[0], reason)
    session.commit()


@router.get("/{vendor_id}/users")
def list_users(vendor_id: str, session: Reading, caller: Reader) -> list[dict[str, str]] | None:
    """List who acts for a vendor; null for somebody who does not."""
    caller.require_user()
    vendor = vendors.known_vendor(session, vendor_id)
    if not caller.acts_for(vendor.id):
        return None
    query = (
        sa.select(User)
        .join(Membership, Membership.openid == User.openid)
        .where(Membership.vendor_id == vendor.id)
        .order_by(User.openid)
    )
    return [
        {"openid": each.openid, "fullname": each.fullname, "email": each.email}
        for each in session.scalars(query)
    ]


@router.put(
    "/{vendor_id}/users/{encoded}", status_code=HTTPStatus.NO_CONTENT, response_class=Response
)
def add_user(vendor_id: str, encoded: str, session: Writing, caller: Writer) -> None:
    """Have a user act for a vendor; their name is in base64, for it is an address."""
    vendor = _find_own(session, vendor_id, caller)
    user = known_user(session, _decoded(encoded))
    session.merge(Membership(vendor_id=vendor.id, openid=user.openid))
    session.commit()


@router.delete(
    "/{vendor_id}/users/{encoded}", status_code=HTTPStatus.NO_CONTENT, response_class=Response
)
def remove_user(vendor_id: str, encoded: str, session: Writing, caller: Writer) -> None:
    """Have a user no longer act for a vendor."""
    vendor = _find_own(session, vendor_id, caller)
    user = known_user(session, _decoded(encoded))
    query = sa.delete(Membership).where(
        Membership.vendor_id == vendor.id, Membership.openid == user.openid
    )
    session.execute(query)
    session.commit()


def _decoded(encoded: str) -> str:
    try:
        return base64.b64decode(encoded, validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise bad_request("the user is named in base64", str(error)) from error
