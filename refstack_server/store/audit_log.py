"""The public audit log as a hash chain: what happened to results, and who acts for vendors.

Each entry's digest covers its text and the previous digest, so that whoever kept a digest can
detect a change to any earlier entry. The database refuses to change or remove entries.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Session
from typing_extensions import TypedDict

from refstack_server.store.schema import AuditLogEntry, Count, Decision, Result, now

ENTRIES = "lines of the log"
"""The key of their number in the table of counts."""
_FIRST = "0" * 64


class Event(StrEnum):
    """What happened to a result, or to a vendor."""

    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"
    VERIFIED = "verified"
    REVOKED = "revoked"
    REMOVED = "removed"
    ATTACHED = "attached"
    DETACHED = "detached"
    JOINED = "joined"
    LEFT = "left"
    BUNDLE_PUBLISHED = "bundle-published"
    BUNDLE_WITHDRAWN = "bundle-withdrawn"


_OF_PRIVATE_RESULTS = (Event.REMOVED, Event.ATTACHED, Event.DETACHED)
"""Events that can happen to a result that was never published."""
_DECISIONS = (Event.VERIFIED, Event.REVOKED)


class EntryDocument(TypedDict):
    """An entry as JSON; ``text`` is itself a JSON document, hashed as it stands."""

    number: int
    text: str
    digest: str


def add(session: Session, result: Result, event: Event, **details: str) -> None:
    """Add an entry about a result, unless the result has no owner.

    Of a private result the entry has the id alone.
    """
    if result.openid is None:
        return
    document: dict[str, object] = {"result": result.id}
    if result.listed or event not in _OF_PRIVATE_RESULTS:
        document |= {
            "sha256": result.sha256,
            "guideline": result.guideline,
            "programme": result.programme,
            "conformance": result.conformance,
            **details,
        }
    entry = add_entry(session, event, document)
    if event in _DECISIONS:
        session.add(Decision(entry=entry, result_id=result.id))


def add_entry(session: Session, event: Event, document: Mapping[str, object]) -> AuditLogEntry:
    """Add an entry about an event and return it; the log is public."""
    # The update locks the row: whoever adds another entry waits for this transaction.
    counting = sa.update(Count).where(Count.what == ENTRIES).values(number=Count.number + 1)
    session.execute(counting)
    last = session.scalar(sa.select(AuditLogEntry).order_by(AuditLogEntry.number.desc()).limit(1))
    text = json.dumps({"at": now().isoformat(), "event": str(event), **document}, sort_keys=True)
    previous = last.digest if last else _FIRST
    number = last.number + 1 if last else 1
    entry = AuditLogEntry(number=number, text=text, digest=_digest(previous, text))
    session.add(entry)
    return entry


def entries(session: Session, after: int, most: int) -> Iterator[EntryDocument]:
    """Yield up to ``most`` entries with numbers above ``after``, the oldest first."""
    query = (
        sa.select(AuditLogEntry)
        .where(AuditLogEntry.number > after)
        .order_by(AuditLogEntry.number)
        .limit(most)
    )
    for entry in session.scalars(query):
        yield {"number": entry.number, "text": entry.text, "digest": entry.digest}


def newest(session: Session, size: int, page: int) -> Sequence[AuditLogEntry]:
    """Return a page of entries, the newest first."""
    # The numbers have no gaps, so that no entry before the page is read.
    last = length(session) - (page - 1) * size
    wanted = AuditLogEntry.number.between(last - size + 1, last)
    query = sa.select(AuditLogEntry).where(wanted).order_by(AuditLogEntry.number.desc())
    return session.scalars(query).all()


def length(session: Session) -> int:
    """Return the number of entries."""
    return session.scalar(sa.select(Count.number).where(Count.what == ENTRIES)) or 0


def decisions(session: Session, most: int, result_id: str | None = None) -> Sequence[AuditLogEntry]:
    """Return entries of verifications and revocations, the newest first.

    :param result_id: the result that they are about, None for all results
    """
    query = sa.select(Decision).order_by(Decision.number.desc()).limit(most)
    if result_id is not None:
        query = query.where(Decision.result_id == result_id)
    return [decision.entry for decision in session.scalars(query)]


_DECISIONS_TABLE, _LOG = Decision.__table__.c, AuditLogEntry.__table__.c
_LAST_DECISIONS = sa.select(_DECISIONS_TABLE.result_id, _LOG.text).where(
    _LOG.number == _DECISIONS_TABLE.number,
    _DECISIONS_TABLE.number.in_(
        sa.select(sa.func.max(_DECISIONS_TABLE.number))
        .where(_DECISIONS_TABLE.result_id.in_(sa.bindparam("ids", expanding=True)))
        .group_by(_DECISIONS_TABLE.result_id)
    ),
)


def reasons(session: Session, result_ids: Iterable[str]) -> dict[str, str]:
    """Return the reason of the last decision about each result, "" for one without a reason."""
    found = session.execute(_LAST_DECISIONS, {"ids": list(result_ids)}).tuples()
    return {result_id: json.loads(text).get("why", "") for result_id, text in found}


def is_intact(found: Iterable[EntryDocument]) -> bool:
    """Return whether all entries of a log, from the first on, are unchanged and in order."""
    previous = _FIRST
    for number, entry in enumerate(found, start=1):
        previous = _digest(previous, entry["text"])
        if (entry["number"], entry["digest"]) != (number, previous):
            return False
    return True


def _digest(previous: str, text: str) -> str:
    return hashlib.sha256(f"{previous}\n{text}".encode()).hexdigest()
