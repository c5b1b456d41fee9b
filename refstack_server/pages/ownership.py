"""Whose a result is, and what the Foundation decided about it."""

import json
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from refstack_server.pages import registry as registry_pages
from refstack_server.store import audit_log, registry, result_list
from refstack_server.store.audit_log import Event
from refstack_server.store.registry import Certification
from refstack_server.store.schema import Result, Vendor
from refstack_server.web.dependencies import CallerContext

_MOST_DECISIONS = 20


class Fact(NamedTuple):
    """A fact about a result; ``link`` is the path of a page about it, or ""."""

    label: str
    text: str
    link: str = ""


def facts(context: CallerContext, result: Result) -> list[Fact]:
    """Return whose a result is as far as the caller may see it, and how it stands."""
    return [*_names(context, result), *_decisions(context, result)]


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
    standing = registry.certification(result)
    if standing is Certification.UNOFFICIAL:
        return
    why = _reasons(context, result)
    if standing is Certification.REVOKED:
        if result.verified_at:
            yield Fact("Verified", f"on {result.verified_at:%Y-%m-%d}")
        yield Fact("Revoked", registry_pages.dates(result))
        if reason := why.get(Event.REVOKED):
            yield Fact("Reason", reason)
        return
    if standing is Certification.EXPIRED and result.verified_at:
        yield Fact("Verified", f"on {result.verified_at:%Y-%m-%d}")
    yield Fact(standing.capitalize(), registry_pages.dates(result))
    if reason := why.get(Event.VERIFIED):
        yield Fact("Reason", reason)


def _reasons(context: CallerContext, result: Result) -> Mapping[str, str]:
    """Return the reason of the last verification and of the last revocation in the log."""
    entries = audit_log.decisions(context.session, _MOST_DECISIONS, result.id)
    documents = [json.loads(entry.text) for entry in reversed(entries)]
    return {document["event"]: document.get("why", "") for document in documents}
