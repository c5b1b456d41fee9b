"""Results in the database: visibility, queries, metadata."""

from collections.abc import Iterable, Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session, lazyload

from refstack_server.store import audit_log
from refstack_server.store.audit_log import Event
from refstack_server.store.callers import Caller
from refstack_server.store.errors import (
    ForbiddenError,
    NoSpaceError,
    NotFoundError,
    UnauthenticatedError,
)
from refstack_server.store.schema import (
    Base,
    Count,
    Kind,
    Meta,
    Product,
    ProductVersion,
    Result,
    now,
)

SHARED, GUIDELINE, TARGET, USER = "shared", "guideline", "target", "user"
PUBLIC_KEYS = (SHARED, GUIDELINE, TARGET)
FOUNDATION, OWNER, READER = "foundation", "owner", "user"
LISTED_RESULTS, UNOWNED_BYTES = "listed results", "bytes without an owner"
"""Keys of numbers in the table of counts."""


def role(result: Result, caller: Caller) -> str | None:
    """Return the role in which a caller sees a result, None if the caller may not see it.

    The users of a vendor own the results of its products as the uploader does. The Foundation sees
    all results of RefStack v1's format, and the others once they are shared with it.
    """
    if caller.is_foundation and (result.kind == Kind.PASSES or result.submitted or result.listed):
        return FOUNDATION
    if owns(result, caller):
        return OWNER
    return READER if result.listed else None


def owns(result: Result, caller: Caller) -> bool:
    """Return whether a caller uploaded a result, or acts for the vendor of its product."""
    if not result.openid or not caller.openid:
        return False
    version = result.product_version
    of_vendor = version is not None and version.product.organization_id in caller.vendors
    return of_vendor or caller.openid == result.openid


_BY_ID = sa.select(Result).where(Result.id == sa.bindparam("id")).options(lazyload(Result.meta))
"""To build and compare the query takes longer than to run it."""


def find(session: Session, result_id: str, caller: Caller) -> Result:
    """Return a result that the caller may see.

    :raises NotFoundError: there is no such result
    :raises UnauthenticatedError: the caller may not see it
    """
    result = session.scalar(_BY_ID, {"id": result_id})
    if result is None:
        raise NotFoundError(f"Test result {result_id} not found")
    if role(result, caller) is None:
        raise UnauthenticatedError("this result is not shared; sign in as its owner")
    return result


def find_own(session: Session, result_id: str, caller: Caller) -> Result:
    """Return a result that the caller may change.

    :raises NotFoundError: there is no such result
    :raises UnauthenticatedError: the caller may not see it
    :raises ForbiddenError: the caller is not the owner; of a result without an owner, the caller
        does not act for the Foundation
    """
    result = find(session, result_id, caller)
    if not owns(result, caller) and not (caller.is_foundation and result.openid is None):
        raise ForbiddenError("only the owner of a result may change it")
    return result


def find_removable(session: Session, result_id: str, caller: Caller) -> Result:
    """Return a result that the caller may remove: an own one; for the Foundation any public one.

    :raises NotFoundError: there is no such result
    :raises UnauthenticatedError: the caller may not see it
    :raises ForbiddenError: the caller may not remove it
    """
    result = find(session, result_id, caller)
    if not owns(result, caller) and not (caller.is_foundation and result.listed):
        raise ForbiddenError(
            "only its owner may remove a result; the Foundation may remove public ones"
        )
    return result


def attach(session: Session, result: Result, version: ProductVersion | None) -> None:
    """Attach a result of the caller to a version of a product, or detach it, and record it.

    :raises ForbiddenError: the result is verified
    """
    require_unverified(result, "its product cannot be changed")
    if version is result.product_version:
        return
    if result.product_version is not None:
        audit_log.add(session, result, Event.DETACHED)
    result.product_version = version
    if version is not None:
        # A private product stays unnamed; its id is random.
        audit_log.add(session, result, Event.ATTACHED, product=version.product_id)


def require_unverified(result: Result, change: str) -> None:
    """Check that a result is not verified: a verified result must not change.

    :param change: the refused change, for the message, such as "it cannot be removed"
    :raises ForbiddenError: the result is verified
    """
    if result.is_verified:
        raise ForbiddenError(
            f"the result is verified: {change} before the Foundation revokes the verification"
        )


def add(session: Session, result: Result, most_unowned_bytes: int = 0) -> None:
    """Store a new result; a result without an owner is public.

    :param most_unowned_bytes: how much all results without an owner may take, 0 for no limit
    :raises NoSpaceError: they take as much already
    """
    result.listed = result.openid is None
    if result.openid is None:
        unowned = _count(session, UNOWNED_BYTES, len(result.outcomes))
        if most_unowned_bytes and unowned > most_unowned_bytes:
            raise NoSpaceError(
                "the server has no more room for anonymous uploads", "sign the upload with a key"
            )
    session.add(result)
    _count(session, LISTED_RESULTS, int(result.listed))


def remove(session: Session, result: Result) -> None:
    """Remove a result with its metadata, and record it."""
    audit_log.add(session, result, Event.REMOVED)
    _count(session, LISTED_RESULTS, -int(result.listed))
    if result.openid is None:
        _count(session, UNOWNED_BYTES, -len(result.outcomes))
    session.delete(result)


def write_meta(session: Session, result: Result, key: str, value: str) -> None:
    """Set a value of a result's metadata; the key ``shared`` publishes the result."""
    entry = next((entry for entry in result.meta if entry.key == key), None)
    if entry:
        entry.value = value
    else:
        result.meta.append(Meta(key=key, value=value))
    if key == SHARED:
        _update_listed(session, result)


def delete_meta(session: Session, result: Result, key: str) -> None:
    """Remove a value of a result's metadata; without ``shared`` the result is withdrawn.

    :raises NotFoundError: the metadata has no such key
    """
    entry = next((entry for entry in result.meta if entry.key == key), None)
    if entry is None:
        raise NotFoundError(f"Metadata key {key} not found for test run {result.id}")
    result.meta.remove(entry)
    if key == SHARED:
        _update_listed(session, result)


def _update_listed(session: Session, result: Result) -> None:
    """List a result that has no owner or is shared; record the change in the audit log."""
    listed = result.openid is None or bool(result.meta_value(SHARED))
    if listed != result.listed:
        if not listed:
            _withdraw_bundle(session, result)
        result.listed = listed
        _count(session, LISTED_RESULTS, 1 if listed else -1)
        audit_log.add(session, result, Event.PUBLISHED if listed else Event.WITHDRAWN)


def _withdraw_bundle(session: Session, result: Result) -> None:
    """Make the bundle of a result private with it: a later publication does not include it."""
    if result.public_sha256:
        audit_log.add(session, result, Event.BUNDLE_WITHDRAWN, bundle=result.public_sha256)
        result.public_sha256 = None


_COUNTS = Base.metadata.tables[Count.__tablename__]
# Of the table, not of the class: the session would look for objects of the class to update.
_COUNTING = (
    sa.update(_COUNTS)
    .where(_COUNTS.c.what == sa.bindparam("kind"))
    .values(number=_COUNTS.c.number + sa.bindparam("more"))
    .returning(_COUNTS.c.number)
)


def _count(session: Session, what: str, more: int) -> int:
    """Add to a stored number; return the sum."""
    if not more:
        return _number(session, what)
    return session.scalar(_COUNTING, {"kind": what, "more": more}) or 0


_NUMBER = sa.select(_COUNTS.c.number).where(_COUNTS.c.what == sa.bindparam("kind"))


def _number(session: Session, what: str) -> int:
    return session.scalar(_NUMBER, {"kind": what}) or 0


LISTED: sa.ColumnElement[bool] = Result.listed == sa.true()
"""The condition that a result is public; the number of public results is stored."""


def visible_to(caller: Caller) -> sa.ColumnElement[bool]:
    """Return the condition that a caller may see results that are not their own."""
    if not caller.is_foundation:
        return LISTED
    return LISTED | (Result.kind == Kind.PASSES) | (Result.submitted == sa.true())


def count(session: Session, conditions: Sequence[sa.ColumnElement[bool]]) -> int:
    """Return how many results meet all conditions."""
    if len(conditions) == 1 and conditions[0] is LISTED:
        return _number(session, LISTED_RESULTS)
    query = sa.select(sa.func.count()).select_from(Result).where(*conditions)
    return session.scalar(query) or 0


def newest(
    session: Session, conditions: Sequence[sa.ColumnElement[bool]], size: int, page: int = 1
) -> Iterable[Result]:
    """Return a page of the results that meet all conditions, the newest first."""
    query = sa.select(Result).where(*conditions).order_by(Result.number.desc())
    return session.scalars(query.limit(size).offset((page - 1) * size))


def oldest(
    session: Session, conditions: Sequence[sa.ColumnElement[bool]], size: int, page: int = 1
) -> Iterable[Result]:
    """Return a page of the results that meet all conditions, the oldest first."""
    query = sa.select(Result).where(*conditions).order_by(Result.number)
    return session.scalars(query.limit(size).offset((page - 1) * size))


def of_product(product_id: str) -> sa.ColumnElement[bool]:
    """Return the condition that a result is of a version of a product."""
    versions = sa.select(ProductVersion.id).where(ProductVersion.product_id == product_id)
    return Result.product_version_id.in_(versions)


def of_vendors(vendor_ids: Iterable[str]) -> sa.ColumnElement[bool]:
    """Return the condition that a result is of a product of one of the vendors."""
    versions = (
        sa.select(ProductVersion.id)
        .join(Product, Product.id == ProductVersion.product_id)
        .where(Product.organization_id.in_(vendor_ids))
    )
    return Result.product_version_id.in_(versions)


def with_cpid(cpid: str, caller: Caller) -> sa.ColumnElement[bool]:
    """Return the condition that a result has a cpid, in any case, as far as the caller knows it.

    The cpid of another user's result is hidden, so that the filter must not find it either, unless
    the result is of a version of a public product that names it.
    """
    matches = Result.cpid_folded == cpid.casefold()
    own = of_vendors(caller.vendors)
    if caller.openid:
        own |= Result.openid == caller.openid
    if caller.is_foundation:
        own |= visible_to(caller)
    named = (
        sa.select(ProductVersion.id)
        .join(Product, Product.id == ProductVersion.product_id)
        .where(Product.public, ProductVersion.cpid == Result.cpid)
    )
    return matches & (own | Result.product_version_id.in_(named))


def verified() -> sa.ColumnElement[bool]:
    """Return the condition that a result is verified and the verification has not expired."""
    is_current = Result.verified_until.is_(None) | (Result.verified_until > now())
    return (Result.verification_status == 1) & is_current


def pending() -> sa.ColumnElement[bool]:
    """Return the condition that a result awaits verification: it is shared and not verified."""
    shared = LISTED | (Result.submitted == sa.true())
    return shared & Result.openid.is_not(None) & ~verified()


def any_match(session: Session, condition: sa.ColumnElement[bool]) -> bool:
    """Return whether any result meets a condition."""
    return session.scalar(sa.select(sa.exists().where(condition))) or False
