"""Pages of products: versions, results, and the forms that add and change them."""

from dataclasses import replace

from fastapi import APIRouter, Response
from fastapi.responses import HTMLResponse
from starlette.datastructures import FormData

from refstack_server.pages import forms
from refstack_server.pages import results as result_pages
from refstack_server.pages import vendors as vendor_pages
from refstack_server.pages.forms import FormState
from refstack_server.pages.paging import PageNumber, results_page
from refstack_server.pages.reader import Visitor
from refstack_server.pages.template import render
from refstack_server.pages.visitor import CurrentVisitor
from refstack_server.store import products, vendors
from refstack_server.store import results as stored_results
from refstack_server.store.errors import InvalidError
from refstack_server.store.schema import (
    LONGEST_CPID,
    LONGEST_DESCRIPTION,
    LONGEST_NAME,
    PUBLIC_VENDORS,
    Product,
    ProductKind,
    Vendor,
)
from refstack_server.store.text import LONGEST
from refstack_server.web import signin
from refstack_server.web.dependencies import CallerContext, Context, CurrentCaller, WriteSession
from refstack_server.web.signin import Form

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse, prefix="/products")
_LONGEST_WORD = 36
_MEANINGS = {
    True: "Everyone sees its name, its description, its versions, and which published results are "
    "of this product.",
    False: "Only the users of the vendor and the Foundation see the product. Verified results keep "
    "the names under which they were verified.",
}


def _editor(visitor: Visitor, vendor: Vendor, state: FormState = forms.NEW) -> str:
    return render(
        "product_form.html",
        vendor_pages.HERE,
        visitor,
        state=state,
        vendor=vendor,
        kinds=vendor_pages.KINDS,
        longest_name=LONGEST_NAME,
        longest_description=LONGEST_DESCRIPTION,
        longest_version=LONGEST,
    )


@router.get("/new")
def show_new(vendor: str, context: Context, visitor: CurrentVisitor) -> str:
    """Show the form that adds a product to a vendor."""
    return _editor(visitor, vendors.find_own(context.session, vendor, context.caller))


@router.post("/new")
def add(
    form: Form, session: WriteSession, caller: CurrentCaller, visitor: CurrentVisitor
) -> Response:
    """Add a product to a vendor, with the version that represents the product itself."""
    vendor_id = signin.text(form, "vendor", _LONGEST_WORD)
    vendor = vendors.find_own(session, vendor_id, caller)
    try:
        product = _product(form, vendor)
        version = forms.line(form, "version", LONGEST) if form.get("version") else None
        products.add(session, caller, product, version)
    except forms.REFUSED as error:
        state = forms.refused(error, form, "product", "name")
        return forms.again(error, _editor(visitor, vendor, state))
    session.commit()
    return forms.see(f"/products/{product.id}")


def _product(form: FormData, vendor: Vendor) -> Product:
    name = forms.line(form, "name", LONGEST_NAME)
    kinds = {str(int(kind)): kind for kind in ProductKind}
    kind = kinds.get(str(form.get("kind", "")))
    if kind is None:
        raise InvalidError(f"kind: must be one of {', '.join(kinds)}", "/kind")
    description = signin.optional_text(form, "description", LONGEST_DESCRIPTION)
    return Product(
        name=name,
        description=description or None,
        product_type=kind,
        organization_id=vendor.id,
    )


@router.get("/{product_id}")
def show_product(
    product_id: str, context: Context, visitor: CurrentVisitor, page: PageNumber = 1
) -> str:
    """Show a product with its versions and the results that the reader may see."""
    product = products.find_product(context.session, product_id, context.caller)
    return _page(context, visitor, product, page=page)


def _page(
    context: CallerContext,
    visitor: Visitor,
    product: Product,
    state: FormState = forms.NEW,
    page: int = 1,
) -> str:
    session, caller, size = context.session, context.caller, context.settings.page_size
    conditions = [stored_results.of_product(product.id)]
    if product.organization_id not in caller.vendors:
        conditions.append(stored_results.visible_to(caller))
    place, results = results_page(session, conditions, size, page)
    vendor = session.get_one(Vendor, product.organization_id)
    return render(
        "product_page.html",
        vendor_pages.HERE,
        visitor,
        state=state,
        product=product,
        vendor=vendor,
        kind=vendor_pages.KINDS[ProductKind(product.product_type)],
        versions=products.versions(session, product.id),
        can_manage=caller.acts_for(vendor.id),
        can_publish=vendor.type in PUBLIC_VENDORS,
        longest_version=LONGEST,
        longest_cpid=LONGEST_CPID,
        place=place,
        rows=[result_pages.row(result) for result in results],
        words=result_pages.WORDS,
    )


@router.post("/{product_id}/versions")
def add_version(
    product_id: str,
    form: Form,
    session: WriteSession,
    context: Context,
    visitor: CurrentVisitor,
) -> Response:
    """Add a version to a product, and the cloud provider id of a cloud that runs it."""
    product = products.find_own(session, product_id, context.caller)
    try:
        name = forms.line(form, "version", LONGEST)
        cpid = forms.line(form, "cpid", LONGEST_CPID) if form.get("cpid") else None
        products.add_version(session, product, name, cpid)
    except forms.REFUSED as error:
        state = forms.refused(error, form, "version", "version")
        page = _page(replace(context, session=session), visitor, product, state)
        return forms.again(error, page)
    session.commit()
    return forms.see(f"/products/{product.id}")


@router.get("/{product_id}/publication")
def confirm_publication(
    product_id: str, public: bool, context: Context, visitor: CurrentVisitor
) -> str:
    """Show what the publication or withdrawal of a product means, before it is made."""
    product = products.find_own(context.session, product_id, context.caller)
    label = "Make public" if public else "Make private"
    return render(
        "confirm.html",
        vendor_pages.HERE,
        visitor,
        title=f"{label}: {product.name}",
        about="",
        meanings=[_MEANINGS[public]],
        label=label,
        action=f"/products/{product.id}/publication",
        fields={"public": str(public).lower()},
        page=f"/products/{product.id}",
    )


@router.post("/{product_id}/publication")
def publish(product_id: str, form: Form, session: WriteSession, caller: CurrentCaller) -> Response:
    """Make a product of an official vendor public, or a public one private."""
    product = products.find_own(session, product_id, caller)
    answers = {"true": True, "false": False}
    answer = signin.text(form, "public", _LONGEST_WORD)
    if answer not in answers:
        raise InvalidError("public: must be true or false")
    product.public = answers[answer]
    products.require_publishable(session, product)
    session.commit()
    return forms.see(f"/products/{product.id}")
