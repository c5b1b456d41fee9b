"""Results in the database: who may see and change them, and what is written to them."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Session

from refstack_server.publish import verdicts
from refstack_server.store import audit_log
from refstack_server.store.audit_log import Event
from refstack_server.store.callers import Caller
from refstack_server.store.schema import Count, Kind, Meta, Product, ProductVersion, Result, now
from refstack_server.web.errors import bad_request, forbidden, not_found, unauthorized

SHARED, GUIDELINE, TARGET, USER = "shared", "guideline", "target", "user"
PUBLIC_KEYS = (SHARED, GUIDELINE, TARGET)
FOUNDATION, OWNER, READER = "foundation", "owner", "user"
_LISTED = "listed results"


class Sharing(StrEnum):
    """Who may see a result besides its owner: more and more."""

    NOBODY = "nobody"
    CERTIFIER = "certifier"
    EVERYBODY = "everybody"


def role(result: Result, caller: Caller) -> str | None:
    """Return as what a caller sees a result, None if not at all.

    The users of the vendor to whose product a result was attached own it as its uploader does. The
    foundation sees all that RefStack v1 knows, and what else was shared with it.
    """
    if caller.is_foundation and (result.kind == Kind.PASSES or result.submitted or result.listed):
        return FOUNDATION
    if _owns(result, caller):
        return OWNER
    return READER if result.listed else None


def _owns(result: Result, caller: Caller) -> bool:
    if not result.openid or not caller.openid:
        return False
    version = result.product_version
    of_vendor = version is not None and version.product.organization_id in caller.vendors
    return of_vendor or caller.openid == result.openid


def find(session: Session, result_id: str, caller: Caller) -> Result:
    """Return a result the caller may see.

    :raises RefusedError: 404, or 401 for somebody else's
    """
    result = session.scalar(sa.select(Result).where(Result.id == result_id))
    if result is None:
        raise not_found(f"Test result {result_id} not found")
    if role(result, caller) is None:
        raise unauthorized("this result is not shared; sign in as its owner")
    return result


def find_own(session: Session, result_id: str, caller: Caller) -> Result:
    """Return a result the caller may change.

    :raises RefusedError: 404, 401 for one they may not see, 403 for one they may only see
    """
    result = find(session, result_id, caller)
    if role(result, caller) == READER:
        raise forbidden("only its owner, and the foundation, may change a result")
    return result


def require_unverified(result: Result, what: str) -> None:
    """Check that a result is not verified: what was verified stays as it was.

    :raises RefusedError: 403
    """
    if result.is_verified:
        raise forbidden(f"{what} of a verified result: have its verification taken back first")


def add(session: Session, result: Result) -> None:
    """Store a new result."""
    result.listed = result.openid is None
    session.add(result)
    _count(session, int(result.listed))


def remove(session: Session, result: Result) -> None:
    """Remove a result and all that was written to it."""
    if result.listed:
        audit_log.add(session, result, Event.REMOVED)
    _count(session, -int(result.listed))
    session.delete(result)


def write_meta(session: Session, result: Result, key: str, value: str) -> None:
    """Write a value to a result; another of that key is replaced."""
    known = next((each for each in result.meta if each.key == key), None)
    if known:
        known.value = value
    else:
        result.meta.append(Meta(key=key, value=value))
    _follow(session, result, key)


def delete_meta(session: Session, result: Result, key: str) -> None:
    """Remove what was written to a result under a key.

    :raises RefusedError: 404, nothing was
    """
    known = next((each for each in result.meta if each.key == key), None)
    if known is None:
        raise not_found(f"Metadata key {key} not found for test run {result.id}")
    result.meta.remove(known)
    _follow(session, result, key)


def _follow(session: Session, result: Result, key: str) -> None:
    """Have a result be what its metadata say."""
    if key == SHARED:
        _list(session, result)
    if result.kind == Kind.PASSES and key in (GUIDELINE, TARGET):
        written = (result.meta_value(each) or "" for each in (GUIDELINE, TARGET))
        verdicts.judge_passes(result, *written)


def verify(session: Session, result: Result, until: date | None) -> None:
    """Give the foundation's word for a result, for good or until a day begins.

    :raises RefusedError: 403, it is not published, or it is not said what it is for; 400, the day
        is not to come
    """
    if until and until <= now().date():
        raise bad_request("a verification ends in the future", "/until")
    needed = (TARGET, GUIDELINE, SHARED)
    if result.kind == Kind.PASSES and not all(result.meta_value(key) for key in needed):
        raise forbidden(f"before it is verified a result needs {', '.join(needed)} in its metadata")
    if not result.listed:
        raise forbidden("before it is verified a result is published by its owner")
    ends = datetime.combine(until, datetime.min.time()) if until else None
    result.verification_status, result.verified_until = 1, ends
    told = {"until": ends.isoformat()} if ends else {}
    audit_log.add(session, result, Event.VERIFIED, **told)


def revoke(session: Session, result: Result, why: str) -> None:
    """Take the foundation's word back."""
    if result.verification_status:
        result.verification_status, result.verified_until = 0, None
        audit_log.add(session, result, Event.REVOKED, why=why)


def require_owner(result: Result, caller: Caller) -> None:
    """Check that a caller may publish a result; the foundation may what old clients sent.

    :raises RefusedError: 403
    """
    if result.kind != Kind.PASSES and not _owns(result, caller):
        raise forbidden("only its owner shares a result")


def share(session: Session, result_id: str, caller: Caller, with_: Sharing) -> Result:
    """Share a result of the caller's, or take it back; return it.

    :raises RefusedError: as for :func:`find_own`; 403, it is not theirs to share, or is verified
    """
    result = find_own(session, result_id, caller)
    require_owner(result, caller)
    if with_ is not Sharing.EVERYBODY:
        require_unverified(result, "it cannot be withdrawn: nothing can be changed")
    result.submitted = with_ is not Sharing.NOBODY
    if with_ is Sharing.EVERYBODY:
        write_meta(session, result, SHARED, "true")
    elif result.meta_value(SHARED) is not None:
        delete_meta(session, result, SHARED)
    return result


def sharing(result: Result) -> Sharing:
    """Return who may see a result."""
    if result.listed:
        return Sharing.EVERYBODY
    return Sharing.CERTIFIER if result.submitted else Sharing.NOBODY


def _list(session: Session, result: Result) -> None:
    """Have everybody see a result that is nobody's, or shared."""
    listed = result.openid is None or bool(result.meta_value(SHARED))
    if listed != result.listed:
        result.listed = listed
        _count(session, 1 if listed else -1)
        audit_log.add(session, result, Event.PUBLISHED if listed else Event.WITHDRAWN)


def _count(session: Session, more: int) -> None:
    if more:
        query = sa.update(Count).where(Count.what == _LISTED).values(number=Count.number + more)
        session.execute(query)


LISTED: sa.ColumnElement[bool] = Result.listed == sa.true()
"""The condition that everybody may see a result; how many those are is kept, not counted."""


def seen_by(caller: Caller) -> sa.ColumnElement[bool]:
    """Return the condition that a caller may see a result that is not their own."""
    if not caller.is_foundation:
        return LISTED
    return LISTED | (Result.kind == Kind.PASSES) | (Result.submitted == sa.true())


def count(session: Session, conditions: Sequence[sa.ColumnElement[bool]]) -> int:
    """Return how many results meet all conditions."""
    if len(conditions) == 1 and conditions[0] is LISTED:
        query = sa.select(Count.number).where(Count.what == _LISTED)
    else:
        query = sa.select(sa.func.count()).select_from(Result).where(*conditions)
    return session.scalar(query) or 0


def newest(
    session: Session, conditions: Sequence[sa.ColumnElement[bool]], size: int, page: int = 1
) -> Iterable[Result]:
    """Return a page of the results that meet all conditions, the newest first."""
    query = sa.select(Result).where(*conditions).order_by(Result.number.desc())
    return session.scalars(query.limit(size).offset((page - 1) * size))


def of_product(product_id: str) -> sa.ColumnElement[bool]:
    """Return the condition that a result is of a version of a product."""
    versions = sa.select(ProductVersion.id).where(ProductVersion.product_id == product_id)
    return Result.product_version_id.in_(versions)


def of_vendors(vendor_ids: Iterable[str]) -> sa.ColumnElement[bool]:
    """Return the condition that a result is of a product of one of some vendors."""
    versions = (
        sa.select(ProductVersion.id)
        .join(Product, Product.id == ProductVersion.product_id)
        .where(Product.organization_id.in_(vendor_ids))
    )
    return Result.product_version_id.in_(versions)


def verified() -> sa.ColumnElement[bool]:
    """Return the condition that the foundation's word stands for a result."""
    stands = Result.verified_until.is_(None) | (Result.verified_until > now())
    return (Result.verification_status == 1) & stands


def are_there(session: Session, condition: sa.ColumnElement[bool]) -> bool:
    return session.scalar(sa.select(sa.exists().where(condition))) or False
