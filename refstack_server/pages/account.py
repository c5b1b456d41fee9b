"""Pages for those who signed in: their results, and the foundation's queue."""

import shutil
from datetime import date
from http import HTTPStatus
from typing import Any

import sqlalchemy as sa
from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.datastructures import UploadFile

from refstack_server.intake import store_upload, verify_upload
from refstack_server.pages import results as result_pages
from refstack_server.store import blobs, registration, vendors
from refstack_server.store import results as stored_results
from refstack_server.store.callers import Caller
from refstack_server.store.results import Sharing
from refstack_server.store.schema import Result, VendorType
from refstack_server.web import signin
from refstack_server.web.dependencies import Looking, Writer, Writing
from refstack_server.web.errors import bad_request
from refstack_server.web.signin import Form

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
_MOST = 200
_LONGEST_REASON = 1000
_LONGEST_WORD = 16


@router.get("/mine", response_model=None)
def mine(request: Request, looking: Looking) -> Response | str:
    """Show the caller's results, and those of the vendors they act for."""
    caller = looking.caller
    if not caller.openid:
        return RedirectResponse("/signin", HTTPStatus.SEE_OTHER)
    return _page(request, "mine.html", "/mine", looking, _own(caller))


def _own(caller: Caller) -> sa.ColumnElement[bool]:
    return (Result.openid == caller.openid) | stored_results.of_vendors(caller.vendors)


@router.get("/queue")
def queue(request: Request, looking: Looking) -> str:
    """Show the foundation what is shared with it, published, or verified; and vendors that ask."""
    looking.caller.require_foundation()
    waiting = (stored_results.LISTED | (Result.submitted == sa.true())) & Result.openid.is_not(None)
    found = vendors.vendors(looking.session, looking.caller)
    asking = [each for each in found if each.type == VendorType.PENDING]
    return _page(request, "queue.html", "/queue", looking, waiting, vendors=asking)


def _page(
    request: Request,
    name: str,
    here: str,
    looking: Looking,
    which: sa.ColumnElement[bool],
    **more: Any,
) -> str:
    return result_pages.render(
        name,
        here,
        rows=[
            result_pages.row(each)
            for each in stored_results.newest(looking.session, [which], _MOST)
        ],
        words=result_pages.WORDS,
        who=looking.caller.openid,
        is_foundation=looking.caller.is_foundation,
        csrf=request.session.get(signin.CSRF, ""),
        **more,
    )


@router.post("/mine/upload")
def upload(form: Form, session: Writing, looking: Looking) -> Response:
    """Take a bundle from a form."""
    sent = form.get("bundle")
    if not isinstance(sent, UploadFile):
        raise bad_request("choose a bundle: a .zip as refstack-client bundle sign writes it")
    with blobs.coming(looking.settings.data) as coming:
        shutil.copyfileobj(sent.file, coming)
        result, _ = store_upload.store(session, looking, verify_upload.read_bundle(coming), coming)
    return RedirectResponse(f"/results/{result.id}", HTTPStatus.SEE_OTHER)


@router.get("/mine/{result_id}/bundle")
def download(result_id: str, looking: Looking) -> Response:
    """Return a bundle as it was sent, to its owner and the foundation."""
    return store_upload.as_file(looking, result_id)


@router.post("/mine/{result_id}/share")
def share(result_id: str, form: Form, session: Writing, caller: Writer) -> Response:
    """Share a result with the certifier, with everybody, or with nobody any more."""
    try:
        with_ = Sharing(signin.text(form, "with", _LONGEST_WORD))
    except ValueError as error:
        raise bad_request(f"with: {', '.join(Sharing)}") from error
    stored_results.share(session, result_id, caller, with_)
    session.commit()
    return _back("/mine")


@router.post("/queue/{result_id}/verify")
def verify(result_id: str, form: Form, session: Writing, caller: Writer) -> Response:
    """Give the foundation's word for a result."""
    caller.require_foundation()
    try:
        until = date.fromisoformat(str(form["until"])) if form.get("until") else None
    except ValueError as error:
        raise bad_request(f"until: {error}") from error
    stored_results.verify(session, stored_results.find(session, result_id, caller), until)
    session.commit()
    return _back("/queue")


@router.post("/queue/{result_id}/revoke")
def revoke(result_id: str, form: Form, session: Writing, caller: Writer) -> Response:
    """Take the foundation's word back."""
    caller.require_foundation()
    why = signin.text(form, "why", _LONGEST_REASON)
    stored_results.revoke(session, stored_results.find(session, result_id, caller), why)
    session.commit()
    return _back("/queue")


@router.post("/queue/vendors/{vendor_id}/approve")
def approve(vendor_id: str, form: Form, session: Writing, caller: Writer) -> Response:
    """Have a vendor be official."""
    registration.take(session, caller, vendor_id, "approve")
    session.commit()
    return _back("/queue")


@router.post("/queue/vendors/{vendor_id}/deny")
def deny(vendor_id: str, form: Form, session: Writing, caller: Writer) -> Response:
    """Have a vendor not be official, and say why."""
    why = signin.text(form, "why", _LONGEST_REASON)
    registration.take(session, caller, vendor_id, "deny", why)
    session.commit()
    return _back("/queue")


def _back(path: str) -> Response:
    return RedirectResponse(path, HTTPStatus.SEE_OTHER)
