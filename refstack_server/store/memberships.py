"""Users of vendors: a user acts for a vendor after accepting the invitation of one of its users.

The public audit log records who joins and leaves by pseudonym, which only the Foundation's
operator can resolve.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from refstack_server.store import audit_log, callers
from refstack_server.store.audit_log import Event
from refstack_server.store.callers import Caller
from refstack_server.store.errors import ConflictError, ForbiddenError, NotFoundError
from refstack_server.store.schema import Invitation, Membership, User, Vendor, VendorType


def join(session: Session, vendor: Vendor, openid: str) -> None:
    """Let a user act for a vendor, and record it; nothing changes for a user who does already."""
    if session.get(Membership, (vendor.id, openid)) is None:
        session.add(Membership(vendor_id=vendor.id, openid=openid))
        _record(session, Event.JOINED, vendor.id, openid)


def invite(session: Session, caller: Caller, vendor: Vendor, openid: str) -> None:
    """Invite a user to act for a vendor; only the vendor's own users may.

    The Foundation decides about vendors and must not see what they keep private: its users are not
    invited to other vendors.

    :raises NotFoundError: there is no such user
    :raises ForbiddenError: the caller does not act for the vendor, or the user for the Foundation
    """
    if vendor.id not in caller.vendors:
        raise ForbiddenError("only users of the vendor may invite other users")
    user = callers.find_user(session, openid)
    if session.get(Membership, (vendor.id, user.openid)):
        return
    if vendor.type != VendorType.FOUNDATION:
        _require_independent(session, user.openid)
    session.merge(Invitation(vendor_id=vendor.id, openid=user.openid))


def _require_independent(session: Session, openid: str) -> None:
    if callers.of_user(session, openid).is_foundation:
        raise ForbiddenError("a user of the Foundation cannot act for a vendor")


def invitations(session: Session, caller: Caller) -> Sequence[Invitation]:
    """Return the invitations that the caller has not answered, the oldest first."""
    query = sa.select(Invitation).where(Invitation.openid == caller.openid)
    return session.scalars(query.order_by(Invitation.created_at, Invitation.vendor_id)).all()


def invited(session: Session, vendor_id: str) -> Sequence[Invitation]:
    """Return the invitations of a vendor that are not answered, the oldest first."""
    query = sa.select(Invitation).where(Invitation.vendor_id == vendor_id)
    return session.scalars(query.order_by(Invitation.created_at, Invitation.openid)).all()


def answer(session: Session, caller: Caller, vendor_id: str, *, accepts: bool) -> None:
    """Accept or decline an invitation of the caller.

    :raises NotFoundError: the caller has no invitation of this vendor
    :raises ForbiddenError: the caller acts for the Foundation by now
    """
    invitation = session.get(Invitation, (vendor_id, caller.openid))
    if invitation is None:
        raise NotFoundError(f"No invitation of organization {vendor_id} found")
    if accepts:
        if invitation.vendor.type != VendorType.FOUNDATION:
            _require_independent(session, caller.openid)
        join(session, invitation.vendor, caller.openid)
    session.delete(invitation)


def remove(session: Session, caller: Caller, vendor: Vendor, openid: str) -> None:
    """Remove a user from a vendor, or withdraw the user's invitation.

    :raises NotFoundError: there is no such user
    :raises ForbiddenError: the caller acts neither for the vendor nor for the Foundation
    :raises ConflictError: the vendor would have no users
    """
    caller.require_vendor(vendor.id)
    user = callers.find_user(session, openid)
    if invitation := session.get(Invitation, (vendor.id, user.openid)):
        session.delete(invitation)
    membership = session.get(Membership, (vendor.id, user.openid))
    if membership is None:
        return
    if len(users(session, vendor.id)) == 1:
        raise ConflictError("this is the last user of the vendor; invite another user first")
    session.delete(membership)
    _record(session, Event.LEFT, vendor.id, user.openid)


def users(session: Session, vendor_id: str) -> Sequence[User]:
    """Return the users who act for a vendor, by openid."""
    query = (
        sa.select(User)
        .join(Membership, Membership.openid == User.openid)
        .where(Membership.vendor_id == vendor_id)
        .order_by(User.openid)
    )
    return session.scalars(query).all()


def _record(session: Session, event: Event, vendor_id: str, openid: str) -> None:
    pseudonym = callers.find_user(session, openid).pseudonym
    audit_log.add_entry(session, event, {"vendor": vendor_id, "user": pseudonym})
