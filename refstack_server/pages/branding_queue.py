"""Decisions of the Foundation about proposed logos and sites, on the page of its queue."""

from dataclasses import replace

from fastapi import APIRouter, Response
from fastapi.responses import HTMLResponse
from starlette.datastructures import FormData

from refstack_server.pages import forms, queue
from refstack_server.pages.visitor import CurrentVisitor
from refstack_server.store import branding
from refstack_server.store.schema import BrandingKind
from refstack_server.store.sharing import LONGEST_REASON
from refstack_server.web import signin
from refstack_server.web.dependencies import Context, CurrentCaller, WriteSession
from refstack_server.web.signin import Form

router = APIRouter(
    include_in_schema=False,
    default_response_class=HTMLResponse,
    prefix="/queue/vendors/{vendor_id}/{kind}",
)


@router.post("/approve")
def approve(
    vendor_id: str, kind: BrandingKind, form: Form, session: WriteSession, caller: CurrentCaller
) -> Response:
    """Approve the logo or the site that the page showed."""
    branding.approve(session, caller, vendor_id, kind, _seen(form))
    session.commit()
    return forms.see(queue.BRANDING)


@router.post("/deny")
def deny(
    vendor_id: str,
    kind: BrandingKind,
    form: Form,
    session: WriteSession,
    context: Context,
    visitor: CurrentVisitor,
) -> Response:
    """Deny the logo or the site that the page showed, with a reason."""
    context.caller.require_foundation()
    try:
        why = signin.text(form, "why", LONGEST_REASON)
        branding.deny(session, context.caller, vendor_id, kind, _seen(form), reason=why)
    except forms.REFUSED as error:
        session.rollback()
        state = forms.refused(error, form, f"deny-{vendor_id}-{kind}", "why")
        page = queue.page_of(replace(context, session=session), visitor, state)
        return forms.again(error, page)
    session.commit()
    return forms.see(queue.BRANDING)


def _seen(form: FormData) -> str:
    """Return the SHA-256 of what the page showed."""
    return str(form.get("sha256", ""))
