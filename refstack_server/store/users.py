"""Users whom the operator of a server adds, without an identity provider."""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from refstack_server.store import memberships, public_keys
from refstack_server.store.schema import User, Vendor, VendorType

_FOUNDATION = "Foundation"


@dataclass(frozen=True)
class NewUser:
    """A user to add; ``key`` is a public key in OpenSSH's one-line format, "" for none."""

    openid: str
    email: str = ""
    fullname: str = ""
    key: str = ""


def add(engine: sa.Engine, new: NewUser) -> None:
    """Add a user, or update an existing one with all values that are not empty.

    :raises InvalidError: the key is not a valid public key
    :raises ConflictError: the key is registered for another user
    """
    with Session(engine) as session:
        user = session.get(User, new.openid) or User(openid=new.openid, email="", fullname="")
        user.email, user.fullname = new.email or user.email, new.fullname or user.fullname
        session.add(user)
        if new.key:
            _add_key(session, new)
        session.commit()


def _add_key(session: Session, new: NewUser) -> None:
    line = public_keys.parse(new.key)
    key = public_keys.proven(session, line.fingerprint)
    if key is None or key.openid != new.openid:
        public_keys.add(session, new.openid, line, is_proven=True)


def add_to_foundation(engine: sa.Engine, openid: str) -> None:
    """Let a user act for the Foundation; create the Foundation's vendor if it is missing."""
    with Session(engine) as session:
        query = sa.select(Vendor).where(Vendor.type == VendorType.FOUNDATION)
        foundation = session.scalar(query)
        if foundation is None:
            foundation = Vendor(
                name=_FOUNDATION, type=VendorType.FOUNDATION, created_by_user=openid
            )
            session.add(foundation)
            session.flush()
        memberships.join(session, foundation, openid)
        session.commit()
