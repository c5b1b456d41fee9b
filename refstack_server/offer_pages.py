"""Pages of vendors and their products."""

import sqlalchemy as sa
from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from refstack_server import offers, pages, results
from refstack_server.context import Looking
from refstack_server.tables import ProductKind, ProductVersion, Vendor

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
    found = list(offers.vendors(looking.session, looking.caller))
    return pages.render("vendors.html", _HERE, vendors=found)


@router.get("/vendors/{vendor_id}")
def show_vendor(vendor_id: str, looking: Looking) -> str:
    """Show a vendor with its products."""
    vendor = offers.find_vendor(looking.session, vendor_id, looking.caller)
    found = list(offers.products(looking.session, looking.caller, vendor.id))
    return pages.render("vendor.html", _HERE, vendor=vendor, products=found, kinds=_KINDS)


@router.get("/products/{product_id}")
def show_product(product_id: str, looking: Looking) -> str:
    """Show a product with its versions and the results the reader may see."""
    session = looking.session
    product = offers.find_product(session, product_id, looking.caller)
    versions = sa.select(ProductVersion).where(ProductVersion.product_id == product.id)
    seen = [results.of_product(product.id)]
    if product.organization_id not in looking.caller.vendors:
        seen.append(results.seen_by(looking.caller))
    return pages.render(
        "product_page.html",
        _HERE,
        product=product,
        vendor=session.get_one(Vendor, product.organization_id),
        kind=_KINDS[ProductKind(product.product_type)],
        versions=sorted(each.version for each in session.scalars(versions) if each.version),
        rows=[pages.row(each) for each in results.newest(session, seen, _MOST)],
        words=pages.WORDS,
    )
