"""Forms of vendors: add, change, register as official, invite and remove users."""

from fastapi import APIRouter, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from refstack_server.pages import forms
from refstack_server.pages import vendors as vendor_pages
from refstack_server.pages.forms import FormState
from refstack_server.pages.reader import Visitor
from refstack_server.pages.template import render
from refstack_server.pages.visitor import CurrentVisitor
from refstack_server.store import memberships, vendors
from refstack_server.store.errors import NotFoundError
from refstack_server.store.schema import LONGEST_DESCRIPTION, LONGEST_NAME, Vendor
from refstack_server.store.text import LONGEST
from refstack_server.web import signin
from refstack_server.web.dependencies import Context, CurrentCaller, WriteSession
from refstack_server.web.signin import Form

router = APIRouter(
    include_in_schema=False, default_response_class=HTMLResponse, prefix=vendor_pages.HERE
)
_STEPS = ("register", "cancel")
"""The steps of its registration that a vendor takes; the Foundation takes the others."""


def _editor(visitor: Visitor, vendor: Vendor | None, state: FormState = forms.NEW) -> str:
    return render(
        "vendor_form.html",
        vendor_pages.HERE,
        visitor,
        state=state,
        vendor=vendor,
        longest_name=LONGEST_NAME,
        longest_description=LONGEST_DESCRIPTION,
    )


@router.get("/new", response_model=None)
def show_new(visitor: CurrentVisitor) -> Response | str:
    """Show the form that adds a vendor."""
    return _editor(visitor, None) if visitor.openid else RedirectResponse("/signin", 303)


@router.post("/new")
def add(
    form: Form, session: WriteSession, caller: CurrentCaller, visitor: CurrentVisitor
) -> Response:
    """Add a vendor, whose first user is the caller."""
    try:
        name = forms.line(form, "name", LONGEST_NAME)
        description = signin.optional_text(form, "description", LONGEST_DESCRIPTION)
        vendor = vendors.add(session, caller, name, description or None)
    except forms.REFUSED as error:
        state = forms.refused(error, form, "vendor", "name")
        return forms.again(error, _editor(visitor, None, state))
    session.commit()
    return forms.see(f"/vendors/{vendor.id}")


@router.get("/{vendor_id}/edit")
def show_edit(vendor_id: str, context: Context, visitor: CurrentVisitor) -> str:
    """Show the form that changes a vendor."""
    return _editor(visitor, vendors.find_own(context.session, vendor_id, context.caller))


@router.post("/{vendor_id}/edit")
def edit(
    vendor_id: str,
    form: Form,
    session: WriteSession,
    caller: CurrentCaller,
    visitor: CurrentVisitor,
) -> Response:
    """Change the name and the description of a vendor."""
    vendor = vendors.find_own(session, vendor_id, caller)
    try:
        vendors.rename(session, caller, vendor, forms.line(form, "name", LONGEST_NAME))
        description = signin.optional_text(form, "description", LONGEST_DESCRIPTION)
    except forms.REFUSED as error:
        session.rollback()
        state = forms.refused(error, form, "vendor", "name")
        return forms.again(error, _editor(visitor, vendor, state))
    vendor.description = description or None
    session.commit()
    return forms.see(f"/vendors/{vendor.id}")


@router.post("/{vendor_id}/registration/{step}")
def take_step(
    vendor_id: str,
    step: str,
    form: Form,
    session: WriteSession,
    caller: CurrentCaller,
    visitor: CurrentVisitor,
) -> Response:
    """Request that a vendor becomes official, or cancel the request."""
    if step not in _STEPS:
        raise NotFoundError(f"the step must be one of {', '.join(_STEPS)}")
    vendor = vendors.find_own(session, vendor_id, caller)
    try:
        vendors.take_step(session, caller, vendor.id, step)
    except forms.REFUSED as error:
        session.rollback()
        state = forms.refused(error, form, "registration", "step")
        page = vendor_pages.page_of(session, caller, visitor, vendor, state)
        return forms.again(error, page)
    session.commit()
    return forms.see(f"/vendors/{vendor.id}")


@router.post("/{vendor_id}/users")
def invite(
    vendor_id: str,
    form: Form,
    session: WriteSession,
    caller: CurrentCaller,
    visitor: CurrentVisitor,
) -> Response:
    """Invite a user, by name, to act for a vendor."""
    vendor = vendors.find_own(session, vendor_id, caller)
    try:
        memberships.invite(session, caller, vendor, forms.line(form, "openid", LONGEST))
    except forms.REFUSED as error:
        state = forms.refused(error, form, "invitation", "openid")
        page = vendor_pages.page_of(session, caller, visitor, vendor, state)
        return forms.again(error, page)
    session.commit()
    return forms.see(f"/vendors/{vendor.id}")


@router.post("/{vendor_id}/users/remove")
def remove(
    vendor_id: str,
    form: Form,
    session: WriteSession,
    caller: CurrentCaller,
    visitor: CurrentVisitor,
) -> Response:
    """Remove a user from a vendor, or withdraw an invitation."""
    vendor = vendors.find_own(session, vendor_id, caller)
    openid = forms.line(form, "openid", LONGEST)
    try:
        memberships.remove(session, caller, vendor, openid)
    except forms.REFUSED as error:
        state = forms.refused(error, form, f"removal-{openid}", "openid")
        page = vendor_pages.page_of(session, caller, visitor, vendor, state)
        return forms.again(error, page)
    session.commit()
    # A caller who removed themself may not see the vendor any more.
    return forms.see("/vendors" if openid == caller.openid else f"/vendors/{vendor.id}")
