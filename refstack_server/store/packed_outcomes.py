"""The outcomes of a result as the database stores them: compressed, in the order of their ends."""

import json
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

from capabilities import tempest_id
from capabilities.tempest_id import TestId
from refstack_client.outcomes import document
from refstack_client.outcomes.subunit_stream import class_fixture
from scoring.conformance.outcomes import Attempt, ClassOutcome, Outcome, Outcomes

_FAST = 1


class Entry(NamedTuple):
    """A test by its name or full id, its idempotent id, its outcome and the reason.

    The idempotent id is "" if the full id contains it, or if it is unknown. The set-up of a class
    is an entry as stestr names it: ``setUpClass (module.Class)``.
    """

    name: str
    uuid: str
    outcome: str
    reason: str = ""


def pack(entries: Sequence[Entry], damage: str = "") -> bytes:
    """Return entries as compressed JSON: a list, or an object if the stream was damaged.

    :param damage: what is wrong with the stream, "" if nothing is
    """
    document = {"damage": damage, "entries": entries} if damage else entries
    return zlib.compress(json.dumps(document, ensure_ascii=False).encode(), _FAST)


def unpack(packed: bytes) -> tuple[Entry, ...]:
    """Return the entries that :func:`pack` packed."""
    return _unpack(packed)[0]


def outcomes_of(packed: bytes) -> Outcomes:
    """Return packed entries in the form from which a verdict is computed, with their damage."""
    entries, damage = _unpack(packed)
    return replace(to_outcomes(entries), damage=damage)


def _unpack(packed: bytes) -> tuple[tuple[Entry, ...], str]:
    document = json.loads(zlib.decompress(packed))
    damaged = isinstance(document, dict)
    rows = document["entries"] if damaged else document
    return tuple(Entry(*row) for row in rows), document["damage"] if damaged else ""


def from_outcomes(outcomes: Outcomes) -> tuple[Entry, ...]:
    """Return every attempt of a stream, and every set-up of a class that did not succeed."""
    return tuple(
        Entry(entry.test, "", entry.outcome, entry.reason)
        for entry in document.entries_by_time(outcomes)
    )


def to_outcomes(entries: Iterable[Entry]) -> Outcomes:
    """Return entries in the form from which a verdict is computed."""
    attempts, classes = [], []
    for order, entry in enumerate(entries, start=1):
        outcome = Outcome(entry.outcome)
        if fixture := class_fixture(entry.name):
            if outcome is Outcome.PASS:
                continue  # Only a test's own end passes it.
            classes.append(ClassOutcome(fixture, outcome, entry.reason, order))
        else:
            attempts.append(Attempt(_test(entry), outcome, entry.reason, order))
    return Outcomes(tuple(attempts), tuple(classes))


def _test(entry: Entry) -> TestId:
    """Return the test of an entry.

    RefStack v1's clients send name and id separately, and the id without its prefix ``id-``. A
    scenario that they send is not the test: they do not send the scenarios that failed.
    """
    parsed = tempest_id.parse(entry.name)
    if parsed and parsed.idempotent_id:
        return parsed
    if _is_lone_scenario(entry.name):
        return TestId(entry.name, entry.name, None)
    idempotent_id = f"id-{entry.uuid.removeprefix('id-')}" if entry.uuid else None
    return TestId(entry.name, parsed.name if parsed else entry.name, idempotent_id)


def _is_lone_scenario(name: str) -> bool:
    """Return whether a name is one of RefStack v1's clients for a scenario of a test."""
    return "(" in name and "[" not in name


def _name_of(name: str) -> str:
    return name if _is_lone_scenario(name) else tempest_id.name_of(name)


def passed(entries: Iterable[Entry]) -> list[str]:
    """Return the names of the tests whose last attempt passed, each once."""
    last = {
        _name_of(entry.name): entry.outcome for entry in entries if not class_fixture(entry.name)
    }
    return [name for name, outcome in last.items() if outcome == Outcome.PASS]
