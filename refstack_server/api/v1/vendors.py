"""Vendors and their users (``/v1/vendors``)."""

import base64
import binascii
import json
from http import HTTPStatus
from typing import Annotated

import pydantic
from fastapi import APIRouter, Request, Response
from typing_extensions import TypedDict

from refstack_server.store import memberships, vendors
from refstack_server.store import results as stored_results
from refstack_server.store.callers import Caller
from refstack_server.store.errors import ForbiddenError, InvalidError
from refstack_server.store.schema import LONGEST_NAME, User, Vendor, VendorType
from refstack_server.web import times
from refstack_server.web.dependencies import (
    Body,
    CurrentCaller,
    ReadSession,
    WriteSession,
)
from refstack_server.web.request_body import (
    Description,
    Document,
    Line,
    Properties,
    Text,
    read,
    read_fields,
    schema_of,
)

router = APIRouter(prefix="/vendors", tags=["vendors"])


class NewVendor(Document):
    """A new organization."""

    name: Line = pydantic.Field(max_length=LONGEST_NAME)
    description: Description | None = None


class VendorChange(pydantic.BaseModel):
    """The changeable fields of a vendor."""

    name: Line | None = pydantic.Field(default=None, max_length=LONGEST_NAME)
    description: Description | None = None
    properties: Properties | None = None


class VendorSummary(TypedDict):
    """A vendor as everyone who may see it sees it."""

    id: str
    type: int
    name: str
    description: str | None
    can_manage: bool


class VendorDetails(VendorSummary):
    """A vendor as its users and the Foundation see it; ``properties`` is JSON text."""

    group_id: str
    created_by_user: str
    properties: str | None
    created_at: str
    updated_at: str | None


class Vendors(TypedDict):
    """A list of vendors."""

    vendors: list[VendorSummary]


class UserDocument(TypedDict):
    """A user of a vendor."""

    openid: str
    fullname: str
    email: str


@router.get("")
def list_vendors(session: ReadSession, caller: CurrentCaller) -> Vendors:
    """List official vendors and the caller's own; the Foundation sees all."""
    return {"vendors": [_summary(vendor, caller) for vendor in vendors.vendors(session, caller)]}


@router.post("", status_code=HTTPStatus.CREATED, openapi_extra=schema_of(NewVendor))
def add(body: Body, session: WriteSession, caller: CurrentCaller) -> dict[str, str]:
    """Add a private vendor; the caller becomes its first user."""
    caller.require_user()
    sent = read(body, NewVendor)
    vendor = vendors.add(session, caller, sent.name, sent.description)
    session.commit()
    return {"id": vendor.id}


def _summary(vendor: Vendor, caller: Caller) -> VendorSummary:
    return {
        "id": vendor.id,
        "type": vendor.type,
        "name": vendor.name,
        "description": vendor.description,
        "can_manage": caller.acts_for(vendor.id),
    }


def _details(vendor: Vendor, caller: Caller) -> VendorDetails:
    return {
        **_summary(vendor, caller),
        "group_id": vendor.id,
        "created_by_user": vendor.created_by_user,
        # JSON in a text, as in RefStack v1.
        "properties": json.dumps(vendor.properties) if vendor.properties else None,
        "created_at": times.text(vendor.created_at),
        "updated_at": times.text(vendor.updated_at) if vendor.updated_at else None,
    }


@router.get("/{vendor_id}")
def show(
    vendor_id: str, session: ReadSession, caller: CurrentCaller
) -> VendorDetails | VendorSummary:
    """Return a vendor; its users and the Foundation see all fields."""
    vendor = vendors.find_vendor(session, vendor_id, caller)
    return _details(vendor, caller) if caller.acts_for(vendor.id) else _summary(vendor, caller)


@router.put("/{vendor_id}")
def change(
    vendor_id: str, body: Body, request: Request, session: WriteSession, caller: CurrentCaller
) -> VendorDetails:
    """Change a vendor; only the Foundation may rename an official or a pending one."""
    vendor = vendors.find_own(session, vendor_id, caller)
    content_type = request.headers.get("content-type", "")
    sent = read_fields(body, content_type, request.url.query, VendorChange)
    change = sent.model_dump(exclude_unset=True)
    if "name" in change:
        vendors.rename(session, caller, vendor, change.pop("name") or "")
    for field, value in change.items():
        setattr(vendor, field, value)
    session.commit()
    return _details(vendor, caller)


@router.delete("/{vendor_id}", status_code=HTTPStatus.NO_CONTENT, response_class=Response)
def delete(vendor_id: str, session: WriteSession, caller: CurrentCaller) -> None:
    """Remove a vendor with its products, unless results are attached to them."""
    vendor = vendors.find_own(session, vendor_id, caller)
    if vendor.type == VendorType.FOUNDATION:
        raise ForbiddenError("the Foundation's vendor cannot be removed")
    if stored_results.any_match(session, stored_results.of_vendors([vendor.id])):
        raise InvalidError("results are attached to products of this vendor")
    session.delete(vendor)
    session.commit()


class Action(pydantic.BaseModel):
    """One of the steps, with any value; a denial has a reason.

    ``name`` is the vendor's name that the Foundation decided about, which RefStack v1 has not.
    """

    register_: object = pydantic.Field(default=None, alias="register")
    cancel: object = None
    approve: object = None
    deny: object = None
    name: Line | None = None
    registration_decline_reason: Annotated[Text, pydantic.Field(max_length=1000)] | None = None


@router.post("/{vendor_id}/action")
def act(
    vendor_id: str, body: Body, request: Request, session: WriteSession, caller: CurrentCaller
) -> None:
    """Take a step of a vendor's registration as an official vendor."""
    content_type = request.headers.get("content-type", "")
    sent = read_fields(body, content_type, request.url.query, Action)
    fields = sent.model_dump(by_alias=True, exclude_unset=True)
    chosen = [name for name in vendors.STEPS if name in fields]
    if len(chosen) != 1:
        raise InvalidError(f"Invalid actions in the body: {chosen}")
    reason = fields.get(vendors.REASON) or ""
    seen = fields.get("name")
    vendors.take_step(session, caller, vendor_id, chosen[0], reason=reason, seen=seen)
    session.commit()


@router.get("/{vendor_id}/users")
def list_users(
    vendor_id: str, session: ReadSession, caller: CurrentCaller
) -> list[UserDocument] | None:
    """List the users of a vendor; null for callers who do not act for it.

    Full names and email addresses of others are empty, except for the Foundation.
    """
    caller.require_user()
    vendor = vendors.get_vendor(session, vendor_id)
    if not caller.acts_for(vendor.id):
        return None
    return [_user(user, caller) for user in memberships.users(session, vendor.id)]


def _user(user: User, caller: Caller) -> UserDocument:
    sees_all = caller.is_foundation or caller.openid == user.openid
    return {
        "openid": user.openid,
        "fullname": user.fullname if sees_all else "",
        "email": user.email if sees_all else "",
    }


@router.put(
    "/{vendor_id}/users/{encoded}", status_code=HTTPStatus.NO_CONTENT, response_class=Response
)
def invite_user(vendor_id: str, encoded: str, session: WriteSession, caller: CurrentCaller) -> None:
    """Invite a user to act for a vendor; the openid is in base64, since it is usually a URL.

    The user accepts with ``PUT /v2/invitations/{vendor_id}`` or on a page.
    """
    vendor = vendors.get_vendor(session, vendor_id)
    memberships.invite(session, caller, vendor, _decoded(encoded))
    session.commit()


@router.delete(
    "/{vendor_id}/users/{encoded}", status_code=HTTPStatus.NO_CONTENT, response_class=Response
)
def remove_user(vendor_id: str, encoded: str, session: WriteSession, caller: CurrentCaller) -> None:
    """Remove a user from a vendor, or withdraw the user's invitation."""
    vendor = vendors.get_vendor(session, vendor_id)
    memberships.remove(session, caller, vendor, _decoded(encoded))
    session.commit()


def _decoded(encoded: str) -> str:
    try:
        return base64.b64decode(encoded, validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise InvalidError("the user must be named in base64", str(error)) from error
