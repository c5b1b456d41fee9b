"""Anonymised copies of the bundles of public results, which their owners publish."""

from sqlalchemy.orm import Session

from refstack_server.store import audit_log
from refstack_server.store.audit_log import Event
from refstack_server.store.errors import ConflictError, NotFoundError
from refstack_server.store.schema import Kind, Result


def require_publishable(result: Result) -> None:
    """Check that a bundle of a result could be public.

    :raises ConflictError: the result is not public, or was not uploaded as a bundle
    """
    if result.kind != Kind.BUNDLE:
        raise ConflictError("this result was not uploaded as a bundle")
    if not result.listed:
        raise ConflictError("the result is not public: publish it before its bundle")


def publish(session: Session, result: Result, sha256: str) -> None:
    """Make a copy of a result's bundle public, in place of another one, and record it.

    :param sha256: that of the copy, which is stored as uploads are
    :raises ConflictError: as for :func:`require_publishable`
    """
    require_publishable(result)
    if result.public_sha256 != sha256:
        result.public_sha256 = sha256
        audit_log.add(session, result, Event.BUNDLE_PUBLISHED, bundle=sha256)


def withdraw(session: Session, result: Result) -> None:
    """Make the bundle of a result private again, and record it.

    :raises NotFoundError: it is not public
    """
    audit_log.add(session, result, Event.BUNDLE_WITHDRAWN, bundle=require_public(result))
    result.public_sha256 = None


def require_public(result: Result) -> str:
    """Return the SHA-256 of the public bundle of a result.

    :raises NotFoundError: it has none
    """
    if not result.listed or not result.public_sha256:
        raise NotFoundError("the owner of this result has not published its bundle")
    return result.public_sha256
