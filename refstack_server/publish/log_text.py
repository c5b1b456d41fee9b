"""Entries of the public log in words, with links to what the public may see."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from refstack_server.store.audit_log import Event
from refstack_server.store.results import LISTED
from refstack_server.store.schema import PUBLIC_VENDORS, AuditLogEntry, Result, Vendor

_SENTENCES = {
    Event.PUBLISHED: "The owner published the result {}",
    Event.WITHDRAWN: "The owner withdrew the result {}",
    Event.VERIFIED: "The Foundation verified the result {}",
    Event.REVOKED: "The Foundation revoked the verification of the result {}",
    Event.REMOVED: "The result {} was removed",
    Event.ATTACHED: "The owner attached the result {} to a product",
    Event.DETACHED: "The owner detached the result {} from its product",
    Event.JOINED: "A user joined the vendor {}",
    Event.LEFT: "A user no longer acts for the vendor {}",
    Event.BUNDLE_PUBLISHED: "The owner published the anonymised bundle of the result {}",
    Event.BUNDLE_WITHDRAWN: "The owner withdrew the anonymised bundle of the result {}",
}
_NAMES, _TESTED = ("vendor", "product", "version"), ("guideline", "programme", "conformance")


@dataclass(frozen=True)
class LogLine:
    """An entry of the log for readers.

    ``sentence`` has ``{}`` in place of ``subject``, a result or a vendor. ``link`` is the path of
    its page, "" if it is not public. ``names`` are those of the vendor, product and version under
    which a result was verified.
    """

    number: int
    digest: str
    at: str
    event: str
    sentence: str
    subject: str
    link: str
    names: str
    facts: Sequence[str]


def lines(session: Session, entries: Iterable[AuditLogEntry]) -> list[LogLine]:
    """Return entries in words."""
    documents = [(entry, json.loads(entry.text)) for entry in entries]
    subjects = {_subject(document) for _, document in documents}
    results = session.scalars(sa.select(Result.id).where(LISTED, Result.id.in_(subjects)))
    is_public = Vendor.type.in_(PUBLIC_VENDORS) & Vendor.id.in_(subjects)
    vendors = session.execute(sa.select(Vendor.id, Vendor.name).where(is_public))
    public = {result_id: (result_id, f"/results/{result_id}") for result_id in results}
    public |= {vendor_id: (name, f"/vendors/{vendor_id}") for vendor_id, name in vendors}
    return [_line(entry, document, public) for entry, document in documents]


def _subject(document: Mapping[str, str]) -> str:
    return document.get("result") or document["vendor"]


def _line(
    entry: AuditLogEntry, document: Mapping[str, str], public: Mapping[str, tuple[str, str]]
) -> LogLine:
    event = Event(document["event"])
    subject = _subject(document)
    name, link = public.get(subject, (subject, ""))
    # Other events have the vendor and the product as ids.
    names = [document.get(key) for key in _NAMES] if event is Event.VERIFIED else []
    return LogLine(
        number=entry.number,
        digest=entry.digest,
        at=document["at"],
        event=event,
        sentence=_SENTENCES[event],
        subject=name,
        link=link,
        names=" · ".join(filter(None, names)),
        facts=list(_facts(document)),
    )


def _facts(document: Mapping[str, str]) -> Iterator[str]:
    if tested := " ".join(str(document[key]) for key in _TESTED if document.get(key)):
        yield tested
    if until := document.get("until"):
        yield f"until {until[:10]}"
    if why := document.get("why"):
        yield f"reason: {why}"
