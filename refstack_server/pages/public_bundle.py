"""Publication of the anonymised bundle of a result by its owner, and its withdrawal."""

import shutil

from fastapi import APIRouter, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse
from starlette.datastructures import UploadFile

from refstack_server.intake import store_upload
from refstack_server.pages import forms
from refstack_server.pages.forms import FormState
from refstack_server.pages.reader import Visitor
from refstack_server.pages.template import render
from refstack_server.pages.visitor import CurrentVisitor
from refstack_server.store import blobs, disk_space, public_bundles
from refstack_server.store import results as stored_results
from refstack_server.store.blobs import IncomingUpload
from refstack_server.store.errors import InvalidError
from refstack_server.web.dependencies import CallerContext, Context, CurrentCaller, WriteSession
from refstack_server.web.incoming_bundles import check_copy
from refstack_server.web.signin import Form

router = APIRouter(
    include_in_schema=False, default_response_class=HTMLResponse, prefix="/mine/{result_id}"
)
_FORM, _FIELD = "publish", "bundle"


@router.get("/public-bundle")
def show(result_id: str, context: Context, visitor: CurrentVisitor) -> str:
    """Show what the publication of a bundle means, or its withdrawal if it is public."""
    return _page(context, visitor, result_id)


def _page(
    context: CallerContext, visitor: Visitor, result_id: str, state: FormState = forms.NEW
) -> str:
    result = stored_results.find_own(context.session, result_id, context.caller)
    public_bundles.require_publishable(result)
    return render("public_bundle.html", "/mine", visitor, result=result, state=state)


@router.post("/public-bundle")
async def publish(
    result_id: str, form: Form, session: WriteSession, context: Context, visitor: CurrentVisitor
) -> Response:
    """Publish the anonymised copy of a bundle from a form, or the uploaded bundle if it is one."""
    try:
        with blobs.incoming(context.settings.data) as incoming:
            await run_in_threadpool(_receive, form.get(_FIELD), result_id, context, incoming)
            await check_copy(context, result_id, incoming)
            where = (context.caller, context.settings.data, result_id)
            await run_in_threadpool(store_upload.store_copy, session, *where, incoming)
    except InvalidError as error:
        reason = ". ".join(filter(None, (error.message, error.detail)))
        state = FormState(_FORM, _FIELD, reason)
        page = await run_in_threadpool(_page, context, visitor, result_id, state)
        return forms.again(error, page)
    return forms.see(f"/results/{result_id}")


def _receive(
    sent: UploadFile | str | None, result_id: str, context: CallerContext, incoming: IncomingUpload
) -> None:
    """Receive the chosen file; without one, take the uploaded bundle."""
    if isinstance(sent, UploadFile) and sent.filename:
        disk_space.require(context.settings, sent.size or 0)
        shutil.copyfileobj(sent.file, incoming)
        return
    with context.session:
        result = stored_results.find_own(context.session, result_id, context.caller)
        public_bundles.require_publishable(result)
        incoming.write(blobs.read(context.settings.data, str(result.sha256)))


@router.post("/public-bundle/withdraw")
def withdraw(result_id: str, form: Form, session: WriteSession, caller: CurrentCaller) -> Response:
    """Withdraw the public bundle of a result; the result stays public."""
    result = stored_results.find_own(session, result_id, caller)
    public_bundles.withdraw(session, result)
    session.commit()
    return forms.see(f"/results/{result_id}")
