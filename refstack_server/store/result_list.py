"""Lists of results for one reader: a filter finds only what the reader sees."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session, lazyload

from refstack_server.store.callers import Caller
from refstack_server.store.results import of_vendors, visible_to
from refstack_server.store.schema import Product, ProductVersion, Result

Condition = sa.ColumnElement[bool]


def seen_by(caller: Caller) -> list[Condition]:
    """Return conditions of which one is true if a caller may see a result.

    Together they decide as :func:`.results.role` does.
    """
    return [visible_to(caller), *(owned_by(caller) if caller.openid else ())]


def owned_by(caller: Caller) -> list[Condition]:
    """Return conditions of which one is true if a user owns a result, as :func:`.results.owns`."""
    of_vendor = Result.openid.is_not(None) & of_vendors(caller.vendors)
    return [Result.openid == caller.openid, *([of_vendor] if caller.vendors else ())]


def seen_version(result: Result, caller: Caller) -> ProductVersion | None:
    """Return the version of a result whose product the caller may see.

    That is a public product, or one of a vendor that the caller acts for.
    """
    version = result.product_version
    if version is None:
        return None
    product = version.product
    return version if product.public or caller.acts_for(product.organization_id) else None


def of_seen_product(caller: Caller, matches: Condition) -> Condition:
    """Return the condition that :func:`seen_version` has a product that matches."""
    versions = sa.select(ProductVersion.id).join(Product, Product.id == ProductVersion.product_id)
    if not caller.is_foundation:
        matches &= Product.public | Product.organization_id.in_(caller.vendors)
    return Result.product_version_id.in_(versions.where(matches))


def older(
    session: Session,
    seen: Sequence[Condition],
    conditions: Sequence[Condition],
    most: int,
    than: int | None = None,
) -> Sequence[Result]:
    """Return results that meet one of ``seen`` and all conditions, the newest first.

    They are without their metadata. A result that is stored later has a greater number, so that it
    shifts no other result.

    :param most: the largest number of results
    :param than: the ``number`` of a result, to return only older ones
    """
    if than is not None:
        conditions = [*conditions, Result.number < than]
    if len(seen) == 1:
        matches = [seen[0], *conditions]
    else:
        # Each part ends after a few rows of an index; with OR, all rows of all parts are sorted.
        parts = [
            sa.select(
                sa.select(Result.number)
                .where(alternative, *conditions)
                .order_by(Result.number.desc())
                .limit(most)
                .subquery()
            )
            for alternative in seen
        ]
        matches = [Result.number.in_(sa.union(*parts))]
    query = sa.select(Result).where(*matches).order_by(Result.number.desc()).limit(most)
    return session.scalars(query.options(lazyload(Result.meta))).all()
