"""The outcomes of a result as they are stored: compressed, in the order they came."""

import json
import zlib
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from capabilities import tempest_id
from capabilities.tempest_id import TestId
from refstack_client.outcomes import document
from refstack_client.outcomes.subunit_stream import class_fixture
from scoring.conformance.outcomes import Attempt, ClassOutcome, Outcome, Outcomes

_QUICK = 1


class Entry(NamedTuple):
    """A test by its name or full id, its idempotent id, what it came to, why.

    The idempotent id is "" where the full id has it, or nobody knows it. The set-up of a class
    stands among them as stestr names it: ``setUpClass (module.Class)``.
    """

    name: str
    uuid: str
    outcome: str
    reason: str = ""


def pack(entries: Sequence[Entry]) -> bytes:
    return zlib.compress(json.dumps(entries, ensure_ascii=False).encode(), _QUICK)


def unpack(packed: bytes) -> tuple[Entry, ...]:
    return tuple(Entry(*row) for row in json.loads(zlib.decompress(packed)))


def of(outcomes: Outcomes) -> tuple[Entry, ...]:
    """Return every attempt of a stream, and every set-up of a class that did not succeed."""
    return tuple(
        Entry(entry.test, "", entry.outcome, entry.reason) for entry in document.entries(outcomes)
    )


def judged(entries: Iterable[Entry]) -> Outcomes:
    """Return entries as a verdict is made of them."""
    attempts, classes = [], []
    for order, each in enumerate(entries, start=1):
        outcome = Outcome(each.outcome)
        if fixture := class_fixture(each.name):
            if outcome is Outcome.PASS:
                continue  # only a test's own end passes it
            classes.append(ClassOutcome(fixture, outcome, each.reason, order))
        else:
            attempts.append(Attempt(_test(each), outcome, each.reason, order))
    return Outcomes(tuple(attempts), tuple(classes))


def _test(entry: Entry) -> TestId:
    """Return the test of an entry; RefStack v1 sends id and name apart, and the id without id-."""
    found = tempest_id.parse(entry.name)
    if found and found.idempotent_id:
        return found
    known = f"id-{entry.uuid.removeprefix('id-')}" if entry.uuid else None
    return TestId(entry.name, found.name if found else entry.name, known)


def passed(entries: Iterable[Entry]) -> list[str]:
    """Return the names of the tests whose last attempt passed, each once."""
    last = {_test(each).name: each.outcome for each in entries if not class_fixture(each.name)}
    return [name for name, outcome in last.items() if outcome == Outcome.PASS]
