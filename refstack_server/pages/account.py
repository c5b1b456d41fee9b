"""Pages for signed-in users: their results and invitations."""

import shutil
from collections.abc import Iterator
from http import HTTPStatus

import sqlalchemy as sa
from fastapi import APIRouter, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, RedirectResponse
from sqlalchemy.orm import Session
from starlette.datastructures import UploadFile

from refstack_server.intake import store_upload
from refstack_server.pages import forms
from refstack_server.pages import results as result_pages
from refstack_server.pages.forms import FormState
from refstack_server.pages.paging import PageNumber, results_page
from refstack_server.pages.reader import Visitor
from refstack_server.pages.template import render
from refstack_server.pages.visitor import CurrentVisitor
from refstack_server.store import blobs, disk_space, memberships
from refstack_server.store import results as stored_results
from refstack_server.store.callers import Caller
from refstack_server.store.errors import ConflictError, InvalidError
from refstack_server.store.schema import Result, Vendor
from refstack_server.web.bundle_download import bundle_response
from refstack_server.web.dependencies import CallerContext, Context, CurrentCaller, WriteSession
from refstack_server.web.incoming_bundles import verified_bundle
from refstack_server.web.signin import Form

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
_HERE = "/mine"


@router.get(_HERE, response_model=None)
def mine(context: Context, visitor: CurrentVisitor, page: PageNumber = 1) -> Response | str:
    """Show the results of the caller and of the vendors that the caller acts for."""
    if not context.caller.openid:
        return RedirectResponse("/signin", HTTPStatus.SEE_OTHER)
    return _page(context, visitor, page=page)


def _page(
    context: CallerContext,
    visitor: Visitor,
    state: FormState = forms.NEW,
    page: int = 1,
) -> str:
    session, caller, size = context.session, context.caller, context.settings.page_size
    own = [(Result.openid == caller.openid) | stored_results.of_vendors(caller.vendors)]
    place, results = results_page(session, own, size, page)
    return render(
        "mine.html",
        _HERE,
        visitor,
        state=state,
        place=place,
        rows=[result_pages.row(result) for result in results],
        words=result_pages.WORDS,
        vendors=list(_own_vendors(session, caller)),
        invitations=memberships.invitations(session, caller),
    )


def _own_vendors(session: Session, caller: Caller) -> Iterator[Vendor]:
    query = sa.select(Vendor).where(Vendor.id.in_(caller.vendors)).order_by(Vendor.name, Vendor.id)
    yield from session.scalars(query)


@router.post("/mine/upload")
async def upload(
    form: Form, session: WriteSession, context: Context, visitor: CurrentVisitor
) -> Response:
    """Store a bundle from a form."""
    try:
        result_id = await _store(form.get("bundle"), session, context)
    except (InvalidError, ConflictError) as error:
        state = FormState("upload", "bundle", " ".join(filter(None, (error.message, error.detail))))
        page = await run_in_threadpool(_page, context, visitor, state)
        return forms.again(error, page)
    return forms.see(f"/results/{result_id}")


async def _store(sent: UploadFile | str | None, session: Session, context: Context) -> str:
    if not isinstance(sent, UploadFile) or not sent.filename:
        raise InvalidError("choose a bundle: a .zip file that refstack-client bundle sign wrote")
    disk_space.require(context.settings, sent.size or 0)
    with blobs.incoming(context.settings.data) as incoming:
        await run_in_threadpool(shutil.copyfileobj, sent.file, incoming)
        owner, verified = await verified_bundle(context, incoming)
        result, _ = await run_in_threadpool(
            store_upload.store, session, context.settings.data, owner, verified, incoming
        )
    return result.id


@router.get("/mine/{result_id}/bundle")
def download(result_id: str, context: Context) -> Response:
    """Return a bundle as it was uploaded, for its owner and the Foundation."""
    return bundle_response(context, result_id)


@router.post("/mine/invitations/{vendor_id}/{answer}")
def answer_invitation(
    vendor_id: str, answer: str, form: Form, session: WriteSession, caller: CurrentCaller
) -> Response:
    """Accept or decline an invitation to act for a vendor."""
    if answer not in ("accept", "decline"):
        raise InvalidError("the answer must be accept or decline")
    memberships.answer(session, caller, vendor_id, accepts=answer == "accept")
    session.commit()
    return forms.see(_HERE)
