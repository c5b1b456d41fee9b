"""Vendors and their registration as official vendors."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from refstack_server.store import memberships
from refstack_server.store.callers import Caller
from refstack_server.store.errors import (
    ConflictError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
)
from refstack_server.store.look_alikes import skeletons
from refstack_server.store.schema import PUBLIC_VENDORS, Vendor, VendorType

REASON = "registration_decline_reason"
"""The key of the reason for a denial in a vendor's properties, as in RefStack v1."""


def vendors(session: Session, caller: Caller) -> sa.ScalarResult[Vendor]:
    """Return official vendors and the caller's own, by name; the Foundation sees all."""
    query = sa.select(Vendor).order_by(Vendor.name, Vendor.id)
    if not caller.is_foundation:
        query = query.where(Vendor.type.in_(PUBLIC_VENDORS) | Vendor.id.in_(caller.vendors))
    return session.scalars(query)


_NAMES = sa.select((_VENDORS := Vendor.__table__.c).id, _VENDORS.name).where(
    _VENDORS.id.in_(sa.bindparam("ids", expanding=True))
)


def names(session: Session, vendor_ids: Iterable[str]) -> dict[str, str]:
    """Return the names of vendors by their ids; those that do not exist are left out."""
    return dict(session.execute(_NAMES, {"ids": list(vendor_ids)}).tuples().all())


def add(session: Session, caller: Caller, name: str, description: str | None) -> Vendor:
    """Add a private vendor; the caller becomes its first user.

    :raises UnauthenticatedError: the caller is anonymous
    :raises InvalidError: the name is empty
    :raises ConflictError: the name looks like that of an official vendor
    """
    caller.require_user()
    if not name.strip():
        raise InvalidError("name should not be empty")
    require_distinct(session, name)
    vendor = Vendor(
        name=name, description=description, created_by_user=caller.openid, properties=None
    )
    session.add(vendor)
    session.flush()
    memberships.join(session, vendor, caller.openid)
    return vendor


def find_own(session: Session, vendor_id: str, caller: Caller) -> Vendor:
    """Return a vendor that the caller may change.

    :raises NotFoundError: there is no such vendor
    :raises ForbiddenError: the caller acts neither for the vendor nor for the Foundation
    """
    vendor = get_vendor(session, vendor_id)
    caller.require_vendor(vendor.id)
    return vendor


def get_vendor(session: Session, vendor_id: str) -> Vendor:
    """Return a vendor without a check of the caller's rights.

    :raises NotFoundError: there is no such vendor
    """
    vendor = session.get(Vendor, vendor_id)
    if vendor is None:
        raise NotFoundError(f"Organization {vendor_id} not found")
    return vendor


def find_vendor(session: Session, vendor_id: str, caller: Caller) -> Vendor:
    """Return a vendor that the caller may see.

    :raises NotFoundError: there is no such vendor
    :raises ForbiddenError: the caller may not see it
    """
    vendor = get_vendor(session, vendor_id)
    if vendor.type not in PUBLIC_VENDORS:
        caller.require_vendor(vendor.id)
    return vendor


def rename(session: Session, caller: Caller, vendor: Vendor, name: str) -> None:
    """Rename a vendor; of an official one, or one that awaits approval, only the Foundation may.

    :raises InvalidError: the name is empty
    :raises ForbiddenError: the caller may not
    :raises ConflictError: the name looks like that of an official vendor
    """
    if not name.strip():
        raise InvalidError("name should not be empty")
    if name == vendor.name:
        return
    if vendor.type == VendorType.OFFICIAL:
        caller.require_foundation()
    if vendor.type == VendorType.PENDING and not caller.is_foundation:
        raise ForbiddenError("the Foundation is deciding about this name; cancel the request first")
    require_distinct(session, name, vendor.id)
    vendor.name = name


def require_distinct(session: Session, name: str, vendor_id: str = "") -> None:
    """Check that no official vendor has a name that looks like this one.

    :param vendor_id: the vendor that has the name, "" for a new one
    :raises ConflictError: another vendor has such a name
    """
    if similar(session, name, vendor_id, PUBLIC_VENDORS):
        raise ConflictError("the name looks like that of an official vendor; choose another")


def similar(session: Session, name: str, vendor_id: str, types: Sequence[int]) -> list[Vendor]:
    """Return the other vendors of some types whose names look like a name."""
    query = sa.select(Vendor).where(Vendor.type.in_(types), Vendor.id != vendor_id)
    wanted = skeletons(name)
    return [vendor for vendor in session.scalars(query) if wanted & skeletons(vendor.name)]


@dataclass(frozen=True)
class _Step:
    """A change of a vendor's type, and the check that the caller may make it."""

    before: VendorType
    after: VendorType
    require: Callable[[Caller, str], None]


def _by_vendor(caller: Caller, vendor_id: str) -> None:
    caller.require_vendor(vendor_id)


def _by_foundation(caller: Caller, _vendor_id: str) -> None:
    caller.require_foundation()


STEPS = {
    "register": _Step(VendorType.PRIVATE, VendorType.PENDING, _by_vendor),
    "cancel": _Step(VendorType.PENDING, VendorType.PRIVATE, _by_vendor),
    "approve": _Step(VendorType.PENDING, VendorType.OFFICIAL, _by_foundation),
    "deny": _Step(VendorType.PENDING, VendorType.PRIVATE, _by_foundation),
}
"""The steps of registration: a vendor asks to become official, the Foundation decides."""


def take_step(
    session: Session,
    caller: Caller,
    vendor_id: str,
    name: str,
    *,
    reason: str = "",
    seen: str | None = None,
) -> None:
    """Take a step of a vendor's registration; the reason for a denial is kept until approval.

    :param seen: the vendor's name as the caller saw it; None if the protocol does not state it
    :raises NotFoundError: there is no such vendor
    :raises ForbiddenError: the caller may not take this step
    :raises ConflictError: the vendor has another name by now, or one like an official vendor's
    :raises InvalidError: the vendor's type does not allow the step, or a denial has no reason
    """
    vendor = get_vendor(session, vendor_id)
    step = STEPS[name]
    step.require(caller, vendor.id)
    if vendor.type != step.before:
        raise InvalidError("Invalid organization state for this action.")
    if seen is not None and seen != vendor.name:
        raise ConflictError(f"the vendor was renamed to {vendor.name}; decide again")
    if step.after in (VendorType.PENDING, VendorType.OFFICIAL):
        require_distinct(session, vendor.name, vendor.id)
    properties = dict(vendor.properties or {})
    if name in ("approve", "deny"):
        properties.pop(REASON, None)
    if name == "deny":
        if not reason:
            raise InvalidError(f"{REASON} is required", f"/{REASON}")
        properties[REASON] = reason
    vendor.type, vendor.properties = step.after, properties or None
