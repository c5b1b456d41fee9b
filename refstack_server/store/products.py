"""Products of vendors, and their versions."""

import sqlalchemy as sa
from sqlalchemy.orm import Session

from refstack_server.store import memberships
from refstack_server.store.callers import Caller
from refstack_server.store.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from refstack_server.store.schema import (
    LONGEST_NAME,
    PUBLIC_VENDORS,
    Product,
    ProductVersion,
    Vendor,
)


def products(
    session: Session, caller: Caller, vendor_id: str | None = None
) -> sa.ScalarResult[Product]:
    """Return public products and the caller's own, by name; the Foundation sees all.

    :param vendor_id: return only products of this vendor
    """
    query = sa.select(Product).order_by(Product.name, Product.id)
    if vendor_id is not None:
        query = query.where(Product.organization_id == vendor_id)
    if not caller.is_foundation:
        own = Product.organization_id.in_(caller.vendors)
        query = query.where(Product.public | own)
    return session.scalars(query)


def find_product(session: Session, product_id: str, caller: Caller) -> Product:
    """Return a product that the caller may see.

    :raises NotFoundError: there is no such product
    :raises ForbiddenError: the caller may not see it
    """
    product = session.get(Product, product_id)
    if product is None:
        raise NotFoundError(f"Product {product_id} not found")
    if not product.public:
        caller.require_vendor(product.organization_id)
    return product


def find_own(session: Session, product_id: str, caller: Caller) -> Product:
    """Return a product that the caller may change.

    :raises NotFoundError: there is no such product
    :raises ForbiddenError: the caller acts neither for its vendor nor for the Foundation
    """
    product = find_product(session, product_id, caller)
    caller.require_vendor(product.organization_id)
    return product


def add(session: Session, caller: Caller, product: Product, version: str | None = None) -> None:
    """Add a product of the caller with one version.

    :param product: without a vendor it belongs to the user's own one
    :param version: the name of the version; None for the one that represents the product itself
    :raises UnauthenticatedError: the caller is anonymous
    :raises InvalidError: the name is empty, or there is no such vendor
    :raises ForbiddenError: the caller acts neither for the vendor nor for the Foundation
    """
    caller.require_user()
    if not product.name.strip():
        raise InvalidError("name should not be empty")
    vendor_id = product.organization_id
    if vendor_id is None:
        product.organization_id = _own_vendor(session, caller)
    elif session.get(Vendor, vendor_id) is None:
        raise InvalidError(f"Organization {vendor_id} not found", "/organization_id")
    else:
        caller.require_vendor(vendor_id)
    product.created_by_user = caller.openid
    session.add(product)
    session.flush()
    session.add(ProductVersion(product_id=product.id, version=version))


def _own_vendor(session: Session, caller: Caller) -> str:
    """Return the user's own vendor; create it if it is missing."""
    name = f"vendor_{caller.openid}"[:LONGEST_NAME]
    query = sa.select(Vendor).where(Vendor.name == name, Vendor.created_by_user == caller.openid)
    vendor = session.scalar(query)
    if vendor is None:
        vendor = Vendor(name=name, created_by_user=caller.openid)
        session.add(vendor)
        session.flush()
        memberships.join(session, vendor, caller.openid)
    return vendor.id


def require_publishable(session: Session, product: Product) -> None:
    """Check that a product may be public.

    :raises ForbiddenError: it is public, and its vendor is not official
    """
    vendor = session.get_one(Vendor, product.organization_id)
    if product.public and vendor.type not in PUBLIC_VENDORS:
        raise ForbiddenError("a product can become public only after its vendor is official")


def versions(session: Session, product_id: str) -> list[ProductVersion]:
    """Return the versions of a product by name; the one without a name is the first."""
    query = sa.select(ProductVersion).where(ProductVersion.product_id == product_id)
    return sorted(session.scalars(query), key=lambda version: (version.version or "", version.id))


def find_version(session: Session, product_id: str, version_id: str) -> ProductVersion:
    """Return a version of a product.

    :raises NotFoundError: the product has no such version
    """
    version = session.get(ProductVersion, version_id)
    if version is None or version.product_id != product_id:
        raise NotFoundError(f"Product version {version_id} not found")
    return version


def add_version(session: Session, product: Product, name: str, cpid: str | None) -> ProductVersion:
    """Add a version to a product.

    :param cpid: the cloud provider id of a cloud that runs it
    :raises InvalidError: the name is empty
    :raises ConflictError: the product has such a version
    """
    if not name.strip():
        raise InvalidError("version should not be empty")
    same = sa.select(ProductVersion).where(
        ProductVersion.product_id == product.id, ProductVersion.version == name
    )
    if session.scalar(same):
        raise ConflictError(f"the product already has a version {name}")
    version = ProductVersion(product_id=product.id, version=name, cpid=cpid)
    session.add(version)
    return version


def attachable(session: Session, caller: Caller) -> sa.ScalarResult[ProductVersion]:
    """Return the versions of products of the caller's vendors, by product and name."""
    query = (
        sa.select(ProductVersion)
        .join(Product, Product.id == ProductVersion.product_id)
        .where(Product.organization_id.in_(caller.vendors))
        .order_by(Product.name, Product.id, ProductVersion.version, ProductVersion.id)
    )
    return session.scalars(query)


def find_attachable(session: Session, version_id: str, caller: Caller) -> ProductVersion:
    """Return a version that the caller may attach a result to.

    :raises NotFoundError: there is no such version
    :raises ForbiddenError: it is a version of another vendor's product
    """
    version = session.get(ProductVersion, version_id)
    if version is None:
        raise NotFoundError(f"Product version {version_id} not found")
    if version.product.organization_id not in caller.vendors:
        raise ForbiddenError("a result can be attached only to a product of the caller's vendors")
    return version
