"""Pages for signed-in users: their results, and the Foundation's queue."""

import shutil
from datetime import date
from http import HTTPStatus

import sqlalchemy as sa
from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.datastructures import FormData, UploadFile

from refstack_server.intake import store_upload
from refstack_server.pages import results as result_pages
from refstack_server.pages.template import render
from refstack_server.store import blobs, disk_space, memberships, vendors
from refstack_server.store import results as stored_results
from refstack_server.store import sharing as stored_sharing
from refstack_server.store.callers import Caller
from refstack_server.store.errors import InvalidError
from refstack_server.store.schema import PUBLIC_VENDORS, Result, VendorType
from refstack_server.store.sharing import Sharing
from refstack_server.web import signin
from refstack_server.web.bundle_download import bundle_response
from refstack_server.web.dependencies import CallerContext, Context, CurrentCaller, WriteSession
from refstack_server.web.incoming_bundles import verified_bundle
from refstack_server.web.signin import Form

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
_MOST = 200
_LONGEST_REASON = 1000
_LONGEST_WORD = 16
_COMPARED = (*PUBLIC_VENDORS, VendorType.PENDING)
"""Types of vendors whose names the Foundation compares with that of a new one."""


@router.get("/mine", response_model=None)
def mine(request: Request, context: Context) -> Response | str:
    """Show the results of the caller and of the vendors that the caller acts for."""
    caller = context.caller
    if not caller.openid:
        return RedirectResponse("/signin", HTTPStatus.SEE_OTHER)
    values = _values(request, context, _own(caller))
    return render(
        "mine.html",
        "/mine",
        is_foundation=caller.is_foundation,
        invitations=memberships.invitations(context.session, caller),
        **values,
    )


def _own(caller: Caller) -> sa.ColumnElement[bool]:
    return (Result.openid == caller.openid) | stored_results.of_vendors(caller.vendors)


@router.get("/queue")
def queue(request: Request, context: Context) -> str:
    """Show the Foundation the results to verify or revoke, and the vendors to approve."""
    context.caller.require_foundation()
    shared = (stored_results.LISTED | (Result.submitted == sa.true())) & Result.openid.is_not(None)
    pending = [
        (vendor, vendors.similar(context.session, vendor.name, vendor.id, _COMPARED))
        for vendor in vendors.vendors(context.session, context.caller)
        if vendor.type == VendorType.PENDING
    ]
    values = _values(request, context, shared)
    return render("queue.html", "/queue", vendors=pending, **values)


def _values(
    request: Request, context: CallerContext, condition: sa.ColumnElement[bool]
) -> dict[str, object]:
    """Return the template values for a list of results with forms."""
    results = stored_results.newest(context.session, [condition], _MOST)
    return {
        "rows": [result_pages.row(result) for result in results],
        "words": result_pages.WORDS,
        "user": context.caller.openid,
        "csrf": request.session.get(signin.CSRF, ""),
    }


@router.post("/mine/upload")
async def upload(form: Form, session: WriteSession, context: Context) -> Response:
    """Store a bundle from a form."""
    sent = form.get("bundle")
    if not isinstance(sent, UploadFile):
        raise InvalidError("choose a bundle: a .zip file that refstack-client bundle sign wrote")
    disk_space.require(context.settings, sent.size or 0)
    with blobs.incoming(context.settings.data) as incoming:
        await run_in_threadpool(shutil.copyfileobj, sent.file, incoming)
        owner, verified = await verified_bundle(context, incoming)
        result, _ = await run_in_threadpool(
            store_upload.store, session, context.settings.data, owner, verified, incoming
        )
    return RedirectResponse(f"/results/{result.id}", HTTPStatus.SEE_OTHER)


@router.get("/mine/{result_id}/bundle")
def download(result_id: str, context: Context) -> Response:
    """Return a bundle as it was uploaded, for its owner and the Foundation."""
    return bundle_response(context, result_id)


@router.post("/mine/{result_id}/share")
def share(result_id: str, form: Form, session: WriteSession, caller: CurrentCaller) -> Response:
    """Share a result with the certifier, publish it, or withdraw it."""
    try:
        with_ = Sharing(signin.text(form, "with", _LONGEST_WORD))
    except ValueError as error:
        raise InvalidError(f"with: must be one of {', '.join(Sharing)}") from error
    stored_sharing.share(session, result_id, caller, with_)
    session.commit()
    return _back("/mine")


@router.post("/queue/{result_id}/verify")
def verify(result_id: str, form: Form, session: WriteSession, caller: CurrentCaller) -> Response:
    """Record the Foundation verification of a result."""
    caller.require_foundation()
    try:
        until = date.fromisoformat(str(form["until"])) if form.get("until") else None
    except ValueError as error:
        raise InvalidError(f"until: {error}") from error
    stored_sharing.verify(session, stored_results.find(session, result_id, caller), until)
    session.commit()
    return _back("/queue")


@router.post("/queue/{result_id}/revoke")
def revoke(result_id: str, form: Form, session: WriteSession, caller: CurrentCaller) -> Response:
    """Revoke the Foundation verification of a result."""
    caller.require_foundation()
    why = signin.text(form, "why", _LONGEST_REASON)
    stored_sharing.revoke(session, stored_results.find(session, result_id, caller), why)
    session.commit()
    return _back("/queue")


@router.post("/queue/vendors/{vendor_id}/approve")
def approve(vendor_id: str, form: Form, session: WriteSession, caller: CurrentCaller) -> Response:
    """Approve a vendor as official."""
    vendors.take_step(session, caller, vendor_id, "approve", seen=_seen(form))
    session.commit()
    return _back("/queue")


@router.post("/queue/vendors/{vendor_id}/deny")
def deny(vendor_id: str, form: Form, session: WriteSession, caller: CurrentCaller) -> Response:
    """Deny a vendor's request to become official, with a reason."""
    why = signin.text(form, "why", _LONGEST_REASON)
    vendors.take_step(session, caller, vendor_id, "deny", reason=why, seen=_seen(form))
    session.commit()
    return _back("/queue")


def _seen(form: FormData) -> str:
    """Return the name of the vendor that the page showed."""
    return str(form.get("name", ""))


@router.post("/mine/invitations/{vendor_id}/{answer}")
def answer_invitation(
    vendor_id: str, answer: str, form: Form, session: WriteSession, caller: CurrentCaller
) -> Response:
    """Accept or decline an invitation to act for a vendor."""
    if answer not in ("accept", "decline"):
        raise InvalidError("the answer must be accept or decline")
    memberships.answer(session, caller, vendor_id, accepts=answer == "accept")
    session.commit()
    return _back("/mine")


def _back(path: str) -> Response:
    return RedirectResponse(path, HTTPStatus.SEE_OTHER)
