"""Pages of vendors and their products."""

import sqlalchemy as sa
from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from refstack_server.pages import results as result_pages
from refstack_server.pages.template import render
from refstack_server.store import products, vendors
from refstack_server.store import results as stored_results
from refstack_server.store.schema import ProductKind, ProductVersion, Vendor
from refstack_server.web.dependencies import Context

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
_HERE = "/vendors"
_MOST = 200
_KINDS = {
    ProductKind.DISTRO: "distribution",
    ProductKind.PUBLIC_CLOUD: "public cloud",
    ProductKind.HOSTED_PRIVATE_CLOUD: "hosted private cloud",
}


@router.get("/vendors")
def list_vendors(context: Context) -> str:
    """List official vendors, and the reader's own."""
    found = list(vendors.vendors(context.session, context.caller))
    return render("vendors.html", _HERE, vendors=found)


@router.get("/vendors/{vendor_id}")
def show_vendor(vendor_id: str, context: Context) -> str:
    """Show a vendor with its products."""
    vendor = vendors.find_vendor(context.session, vendor_id, context.caller)
    found = list(products.products(context.session, context.caller, vendor.id))
    return render("vendor.html", _HERE, vendor=vendor, products=found, kinds=_KINDS)


@router.get("/products/{product_id}")
def show_product(product_id: str, context: Context) -> str:
    """Show a product with its versions and the results that the reader may see."""
    session = context.session
    product = products.find_product(session, product_id, context.caller)
    versions = sa.select(ProductVersion).where(ProductVersion.product_id == product.id)
    conditions = [stored_results.of_product(product.id)]
    if product.organization_id not in context.caller.vendors:
        conditions.append(stored_results.visible_to(context.caller))
    results = stored_results.newest(session, conditions, _MOST)
    return render(
        "product_page.html",
        _HERE,
        product=product,
        vendor=session.get_one(Vendor, product.organization_id),
        kind=_KINDS[ProductKind(product.product_type)],
        versions=sorted(
            version.version for version in session.scalars(versions) if version.version
        ),
        rows=[result_pages.row(result) for result in results],
        words=result_pages.WORDS,
    )
