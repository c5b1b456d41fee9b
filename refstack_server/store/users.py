"""Users that the operator of a server makes, without a provider of identities."""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from refstack_client.errors import InputError
from refstack_server.store import public_keys
from refstack_server.store.schema import Membership, User, Vendor, VendorType
from refstack_server.web.errors import RefusedError

_FOUNDATION = "Foundation"


@dataclass(frozen=True)
class NewUser:
    """``key`` is a public key in OpenSSH's one line, "" for none."""

    openid: str
    email: str = ""
    fullname: str = ""
    key: str = ""


def add(engine: sa.Engine, new: NewUser) -> None:
    """Add a user, or what is new of one who is there.

    :raises InputError: the key is none that can be used, or somebody else's
    """
    with Session(engine) as session:
        user = session.get(User, new.openid) or User(openid=new.openid, email="", fullname="")
        user.email, user.fullname = new.email or user.email, new.fullname or user.fullname
        session.add(user)
        if new.key:
            _add_key(session, new)
        session.commit()


def _add_key(session: Session, new: NewUser) -> None:
    try:
        line = public_keys.parse(new.key)
        known = public_keys.of(session, line)
        if known is None or known.openid != new.openid:
            public_keys.add(session, new.openid, line)
    except RefusedError as error:
        raise InputError(
            f"{error.title} {error.detail}".strip(), hint="name a .pub file"
        ) from error


def add_to_foundation(engine: sa.Engine, openid: str) -> None:
    """Have a user act for the foundation, which is made where there is none."""
    with Session(engine) as session:
        query = sa.select(Vendor).where(Vendor.type == VendorType.FOUNDATION)
        foundation = session.scalar(query)
        if foundation is None:
            foundation = Vendor(
                name=_FOUNDATION, type=VendorType.FOUNDATION, created_by_user=openid
            )
            session.add(foundation)
            session.flush()
        session.merge(Membership(vendor_id=foundation.id, openid=openid))
        session.commit()
