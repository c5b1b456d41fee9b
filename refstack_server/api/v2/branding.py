"""Logos and sites of vendors (``/v2/vendors``), and what awaits approval (``/v2/branding``)."""

from http import HTTPStatus
from typing import Any

import pydantic
from fastapi import APIRouter, Response
from fastapi.concurrency import run_in_threadpool
from sqlalchemy.orm import Session
from typing_extensions import TypedDict

from refstack_server.intake import sites
from refstack_server.settings import Settings
from refstack_server.store import branding, vendors
from refstack_server.store.callers import Caller
from refstack_server.store.schema import Branding, BrandingKind, BrandingState
from refstack_server.store.sharing import LONGEST_REASON
from refstack_server.web import times
from refstack_server.web.dependencies import (
    SIGNED_IN,
    Body,
    Config,
    Context,
    CurrentCaller,
    ReadSession,
    WriteSession,
)
from refstack_server.web.incoming_logos import decoded_logo
from refstack_server.web.request_body import Document, Line, Text, read, schema_of

router = APIRouter(tags=["logos and sites of vendors"])
_VENDOR = "/vendors/{vendor_id}"
_IMAGE: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            media_type: {"schema": {"type": "string", "format": "binary"}}
            for media_type in ("image/png", "image/webp")
        },
    }
}


class BrandingDocument(TypedDict):
    """A logo or a site: the SHA-256 of the PNG image or of the URL.

    ``url`` is that of the site or of the image, ``at`` when it was proposed or approved, ``denied``
    the reason why the Foundation denied it, null while it awaits the decision.
    """

    sha256: str
    url: str
    at: str
    denied: str | None


class BothDocument(TypedDict):
    """What the Foundation approved, and what is proposed, null for nothing.

    Only the users of the vendor and the Foundation see what is proposed.
    """

    approved: BrandingDocument | None
    proposed: BrandingDocument | None


class WaitingDocument(BrandingDocument):
    """A logo or a site that awaits approval, and its vendor."""

    kind: BrandingKind
    vendor_id: str
    vendor: str


class Site(Document):
    """The URL of the site of a vendor."""

    url: Line = pydantic.Field(examples=["https://www.example.org/"])


class Approval(Document):
    """The SHA-256 of what the Foundation looked at."""

    sha256: str = pydantic.Field(pattern="^[0-9a-f]{64}$", examples=["0" * 64])


class Denial(Approval):
    """The SHA-256, and the reason, which the users of the vendor see."""

    why: Text = pydantic.Field(min_length=1, max_length=LONGEST_REASON)


def _document(found: Branding, settings: Settings) -> BrandingDocument:
    image = f"{settings.public_url}/vendors/{found.vendor_id}/logo"
    is_proposed = found.state == BrandingState.PROPOSED
    return {
        "sha256": found.sha256,
        "url": found.url or (f"{image}/{found.sha256}" if is_proposed else image),
        "at": times.text(found.created_at),
        "denied": found.denial,
    }


def _both(
    session: Session, caller: Caller, settings: Settings, vendor_id: str, kind: BrandingKind
) -> BothDocument:
    visible = branding.visible(session, caller, vendor_id)
    approved = visible.get((kind, BrandingState.APPROVED))
    proposed = visible.get((kind, BrandingState.PROPOSED))
    return {
        "approved": _document(approved, settings) if approved else None,
        "proposed": _document(proposed, settings) if proposed else None,
    }


@router.get("/branding")
def list_waiting(
    session: ReadSession, caller: CurrentCaller, settings: Config
) -> list[WaitingDocument]:
    """List the logos and sites that await approval, the oldest first, for the Foundation."""
    return [
        {
            **_document(found, settings),
            "kind": BrandingKind(found.kind),
            "vendor_id": found.vendor_id,
            "vendor": found.vendor.name,
        }
        for found in branding.waiting(session, caller)
    ]


@router.get(f"{_VENDOR}/{{kind}}")
def show(
    vendor_id: str,
    kind: BrandingKind,
    session: ReadSession,
    caller: CurrentCaller,
    settings: Config,
) -> BothDocument:
    """Return the logo or the site of a vendor: the approved one, and the proposed one."""
    vendor = vendors.find_vendor(session, vendor_id, caller)
    return _both(session, caller, settings, vendor.id, kind)


@router.put(f"{_VENDOR}/site", openapi_extra=schema_of(Site))
def propose_site(
    vendor_id: str, body: Body, session: WriteSession, caller: CurrentCaller, settings: Config
) -> BothDocument:
    """Propose the site of a vendor that the caller acts for; an approved one stays meanwhile."""
    caller.require_user()
    branding.propose(session, caller, vendor_id, sites.site(read(body, Site).url))
    session.commit()
    return _both(session, caller, settings, vendor_id, BrandingKind.SITE)


@router.put(f"{_VENDOR}/logo", openapi_extra=_IMAGE, dependencies=[SIGNED_IN])
async def propose_logo(
    vendor_id: str, body: Body, session: WriteSession, context: Context
) -> BothDocument:
    """Propose the logo of a vendor that the caller acts for: a PNG or WebP image.

    At most 64 KiB and 512×512 pixels, not animated. It is stored as PNG without its metadata.
    """
    image = await decoded_logo(context, vendor_id, body)

    def store() -> BothDocument:
        branding.propose(session, context.caller, vendor_id, image)
        session.commit()
        return _both(session, context.caller, context.settings, vendor_id, BrandingKind.LOGO)

    return await run_in_threadpool(store)


@router.delete(f"{_VENDOR}/{{kind}}", status_code=HTTPStatus.NO_CONTENT, response_class=Response)
def remove(
    vendor_id: str, kind: BrandingKind, session: WriteSession, caller: CurrentCaller
) -> None:
    """Remove the approved logo or site of a vendor, for its users and the Foundation."""
    branding.remove(session, caller, vendor_id, kind, BrandingState.APPROVED)
    session.commit()


@router.delete(
    f"{_VENDOR}/{{kind}}/proposal", status_code=HTTPStatus.NO_CONTENT, response_class=Response
)
def withdraw(
    vendor_id: str, kind: BrandingKind, session: WriteSession, caller: CurrentCaller
) -> None:
    """Withdraw the proposed logo or site of a vendor, for its users and the Foundation."""
    branding.remove(session, caller, vendor_id, kind, BrandingState.PROPOSED)
    session.commit()


@router.put(f"{_VENDOR}/{{kind}}/approval", openapi_extra=schema_of(Approval))
def approve(
    vendor_id: str,
    kind: BrandingKind,
    body: Body,
    session: WriteSession,
    caller: CurrentCaller,
    settings: Config,
) -> BothDocument:
    """Approve the proposed logo or site of a vendor for the Foundation.

    The answer is 409 if another one is proposed by now.
    """
    caller.require_foundation()
    branding.approve(session, caller, vendor_id, kind, read(body, Approval).sha256)
    session.commit()
    return _both(session, caller, settings, vendor_id, kind)


@router.post(f"{_VENDOR}/{{kind}}/denial", openapi_extra=schema_of(Denial))
def deny(
    vendor_id: str,
    kind: BrandingKind,
    body: Body,
    session: WriteSession,
    caller: CurrentCaller,
    settings: Config,
) -> BothDocument:
    """Deny the proposed logo or site of a vendor for the Foundation, with a reason."""
    caller.require_foundation()
    sent = read(body, Denial)
    branding.deny(session, caller, vendor_id, kind, sent.sha256, reason=sent.why)
    session.commit()
    return _both(session, caller, settings, vendor_id, kind)
