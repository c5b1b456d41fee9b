"""Pages of the Foundation: results to verify, verified results, vendors to approve."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import TypedDict

from fastapi import APIRouter, Response
from fastapi.responses import HTMLResponse
from sqlalchemy.orm import Session
from starlette.datastructures import FormData

from refstack_server.pages import attestations, forms
from refstack_server.pages import results as result_pages
from refstack_server.pages.forms import FormState
from refstack_server.pages.paging import PageNumber, results_page
from refstack_server.pages.reader import Visitor
from refstack_server.pages.results import Row
from refstack_server.pages.template import render
from refstack_server.pages.visitor import CurrentVisitor
from refstack_server.publish import marks
from refstack_server.store import results as stored_results
from refstack_server.store import sharing as stored_sharing
from refstack_server.store import vendors
from refstack_server.store.errors import InvalidError
from refstack_server.store.schema import PUBLIC_VENDORS, Kind, Result, Vendor, VendorType, now
from refstack_server.store.sharing import LONGEST_REASON
from refstack_server.web import signin
from refstack_server.web.dependencies import CallerContext, Context, CurrentCaller, WriteSession
from refstack_server.web.signin import Form

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse, prefix="/queue")
_HERE = "/queue"
_COMPARED = (*PUBLIC_VENDORS, VendorType.PENDING)
"""Types of vendors whose names the Foundation compares with that of a new one."""


class Pending(TypedDict):
    """A result that awaits verification, with what the Foundation needs to decide.

    ``names`` are the vendor, product and version, as far as the result has them; ``notes`` is what
    it lacks, a sentence for each; ``attestation`` is what the vendor attests, "" for nothing.
    """

    row: Row
    openid: str | None
    vendor_id: str | None
    names: list[str]
    days: int
    is_bundle: bool
    can_verify: bool
    needs_reason: bool
    notes: list[str]
    attestation: str


def _pending(session: Session, result: Result) -> Pending:
    version = result.product_version
    vendor = session.get_one(Vendor, version.product.organization_id) if version else None
    names = [vendor.name, version.product.name, version.version] if vendor and version else []
    return {
        "row": result_pages.row(result),
        "openid": result.openid,
        "vendor_id": vendor.id if vendor else None,
        "names": [name for name in names if name],
        "days": (now() - result.created_at).days,
        "is_bundle": result.kind == Kind.BUNDLE,
        "can_verify": not any(stored_sharing.missing(result)),
        "needs_reason": stored_sharing.needs_reason(result),
        "notes": list(_notes(result)),
        "attestation": " ".join(attestations.sentences(result, sees_all=True)),
    }


def _notes(result: Result) -> Iterator[str]:
    yield from stored_sharing.missing(result)
    if stored_sharing.needs_reason(result):
        verdict = str(result.conformance).replace("-", " ")
        yield f"The verdict is {verdict}: the verification needs a reason."
    if not result.conformance:
        yield "No verdict."
    if marks.sections(result) and not result.attestation:
        yield f"No attestation: it does not support {marks.POWERED}."
    if result.product_version is None:
        yield "No product."
    elif not result.product_version.product.public:
        yield "The product is private: it is not named."
    if result.verification_status and not result.is_verified:
        yield f"The verification expired on {result.verified_until:%Y-%m-%d}."


@router.get("")
def show(context: Context, visitor: CurrentVisitor, page: PageNumber = 1) -> str:
    """Show the results that await verification, the oldest first, and vendors to approve."""
    return _queue(context, visitor, page=page)


def _queue(
    context: CallerContext,
    visitor: Visitor,
    state: FormState = forms.NEW,
    page: int = 1,
) -> str:
    session, caller, size = context.session, context.caller, context.settings.page_size
    caller.require_foundation()
    pending = [stored_results.pending()]
    place, results = results_page(session, pending, size, page, order=stored_results.oldest)
    candidates = [
        (vendor, vendors.similar(session, vendor.name, vendor.id, _COMPARED))
        for vendor in vendors.vendors(session, caller)
        if vendor.type == VendorType.PENDING
    ]
    return render(
        "queue.html",
        _HERE,
        visitor,
        state=state,
        place=place,
        entries=[_pending(session, result) for result in results],
        words=result_pages.WORDS,
        vendors=candidates,
    )


@router.get("/verified")
def show_verified(context: Context, visitor: CurrentVisitor, page: PageNumber = 1) -> str:
    """Show the verified results, the newest first."""
    context.caller.require_foundation()
    session, size = context.session, context.settings.page_size
    verified = [stored_results.verified()]
    place, results = results_page(session, verified, size, page)
    return render(
        "verified.html",
        _HERE,
        visitor,
        place=place,
        rows=[(result_pages.row(result), result.verified_until) for result in results],
        words=result_pages.WORDS,
    )


@router.get("/{result_id}")
def show_decision(
    result_id: str, context: Context, visitor: CurrentVisitor, page: PageNumber = 1
) -> str:
    """Show a result with the form that verifies it or revokes its verification."""
    context.caller.require_foundation()
    result = context.find(result_id)
    return _decision(context.session, result, visitor, forms.NEW, page)


def _decision(
    session: Session, result: Result, visitor: Visitor, state: FormState, page: int
) -> str:
    return render(
        "decision.html",
        _HERE,
        visitor,
        state=state,
        page=page,
        entry=_pending(session, result),
        is_verified=result.is_verified,
        longest=LONGEST_REASON,
        words=result_pages.WORDS,
    )


@router.post("/{result_id}/verify")
def verify(
    result_id: str,
    form: Form,
    session: WriteSession,
    caller: CurrentCaller,
    visitor: CurrentVisitor,
) -> Response:
    """Record the Foundation verification of a result; one that is not conformant with a reason."""
    caller.require_foundation()
    result = stored_results.find(session, result_id, caller)
    reason = signin.text if stored_sharing.needs_reason(result) else signin.optional_text
    try:
        why = reason(form, "why", LONGEST_REASON)
        stored_sharing.verify(session, result, _until(form), why)
    except forms.REFUSED as error:
        state = forms.refused(error, form, "decision", "until")
        return forms.again(error, _decision(session, result, visitor, state, _page(form)))
    session.commit()
    return forms.see(f"/queue?page={_page(form)}")


def _until(form: FormData) -> date | None:
    try:
        return date.fromisoformat(str(form["until"])) if form.get("until") else None
    except ValueError as error:
        raise InvalidError(f"until: {error}", "/until") from error


def _page(form: FormData) -> int:
    """Return the page of the queue that a form was opened from."""
    text = str(form.get("page", ""))
    return max(1, int(text)) if text.isascii() and text.isdecimal() and 0 < len(text) < 7 else 1


@router.post("/{result_id}/revoke")
def revoke(
    result_id: str,
    form: Form,
    session: WriteSession,
    caller: CurrentCaller,
    visitor: CurrentVisitor,
) -> Response:
    """Revoke the Foundation verification of a result."""
    caller.require_foundation()
    result = stored_results.find(session, result_id, caller)
    try:
        stored_sharing.revoke(session, result, signin.text(form, "why", LONGEST_REASON))
    except forms.REFUSED as error:
        state = forms.refused(error, form, "decision", "why")
        return forms.again(error, _decision(session, result, visitor, state, _page(form)))
    session.commit()
    return forms.see("/queue/verified")


@router.post("/vendors/{vendor_id}/approve")
def approve(vendor_id: str, form: Form, session: WriteSession, caller: CurrentCaller) -> Response:
    """Approve a vendor as official."""
    vendors.take_step(session, caller, vendor_id, "approve", seen=_seen(form))
    session.commit()
    return forms.see(_HERE)


@router.post("/vendors/{vendor_id}/deny")
def deny(
    vendor_id: str,
    form: Form,
    session: WriteSession,
    context: Context,
    visitor: CurrentVisitor,
) -> Response:
    """Deny a vendor's request to become official, with a reason."""
    caller = context.caller
    caller.require_foundation()
    try:
        why = signin.text(form, "why", LONGEST_REASON)
        vendors.take_step(session, caller, vendor_id, "deny", reason=why, seen=_seen(form))
    except forms.REFUSED as error:
        state = forms.refused(error, form, f"deny-{vendor_id}", "why")
        page = _queue(replace(context, session=session), visitor, state)
        return forms.again(error, page)
    session.commit()
    return forms.see(_HERE)


def _seen(form: FormData) -> str:
    """Return the name of the vendor that the page showed."""
    return str(form.get("name", ""))
