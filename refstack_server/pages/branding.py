"""The logo and the site of a vendor: the image, and the page with the forms of its users."""

from typing import Annotated

from fastapi import APIRouter, Path, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse
from sqlalchemy.orm import Session
from starlette.datastructures import FormData, UploadFile

from refstack_server.intake import logos, sites
from refstack_server.pages import forms
from refstack_server.pages import vendors as vendor_pages
from refstack_server.pages.forms import FormState
from refstack_server.pages.reader import Visitor
from refstack_server.pages.template import render
from refstack_server.pages.visitor import CurrentVisitor
from refstack_server.store import branding, vendors
from refstack_server.store.callers import Caller
from refstack_server.store.errors import InvalidError, NotFoundError
from refstack_server.store.schema import LONGEST_SITE, BrandingKind, BrandingState, Vendor
from refstack_server.web.dependencies import (
    CallerContext,
    Context,
    CurrentCaller,
    ReadSession,
    WriteSession,
)
from refstack_server.web.incoming_logos import decoded_logo
from refstack_server.web.signin import Form

router = APIRouter(
    include_in_schema=False,
    default_response_class=HTMLResponse,
    prefix=f"{vendor_pages.HERE}/{{vendor_id}}",
)
_CACHED = {"Cache-Control": "public, max-age=300"}
"""Short, so that a logo that was removed is soon gone everywhere."""


@router.get("/logo")
def show_logo(vendor_id: str, session: ReadSession, caller: CurrentCaller) -> Response:
    """Return the approved logo of a vendor as PNG."""
    vendor = vendors.find_vendor(session, vendor_id, caller)
    return _image(branding.image(session, vendor.id).image, _CACHED)


@router.get("/logo/{sha256}")
def show_proposed_logo(
    vendor_id: str,
    sha256: Annotated[str, Path(pattern="^[0-9a-f]{64}$")],
    session: ReadSession,
    caller: CurrentCaller,
) -> Response:
    """Return the logo with a SHA-256, for the users of the vendor and the Foundation.

    The URL of a page's image has the SHA-256, so that it is the one that the page's form names.
    """
    vendor = vendors.find_own(session, vendor_id, caller)
    return _image(branding.image(session, vendor.id, sha256).image, {})


def _image(content: bytes | None, headers: dict[str, str]) -> Response:
    policy = {"Content-Security-Policy": "default-src 'none'"}
    return Response(content, media_type="image/png", headers={**policy, **headers})


@router.get("/branding")
def show(vendor_id: str, context: Context, visitor: CurrentVisitor) -> str:
    """Show the logo and the site of a vendor with the forms that change them."""
    vendor = vendors.find_own(context.session, vendor_id, context.caller)
    return _page(context.session, context.caller, visitor, vendor)


def _page(
    session: Session,
    caller: Caller,
    visitor: Visitor,
    vendor: Vendor,
    state: FormState = forms.NEW,
) -> str:
    visible = branding.visible(session, caller, vendor.id)
    approved, proposed = (
        {kind: visible.get((kind, state)) for kind in BrandingKind}
        for state in (BrandingState.APPROVED, BrandingState.PROPOSED)
    )
    site = proposed[BrandingKind.SITE]
    if site is None or site.denial is not None:
        site = approved[BrandingKind.SITE]
    return render(
        "branding.html",
        vendor_pages.HERE,
        visitor,
        state=state,
        vendor=vendor,
        approved=approved,
        proposed=proposed,
        site=site.url if site else "",
        can_propose=branding.can_propose(caller, vendor),
        longest_site=LONGEST_SITE,
        most_pixels=logos.MOST_PIXELS,
        most_kib=logos.MOST_BYTES >> 10,
    )


@router.post("/branding")
async def propose(
    vendor_id: str,
    form: Form,
    session: WriteSession,
    context: Context,
    visitor: CurrentVisitor,
) -> Response:
    """Propose a logo, a site or both; what the form leaves out stays as it is."""
    vendor = await context.query(vendors.find_own, context.session, vendor_id, context.caller)
    try:
        proposed = await _proposed(form, context, vendor_id)
        if not proposed:
            raise InvalidError("logo: enter the URL of a site, or choose a file", "/logo")
        await run_in_threadpool(_store, session, context.caller, vendor_id, proposed)
    except forms.REFUSED as error:
        await run_in_threadpool(session.rollback)
        state = forms.refused(error, form, "branding", "logo")
        page = await run_in_threadpool(
            _page, context.session, context.caller, visitor, vendor, state
        )
        return forms.again(error, page)
    return forms.see(f"/vendors/{vendor_id}/branding")


async def _proposed(form: FormData, context: CallerContext, vendor_id: str) -> list[str | bytes]:
    """Return what a form has: the URL of a site, a logo as PNG, or both."""
    proposed: list[str | bytes] = []
    if str(form.get("url", "")).strip():
        proposed.append(sites.site(forms.line(form, "url", LONGEST_SITE)))
    if file := await _file(form):
        proposed.append(await decoded_logo(context, vendor_id, file))
    return proposed


async def _file(form: FormData) -> bytes:
    """Return the chosen file, b"" for none; a browser sends an empty one without a name."""
    sent = form.get("logo")
    if not isinstance(sent, UploadFile) or not sent.filename:
        return b""
    content = await sent.read(logos.MOST_BYTES + 1)
    logos.require_size(content)
    return content


def _store(session: Session, caller: Caller, vendor_id: str, proposed: list[str | bytes]) -> None:
    for content in proposed:
        branding.propose(session, caller, vendor_id, content)
    session.commit()


@router.get("/branding/{kind}/remove")
def confirm_removal(
    vendor_id: str, kind: BrandingKind, context: Context, visitor: CurrentVisitor
) -> str:
    """Show what the removal of an approved logo or site means, before it is made."""
    vendor = vendors.find_own(context.session, vendor_id, context.caller)
    visible = branding.visible(context.session, context.caller, vendor.id)
    if (kind, BrandingState.APPROVED) not in visible:
        raise NotFoundError(f"The vendor has no approved {kind}")
    return render(
        "confirm.html",
        vendor_pages.HERE,
        visitor,
        title=f"Remove the {kind} of {vendor.name}?",
        about="",
        meanings=[
            f"No page shows the {kind} any more. Another one, or the same again, needs a new "
            "approval by the Foundation. The public log records the removal."
        ],
        label="Remove",
        action=f"/vendors/{vendor.id}/branding/{kind}/remove",
        fields={},
        page=f"/vendors/{vendor.id}/branding",
    )


@router.post("/branding/{kind}/remove")
def remove(
    vendor_id: str, kind: BrandingKind, form: Form, session: WriteSession, caller: CurrentCaller
) -> Response:
    """Remove the approved logo or site of a vendor."""
    branding.remove(session, caller, vendor_id, kind, BrandingState.APPROVED)
    session.commit()
    return forms.see(f"/vendors/{vendor_id}/branding")


@router.post("/branding/{kind}/withdraw")
def withdraw(
    vendor_id: str, kind: BrandingKind, form: Form, session: WriteSession, caller: CurrentCaller
) -> Response:
    """Withdraw the proposed logo or site of a vendor."""
    branding.remove(session, caller, vendor_id, kind, BrandingState.PROPOSED)
    session.commit()
    return forms.see(f"/vendors/{vendor_id}/branding")
