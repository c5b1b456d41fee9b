"""Whose a result is, and what the Foundation decided about it."""

from collections.abc import Iterator
from typing import NamedTuple

from refstack_server.pages import attestations
from refstack_server.pages.standings import dates
from refstack_server.store import audit_log, result_list
from refstack_server.store.schema import Result, Vendor
from refstack_server.store.standing import Standing, standing
from refstack_server.web.dependencies import CallerContext


class Fact(NamedTuple):
    """A fact about a result; ``link`` is the path of a page about it, or ""."""

    label: str
    text: str
    link: str = ""


def facts(context: CallerContext, result: Result) -> list[Fact]:
    """Return whose a result is as far as the caller may see it, and how it stands."""
    return [*_names(context, result), *_decisions(context, result), *_statements(context, result)]


def _names(context: CallerContext, result: Result) -> Iterator[Fact]:
    """Yield the names of vendor, product and version, and those it was verified under."""
    frozen = result.verified_as or {}
    version = result_list.seen_version(result, context.caller)
    if version is None:
        yield from (Fact(name.capitalize(), text) for name, text in frozen.items() if text)
        return
    product = version.product
    vendor = context.session.get_one(Vendor, product.organization_id)
    yield Fact("Vendor", vendor.name, f"/vendors/{vendor.id}")
    yield Fact("Product", product.name, f"/products/{product.id}")
    if version.version:
        yield Fact("Version", version.version)
    now = {"vendor": vendor.name, "product": product.name, "version": version.version or ""}
    if frozen and frozen != now:
        yield Fact("Verified as", " · ".join(filter(None, (frozen[name] for name in now))))


def _decisions(context: CallerContext, result: Result) -> Iterator[Fact]:
    """Yield the dates of a verification and of its revocation, with their reasons."""
    stands = standing(result)
    if stands is Standing.UNOFFICIAL:
        return
    why = audit_log.reasons(context.session, [result.id]).get(result.id, "")
    if stands is not Standing.VERIFIED and result.verified_at:
        yield Fact("Verified", f"on {result.verified_at:%Y-%m-%d}")
    yield Fact(stands.capitalize(), dates(result))
    if why:
        yield Fact("Reason", why)


def _statements(context: CallerContext, result: Result) -> Iterator[Fact]:
    """Yield who signed the bundle, and the attestation."""
    if result.signer:
        yield Fact("Bundle signed with", result.signer)
    if text := " ".join(attestations.sentences(result, sees_all=context.sees_all(result))):
        yield Fact("Attestation", text)
