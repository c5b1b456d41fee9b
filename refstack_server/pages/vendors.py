"""Pages of vendors and their products."""

import sqlalchemy as sa
from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from refstack_server.pages import results as result_pages
from refstack_server.store import results as stored_results
from refstack_server.store import vendors
from refstack_server.store.schema import ProductKind, ProductVersion, Vendor
from refstack_server.web.dependencies import Looking

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
_HERE = "/vendors"
_MOST = 200
_KINDS = {
    ProductKind.DISTRO: "distribution",
    ProductKind.PUBLIC_CLOUD: "public cloud",
    ProductKind.HOSTED_PRIVATE_CLOUD: "hosted private cloud",
}


@router.get("/vendors")
def list_vendors(looking: Looking) -> str:
    """List official vendors, and the reader's own."""
    found = list(vendors.vendors(looking.session, looking.caller))
    return result_pages.render("vendors.html", _HERE, vendors=found)


@router.get("/vendors/{vendor_id}")
def show_vendor(vendor_id: str, looking: Looking) -> str:
    """Show a vendor with its products."""
    vendor = vendors.find_vendor(looking.session, vendor_id, looking.caller)
    found = list(vendors.products(looking.session, looking.caller, vendor.id))
    return result_pages.render("vendor.html", _HERE, vendor=vendor, products=found, kinds=_KINDS)


@router.get("/products/{product_id}")
def show_product(product_id: str, looking: Looking) -> str:
    """Show a product with its versions and the results the reader may see."""
    session = looking.session
    product = vendors.find_product(session, product_id, looking.caller)
    versions = sa.select(ProductVersion).where(ProductVersion.product_id == product.id)
    seen = [stored_results.of_product(product.id)]
    if product.organization_id not in looking.caller.vendors:
        seen.append(stored_results.seen_by(looking.caller))
    return result_pages.render(
        "product_page.html",
        _HERE,
        product=product,
        vendor=session.get_one(Vendor, product.organization_id),
        kind=_KINDS[ProductKind(product.product_type)],
        versions=sorted(each.version for each in session.scalars(versions) if each.version),
        rows=[result_pages.row(each) for each in stored_results.newest(session, seen, _MOST)],
        words=result_pages.WORDS,
    )
