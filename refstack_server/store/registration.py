"""A vendor's way to become official: it asks, the foundation approves or denies."""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy.orm import Session

from refstack_server.store import vendors
from refstack_server.store.callers import Caller
from refstack_server.store.schema import VendorType
from refstack_server.web.errors import bad_request

REASON = "registration_decline_reason"
"""Under which a vendor's properties have why it was denied: RefStack v1's."""


@dataclass(frozen=True)
class _Step:
    """A change of a vendor's type: from what to what, and who may ask for it."""

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


def take(session: Session, caller: Caller, vendor_id: str, name: str, reason: str = "") -> None:
    """Take a step; a denial says why, and is forgotten when the vendor is approved.

    :raises RefusedError: 404, 403; 400, the vendor is not where the step begins, or no reason why
    """
    vendor = vendors.known_vendor(session, vendor_id)
    step = STEPS[name]
    step.require(caller, vendor.id)
    if vendor.type != step.before:
        raise bad_request("Invalid organization state for this action.")
    properties = dict(vendor.properties or {})
    if name in ("approve", "deny"):
        properties.pop(REASON, None)
    if name == "deny":
        if not reason:
            raise bad_request(f"{REASON} is needed", f"/{REASON}")
        properties[REASON] = reason
    vendor.type, vendor.properties = step.after, properties or None
