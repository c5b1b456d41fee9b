"""Pages of vendors: the list, and a vendor with its products and users."""

from fastapi import APIRouter
from fastapi.responses import HTMLResponse
from sqlalchemy.orm import Session

from refstack_server.pages import forms
from refstack_server.pages import registry as registry_pages
from refstack_server.pages.forms import FormState
from refstack_server.pages.paging import PageNumber
from refstack_server.pages.reader import Visitor
from refstack_server.pages.template import render
from refstack_server.pages.visitor import CurrentVisitor
from refstack_server.store import memberships, products, vendors
from refstack_server.store.callers import Caller
from refstack_server.store.schema import ProductKind, Vendor, VendorType
from refstack_server.web.dependencies import Context

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
HERE = "/vendors"
_SIZE = 100
"""The most products with current certifications on a page of their vendor."""
KINDS = {
    ProductKind.DISTRO: "distribution",
    ProductKind.PUBLIC_CLOUD: "public cloud",
    ProductKind.HOSTED_PRIVATE_CLOUD: "hosted private cloud",
}
STATES = {
    VendorType.FOUNDATION: "The Foundation",
    VendorType.PRIVATE: "Private: visible to its users and the Foundation",
    VendorType.PENDING: "Awaiting approval by the Foundation",
    VendorType.OFFICIAL: "Official",
}


@router.get("/vendors")
def list_vendors(context: Context, visitor: CurrentVisitor) -> str:
    """List official vendors, and the reader's own."""
    found = list(vendors.vendors(context.session, context.caller))
    return render("vendors.html", HERE, visitor, vendors=found)


@router.get("/vendors/{vendor_id}")
def show_vendor(
    vendor_id: str, context: Context, visitor: CurrentVisitor, page: PageNumber = 1
) -> str:
    """Show a vendor with its products, and to its users with the forms that change it."""
    vendor = vendors.find_vendor(context.session, vendor_id, context.caller)
    return page_of(context.session, context.caller, visitor, vendor, number=page)


def page_of(
    session: Session,
    caller: Caller,
    visitor: Visitor,
    vendor: Vendor,
    state: FormState = forms.NEW,
    number: int = 1,
) -> str:
    """Return the page of a vendor that the caller may see.

    :param number: the page of its current certifications
    """
    place, certifications = registry_pages.certifications(session, vendor.id, _SIZE, number)
    can_manage = caller.acts_for(vendor.id)
    return render(
        "vendor.html",
        HERE,
        visitor,
        state=state,
        vendor=vendor,
        standing=STATES[VendorType(vendor.type)],
        # A vendor of RefStack v1 may have any properties.
        reason=(vendor.properties or {}).get(vendors.REASON) if can_manage else None,
        place=place,
        certifications=certifications,
        products=list(products.products(session, caller, vendor.id)),
        kinds=KINDS,
        can_manage=can_manage,
        can_invite=vendor.id in caller.vendors,
        can_register=can_manage and vendor.type == VendorType.PRIVATE,
        can_cancel=can_manage and vendor.type == VendorType.PENDING,
        users=memberships.users(session, vendor.id) if can_manage else [],
        invited=memberships.invited(session, vendor.id) if can_manage else [],
    )
