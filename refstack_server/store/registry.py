"""The registry: how public products stand with each programme of each guideline.

A product stands as the result that decides: one whose verification is valid, otherwise the one with
the latest decision of the Foundation, otherwise the newest one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time

import sqlalchemy as sa
from sqlalchemy.orm import Session, lazyload

from refstack_server.store.results import LISTED, verified
from refstack_server.store.schema import PUBLIC_VENDORS, Product, ProductVersion, Result, Vendor
from refstack_server.store.standing import Standing, of_standing

Condition = sa.ColumnElement[bool]
Column = tuple[str, str]
"""A guideline and a programme."""


@dataclass(frozen=True)
class Filters:
    """What to show of the registry; "" and None select all.

    :param search: a part of the name of a product or vendor
    :param since: the first day of decisions, of unofficial results the first day of uploads, UTC
    :param vendor_id: the vendor of the products
    """

    search: str = ""
    programme: str = ""
    standing: Standing | None = None
    since: date | None = None
    vendor_id: str = ""


@dataclass(frozen=True)
class Row:
    """A product with the results that decide, by guideline and programme."""

    product: Product
    vendor: Vendor
    results: Mapping[Column, Result]


# Not LISTED: the planner of SQLite would take the index of all public results, for each product.
_IS_PUBLIC = sa.case((Result.listed, 1), else_=0) == 1
_WAS_DECIDED = (Result.verification_status == 1) | Result.revoked_at.is_not(None)
_DECIDED_AT = sa.func.coalesce(Result.revoked_at, Result.verified_at)


def count(session: Session, filters: Filters) -> int:
    """Return the number of products in the registry."""
    query = sa.select(sa.func.count()).select_from(Product).join(Vendor, _OF_VENDOR)
    return session.scalar(query.where(*_of_products(filters))) or 0


def rows(session: Session, filters: Filters, size: int, page: int = 1) -> list[Row]:
    """Return a page of products, those with the newest verification first."""
    latest = (
        sa.select(sa.func.max(Result.verified_at))
        .join(ProductVersion, ProductVersion.id == Result.product_version_id)
        .where(ProductVersion.product_id == Product.id, _IS_PUBLIC)
        .where(Result.verified_at.is_not(None))
        .scalar_subquery()
    )
    query = (
        sa.select(Product, Vendor)
        .join(Vendor, _OF_VENDOR)
        .where(*_of_products(filters))
        .order_by(latest.desc().nulls_last(), Vendor.name, Product.name, Product.id)
    )
    found = session.execute(query.limit(size).offset((page - 1) * size)).all()
    results = _results(session, filters, [product.id for product, _ in found])
    return [Row(product, vendor, results.get(product.id, {})) for product, vendor in found]


_OF_VENDOR = Vendor.id == Product.organization_id


def _of_products(filters: Filters) -> list[Condition]:
    """Return the conditions that a product is in the registry: it is public and has a result."""
    conditions = [Product.public == sa.true(), Vendor.type.in_(PUBLIC_VENDORS)]
    if filters.vendor_id:
        conditions.append(Product.organization_id == filters.vendor_id)
    if filters.search:
        conditions.append(
            Product.name.icontains(filters.search, autoescape=True)
            | Vendor.name.icontains(filters.search, autoescape=True)
        )
    if filters.standing or filters.since:
        deciding = _deciding(filters)
        conditions.append(Product.id.in_(sa.select(deciding.c.product_id)))
    else:
        conditions.append(
            sa.exists().where(
                ProductVersion.product_id == Product.id,
                Result.product_version_id == ProductVersion.id,
                *_of_results(filters),
            )
        )
    return conditions


def _of_results(filters: Filters) -> list[Condition]:
    """Return the conditions that a result takes part: it is public and was judged."""
    conditions = [_IS_PUBLIC, Result.guideline.is_not(None), Result.programme.is_not(None)]
    if filters.programme:
        conditions.append(Result.programme == filters.programme)
    if filters.standing not in (None, Standing.UNOFFICIAL):
        # Others are ranked after these.
        conditions.append(_WAS_DECIDED)
    return conditions


def _deciding(filters: Filters, product_ids: Sequence[str] | None = None) -> sa.Subquery:
    """Return the results that decide, with the columns ``number`` and ``product_id``."""
    place = sa.func.row_number().over(
        partition_by=(ProductVersion.product_id, Result.guideline, Result.programme),
        order_by=(
            sa.case((verified(), 0), else_=1),
            _DECIDED_AT.desc().nulls_last(),
            Result.number.desc(),
        ),
    )
    ranked = (
        sa.select(Result.number, ProductVersion.product_id, place.label("place"))
        .join(ProductVersion, ProductVersion.id == Result.product_version_id)
        .where(*_of_results(filters))
    )
    if product_ids is not None:
        ranked = ranked.where(ProductVersion.product_id.in_(product_ids))
    first = ranked.subquery()
    query = sa.select(first.c.number, first.c.product_id).where(first.c.place == 1)
    if filters.standing or filters.since:
        query = query.join(Result, Result.number == first.c.number)
    if filters.standing:
        query = query.where(of_standing(filters.standing))
    if filters.since:
        start = datetime.combine(filters.since, time.min)
        query = query.where(sa.func.coalesce(_DECIDED_AT, Result.created_at) >= start)
    return query.subquery()


def _results(
    session: Session, filters: Filters, product_ids: Sequence[str]
) -> dict[str, dict[Column, Result]]:
    """Return the results that decide, by product."""
    deciding = _deciding(filters, product_ids)
    query = (
        sa.select(deciding.c.product_id, Result)
        .join(Result, Result.number == deciding.c.number)
        .options(lazyload(Result.meta), lazyload(Result.product_version))
    )
    by_product: dict[str, dict[Column, Result]] = {}
    for product_id, result in session.execute(query):
        column = str(result.guideline), str(result.programme)
        by_product.setdefault(product_id, {})[column] = result
    return by_product


def find_public(session: Session, text: str) -> str | None:
    """Return the id of the public result with an id or with the SHA-256 of its upload, or None."""
    named = (Result.id == text) | (Result.sha256 == text)
    return session.scalar(sa.select(Result.id).where(LISTED, named))
