"""Logos and sites of vendors: a vendor proposes one, the Foundation approves or denies it.

An approved one stays until another one is approved, or either side removes it. Every step is in the
public audit log; what was only proposed is not.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

import sqlalchemy as sa
from sqlalchemy.orm import Session, undefer

from refstack_server.store import audit_log, callers
from refstack_server.store.audit_log import Event
from refstack_server.store.callers import Caller
from refstack_server.store.errors import (
    ConflictError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
)
from refstack_server.store.schema import (
    PUBLIC_VENDORS,
    Branding,
    BrandingKind,
    BrandingState,
    Vendor,
    now,
)

_REMOVED = {BrandingState.PROPOSED: Event.WITHDRAWN, BrandingState.APPROVED: Event.REMOVED}


@dataclass(frozen=True)
class Shown:
    """What the Foundation approved of a vendor: the URL of its site, whether there is a logo."""

    site: str = ""
    has_logo: bool = False

    @property
    def host(self) -> str:
        """The host of the site; its URL has neither a user nor a port."""
        return urlsplit(self.site).netloc


Found = Mapping[tuple[BrandingKind, BrandingState], Branding]
"""What a vendor has of each kind in each state."""


def of_vendors(session: Session, vendor_ids: Iterable[str]) -> dict[str, Shown]:
    """Return what is approved of some vendors, by the id of the vendor."""
    query = sa.select(Branding).where(
        Branding.vendor_id.in_(vendor_ids), Branding.state == BrandingState.APPROVED
    )
    sites, logos = {}, set()
    for found in session.scalars(query):
        if found.url is None:
            logos.add(found.vendor_id)
        else:
            sites[found.vendor_id] = found.url
    return {
        vendor_id: Shown(sites.get(vendor_id, ""), vendor_id in logos)
        for vendor_id in sites.keys() | logos
    }


def of_vendor(session: Session, vendor_id: str) -> Shown:
    """Return what is approved of a vendor."""
    return of_vendors(session, [vendor_id]).get(vendor_id, Shown())


def visible(session: Session, caller: Caller, vendor_id: str) -> Found:
    """Return what a vendor has, as far as the caller may see it."""
    query = sa.select(Branding).where(Branding.vendor_id == vendor_id)
    if not caller.acts_for(vendor_id):
        query = query.where(Branding.state == BrandingState.APPROVED)
    return {
        (BrandingKind(found.kind), BrandingState(found.state)): found
        for found in session.scalars(query)
    }


def waiting(session: Session, caller: Caller) -> Sequence[Branding]:
    """Return what awaits the approval of the Foundation, the oldest first.

    :raises ForbiddenError: the caller does not act for the Foundation
    """
    caller.require_foundation()
    query = sa.select(Branding).where(
        Branding.state == BrandingState.PROPOSED, Branding.denial.is_(None)
    )
    return session.scalars(
        query.order_by(Branding.created_at, Branding.vendor_id, Branding.kind)
    ).all()


def image(session: Session, vendor_id: str, sha256: str = "") -> Branding:
    """Return a logo with its image, without a check of the caller's rights.

    :param sha256: of the logo, "" for the approved one
    :raises NotFoundError: there is no such logo
    """
    query = sa.select(Branding).options(undefer(Branding.image))
    query = query.where(Branding.vendor_id == vendor_id, Branding.kind == BrandingKind.LOGO)
    if sha256:
        query = query.where(Branding.sha256 == sha256)
    else:
        query = query.where(Branding.state == BrandingState.APPROVED)
    found = session.scalars(query).first()
    if found is None:
        raise NotFoundError("The vendor has no such logo")
    return found


def can_propose(caller: Caller, vendor: Vendor) -> bool:
    """Return whether the caller may propose a logo and a site of a vendor."""
    return vendor.id in caller.vendors and vendor.type in PUBLIC_VENDORS


def require_proposer(caller: Caller, vendor: Vendor) -> None:
    """Check that the caller may propose a logo and a site of a vendor.

    :raises ForbiddenError: the caller does not act for the vendor, or it is not official
    """
    if vendor.id not in caller.vendors:
        raise ForbiddenError("only users of the vendor may propose its logo and site")
    if not can_propose(caller, vendor):
        raise ForbiddenError("only an official vendor has a logo and a site; register it first")


def propose(session: Session, caller: Caller, vendor_id: str, content: str | bytes) -> None:
    """Propose a site (its URL) or a logo (a PNG image) of a vendor in place of an older proposal.

    The same one again changes nothing. What is approved already only withdraws an older proposal.

    :raises NotFoundError: there is no such vendor
    :raises ForbiddenError: as for :func:`require_proposer`
    """
    vendor = _locked(session, vendor_id)
    require_proposer(caller, vendor)
    new = _proposal(vendor, content)
    kind = BrandingKind(new.kind)
    before = _find(session, vendor_id, kind, BrandingState.PROPOSED)
    approved = _find(session, vendor_id, kind, BrandingState.APPROVED)
    if approved and approved.sha256 == new.sha256:
        if before:
            remove(session, caller, vendor_id, kind, BrandingState.PROPOSED)
        return
    if before and before.sha256 == new.sha256 and before.denial is None:
        return
    if before:
        session.delete(before)
        session.flush()
    session.add(new)
    _record(session, Event.PROPOSED, caller, vendor_id, kind)


def _proposal(vendor: Vendor, content: str | bytes) -> Branding:
    if isinstance(content, str):
        new = Branding(kind=BrandingKind.SITE, url=content)
        content = content.encode()
    else:
        new = Branding(kind=BrandingKind.LOGO, image=content)
    new.vendor_id, new.state = vendor.id, BrandingState.PROPOSED
    new.sha256 = hashlib.sha256(content).hexdigest()
    return new


def _locked(session: Session, vendor_id: str) -> Vendor:
    """Return a vendor; whoever else changes its logo or site waits for this transaction."""
    vendor = session.get(Vendor, vendor_id, with_for_update=True)
    if vendor is None:
        raise NotFoundError(f"Organization {vendor_id} not found")
    return vendor


def approve(
    session: Session, caller: Caller, vendor_id: str, kind: BrandingKind, seen: str
) -> None:
    """Approve what is proposed; it replaces what was approved before.

    :param seen: the SHA-256 of what the caller looked at
    :raises ForbiddenError: the caller does not act for the Foundation
    :raises NotFoundError: nothing awaits approval
    :raises ConflictError: something else is proposed by now
    """
    proposed = _decided(session, caller, vendor_id, kind, seen)
    before = _find(session, vendor_id, kind, BrandingState.APPROVED)
    if before:
        session.delete(before)
        session.flush()
    proposed.state, proposed.created_at = BrandingState.APPROVED, now()
    _record(session, Event.APPROVED, caller, vendor_id, kind, sha256=seen)


def deny(
    session: Session,
    caller: Caller,
    vendor_id: str,
    kind: BrandingKind,
    seen: str,
    *,
    reason: str,
) -> None:
    """Deny what is proposed, with a reason for the users of the vendor.

    :raises InvalidError: there is no reason; other errors as for :func:`approve`
    """
    proposed = _decided(session, caller, vendor_id, kind, seen)
    if not reason.strip():
        raise InvalidError("why: a denial needs a reason", "/why")
    proposed.denial = reason
    _record(session, Event.DENIED, caller, vendor_id, kind)


def _decided(
    session: Session, caller: Caller, vendor_id: str, kind: BrandingKind, seen: str
) -> Branding:
    caller.require_foundation()
    _locked(session, vendor_id)
    proposed = _find(session, vendor_id, kind, BrandingState.PROPOSED)
    if proposed is None or proposed.denial is not None:
        raise NotFoundError(f"No {kind} of this vendor awaits approval")
    if proposed.sha256 != seen:
        raise ConflictError(f"another {kind} is proposed by now; look at it and decide again")
    return proposed


def remove(
    session: Session, caller: Caller, vendor_id: str, kind: BrandingKind, state: BrandingState
) -> None:
    """Withdraw what is proposed, or remove what is approved.

    :raises NotFoundError: there is no such vendor, or nothing to remove
    :raises ForbiddenError: the caller acts neither for the vendor nor for the Foundation
    """
    _locked(session, vendor_id)
    caller.require_vendor(vendor_id)
    found = _find(session, vendor_id, kind, state)
    if found is None:
        raise NotFoundError(f"The vendor has no {state} {kind}")
    session.delete(found)
    session.flush()
    by = "vendor" if vendor_id in caller.vendors else "Foundation"
    _record(session, _REMOVED[state], caller, vendor_id, kind, by=by)


def _find(
    session: Session, vendor_id: str, kind: BrandingKind, state: BrandingState
) -> Branding | None:
    return session.get(Branding, (vendor_id, kind, state))


def _record(
    session: Session,
    event: Event,
    caller: Caller,
    vendor_id: str,
    kind: BrandingKind,
    **details: str,
) -> None:
    user = callers.find_user(session, caller.openid).pseudonym
    document = {"vendor": vendor_id, "what": str(kind), "user": user, **details}
    audit_log.add_entry(session, event, document)
