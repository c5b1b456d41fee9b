"""Sharing of results by their owners, and Foundation verification."""

from collections.abc import Iterator
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy.orm import Session

from refstack_server.store import audit_log
from refstack_server.store.audit_log import Event
from refstack_server.store.callers import Caller
from refstack_server.store.errors import ForbiddenError, InvalidError
from refstack_server.store.results import (
    GUIDELINE,
    SHARED,
    TARGET,
    delete_meta,
    find_own,
    require_unverified,
    write_meta,
)
from refstack_server.store.schema import Kind, Result, Vendor, now
from scoring.conformance.verdict import Conformance

_STATED = (TARGET, GUIDELINE)
"""What a result in RefStack v1's format is tested for."""
LONGEST_REASON = 1000
"""The most characters of a reason for a verification or revocation."""
_NEEDS_A_REASON = (Conformance.NOT_CONFORMANT, Conformance.INCOMPLETE)


class Sharing(StrEnum):
    """Who may see a result besides its owner, from fewest to most."""

    NOBODY = "nobody"
    CERTIFIER = "certifier"
    EVERYBODY = "everybody"


def sharing(result: Result) -> Sharing:
    """Return who may see a result."""
    if result.listed:
        return Sharing.EVERYBODY
    return Sharing.CERTIFIER if result.submitted else Sharing.NOBODY


def share(session: Session, result_id: str, caller: Caller, with_: Sharing) -> Result:
    """Change who may see a result of the caller; return the result.

    :raises NotFoundError: there is no such result
    :raises UnauthenticatedError: the caller may not see it
    :raises ForbiddenError: the caller is not the owner, or a verified result would be withdrawn
    """
    result = find_own(session, result_id, caller)
    if with_ is not Sharing.EVERYBODY:
        require_unverified(result, "it cannot be withdrawn")
    result.submitted = with_ is not Sharing.NOBODY
    if with_ is Sharing.EVERYBODY:
        write_meta(session, result, SHARED, "true")
    elif result.meta_value(SHARED) is not None:
        delete_meta(session, result, SHARED)
    return result


def missing(result: Result) -> Iterator[str]:
    """Yield what a result lacks before the Foundation can verify it, a sentence for each."""
    if not result.listed or (result.kind == Kind.PASSES and not result.meta_value(SHARED)):
        yield "Not yet published by its owner."
    if result.kind == Kind.PASSES:
        yield from (f"No {key} in the metadata." for key in _STATED if not result.meta_value(key))


def needs_reason(result: Result) -> bool:
    """Return whether a verification needs a reason: the verdict is another than CONFORMANT.

    A result without a verdict, in RefStack v1's format, needs none.
    """
    return result.conformance in _NEEDS_A_REASON


def verify(session: Session, result: Result, until: date | None, why: str = "") -> None:
    """Record the Foundation verification of a result.

    :param until: the day on which the verification expires, None for never
    :param why: the reason, which is public; required if :func:`needs_reason`
    :raises ForbiddenError: the result is not published, or does not state what it was tested for
    :raises InvalidError: ``until`` is not in the future, or the reason is missing
    """
    if until and until <= now().date():
        raise InvalidError("the end of a verification must be in the future", "/until")
    if lacking := " ".join(missing(result)):
        raise ForbiddenError(f"the result cannot be verified yet: {lacking}")
    if needs_reason(result) and not why.strip():
        raise InvalidError(
            f"the verdict is {result.conformance}: its verification needs a reason",
            f"use PUT /v2/results/{result.id}/verification with why",
        )
    expires = datetime.combine(until, datetime.min.time()) if until else None
    result.verification_status, result.verified_until = 1, expires
    result.verified_at, result.revoked_at = now(), None
    result.verified_as = public_names(session, result)
    details = {"until": expires.isoformat()} if expires else {}
    if why.strip():
        details["why"] = why.strip()
    audit_log.add(session, result, Event.VERIFIED, **(result.verified_as or {}), **details)


def public_names(session: Session, result: Result) -> dict[str, str] | None:
    """Return the names of the vendor, product and version of a result, None if they are private."""
    version = result.product_version
    if version is None or not version.product.public:
        return None
    vendor = session.get_one(Vendor, version.product.organization_id)
    return {
        "vendor": vendor.name,
        "product": version.product.name,
        "version": version.version or "",
    }


def revoke(session: Session, result: Result, why: str) -> None:
    """Revoke the Foundation verification of a result.

    :param why: the reason, which is public
    """
    if result.verification_status:
        result.verification_status, result.verified_until = 0, None
        result.revoked_at = now()
        audit_log.add(session, result, Event.REVOKED, why=why)
