"""Users and keys as the operator of a server lists and removes them."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from refstack_server.store import blobs, callers, memberships
from refstack_server.store import results as stored_results
from refstack_server.store.errors import ConflictError, ForbiddenError, NotFoundError
from refstack_server.store.results import USER
from refstack_server.store.schema import (
    Base,
    Membership,
    Meta,
    PublicKey,
    Result,
    User,
    Vendor,
    VendorType,
)

_REMOVED = "removed-user-"
"""The prefix of the name to which the results and vendors of a removed user belong."""


class Account(NamedTuple):
    """A user with the number of the vendors that the user acts for, and of keys and results."""

    openid: str
    name: str
    email: str
    foundation: bool
    vendors: int
    keys: int
    results: int


def users(engine: sa.Engine) -> list[Account]:
    """Return all users by name."""
    counts = [
        sa.select(sa.func.count())
        .select_from(table)
        .where(table.openid == User.openid)
        .scalar_subquery()
        for table in (Membership, PublicKey, Result)
    ]
    of_foundation = sa.exists().where(
        Membership.openid == User.openid,
        Membership.vendor_id == Vendor.id,
        Vendor.type == VendorType.FOUNDATION,
    )
    query = sa.select(User.openid, User.fullname, User.email, of_foundation, *counts)
    with engine.connect() as connection:
        return [Account(*row) for row in connection.execute(query.order_by(User.openid))]


def keys(engine: sa.Engine) -> Sequence[PublicKey]:
    """Return all registered keys, by user."""
    with Session(engine) as session:
        query = sa.select(PublicKey).order_by(PublicKey.openid, PublicKey.created_at, PublicKey.id)
        return session.scalars(query).all()


def revoke(engine: sa.Engine, fingerprint: str) -> str:
    """Remove a key; return the name of its user.

    :raises NotFoundError: no user registered it
    """
    with Session(engine) as session:
        query = sa.select(PublicKey).where(PublicKey.fingerprint == fingerprint)
        key = session.scalar(query)
        if key is None:
            raise NotFoundError(f"no user has the key {fingerprint}")
        openid = key.openid
        session.delete(key)
        session.commit()
        return openid


@dataclass(frozen=True)
class Removal:
    """What the removal of a user changed.

    :param successor: the name to which results, vendors and products now belong, "" without any
    :param removed: the number of private results that were removed
    """

    successor: str
    removed: int


def remove(engine: sa.Engine, data: Path, openid: str, *, with_private: bool) -> Removal:
    """Remove a user with name, email address, keys and memberships.

    Results that others can see are evidence: they stay, and belong to a name that does not
    identify the user, as do vendors and products that the user created.

    :param with_private: also remove the results, and their uploads, that only the user can see
    :raises NotFoundError: there is no such user
    :raises ForbiddenError: the user has such results, and they would not be removed
    :raises ConflictError: a vendor would have no users
    """
    with Session(engine) as session:
        user = callers.find_user(session, openid)
        private = session.scalars(sa.select(Result).where(Result.openid == openid, _PRIVATE)).all()
        if private and not with_private:
            raise ForbiddenError(f"{openid} has private results: {len(private)}")
        for result in private:
            stored_results.remove(session, result)
        _leave_vendors(session, openid)
        session.flush()
        successor = _hand_over(session, openid)
        session.delete(user)
        session.flush()
        # Before the commit: whoever uploads the same content now finds its row, and later no file.
        for sha256 in filter(None, [result.sha256 for result in private]):
            blobs.remove(data, sha256)
        session.commit()
    return Removal(successor, len(private))


_PRIVATE = (
    (Result.listed == sa.false())
    & (Result.submitted == sa.false())
    & Result.product_version_id.is_(None)
)
"""The condition that only its owner can see a result; of RefStack v1's, the Foundation too."""


def _leave_vendors(session: Session, openid: str) -> None:
    caller = callers.of_user(session, openid)
    query = sa.select(Vendor).where(Vendor.id.in_(caller.vendors)).order_by(Vendor.name)
    for vendor in session.scalars(query).all():
        try:
            memberships.remove(session, caller, vendor, openid)
        except ConflictError as error:
            raise ConflictError(f"{openid} is the last user of the vendor {vendor.name}") from error


def _hand_over(session: Session, openid: str) -> str:
    """Have all rows that refer to a user refer to another name; return it, "" if there is none.

    Rows that the database removes with the user are left alone.
    """
    successor = User(openid=f"{_REMOVED}{uuid.uuid4()}")
    session.add(successor)
    session.flush()
    changed = 0
    for column in _references():
        update = sa.update(column.table).where(column == openid)
        done = session.execute(update.values({column: successor.openid}))
        changed += done.rowcount  # type: ignore[attr-defined]
    session.execute(
        sa.update(Meta)
        .where(Meta.key == USER, Meta.value == openid)
        .values(value=successor.openid)
        .execution_options(synchronize_session=False)
    )
    if changed:
        return successor.openid
    session.delete(successor)
    return ""


def _references() -> list[sa.Column[str]]:
    """Return the columns of all tables that keep a user from being removed."""
    return [
        key.parent
        for table in Base.metadata.sorted_tables
        for key in table.foreign_keys
        if key.column.table is User.__table__ and key.ondelete != "CASCADE"
    ]
