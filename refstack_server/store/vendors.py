"""Vendors and their products, as far as a caller may see them."""

import sqlalchemy as sa
from sqlalchemy.orm import Session

from refstack_server.store.callers import Caller
from refstack_server.store.schema import PUBLIC_VENDORS, Product, Vendor
from refstack_server.web.errors import not_found


def vendors(session: Session, caller: Caller) -> sa.ScalarResult[Vendor]:
    """Return official vendors and the caller's own, by name; the foundation sees all."""
    query = sa.select(Vendor).order_by(Vendor.name, Vendor.id)
    if not caller.is_foundation:
        query = query.where(Vendor.type.in_(PUBLIC_VENDORS) | Vendor.id.in_(caller.vendors))
    return session.scalars(query)


def known_vendor(session: Session, vendor_id: str) -> Vendor:
    """Return a vendor, whoever may see it.

    :raises RefusedError: 404
    """
    vendor = session.get(Vendor, vendor_id)
    if vendor is None:
        raise not_found(f"Organization {vendor_id} not found")
    return vendor


def find_vendor(session: Session, vendor_id: str, caller: Caller) -> Vendor:
    """Return a vendor the caller may see.

    :raises RefusedError: 404, 403
    """
    vendor = known_vendor(session, vendor_id)
    if vendor.type not in PUBLIC_VENDORS:
        caller.require_vendor(vendor.id)
    return vendor


def products(
    session: Session, caller: Caller, vendor_id: str | None = None
) -> sa.ScalarResult[Product]:
    """Return public products and the caller's own, by name; the foundation sees all.

    :param vendor_id: of that vendor alone
    """
    query = sa.select(Product).order_by(Product.name, Product.id)
    if vendor_id is not None:
        query = query.where(Product.organization_id == vendor_id)
    if not caller.is_foundation:
        own = Product.organization_id.in_(caller.vendors)
        query = query.where(Product.public | own)
    return session.scalars(query)


def find_product(session: Session, product_id: str, caller: Caller) -> Product:
    """Return a product the caller may see.

    :raises RefusedError: 404, 403
    """
    product = session.get(Product, product_id)
    if product is None:
        raise not_found(f"Product {product_id} not found")
    if not product.public:
        caller.require_vendor(product.organization_id)
    return product
