"""Statistics of a programme's results, test by test and capability by capability.

They cover the newest results that the caller may see and that were judged by the programme, so
that they reveal nothing of other results.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session
from typing_extensions import TypedDict

from capabilities.guideline import Status, Test
from capabilities.programme import Programme
from refstack_server.store import packed_outcomes
from refstack_server.store import results as stored_results
from refstack_server.store.callers import Caller
from refstack_server.store.packed_outcomes import Entry
from refstack_server.store.schema import Result
from scoring.conformance.outcomes import Outcome

MOST = 500
"""The number of results that are counted, the newest first."""
_OutcomeByKey = Mapping[str, str]


class OutcomeCounts(TypedDict):
    """How many results have each outcome of a test."""

    id: str | None
    name: str
    outcomes: dict[str, int]


class CapabilityCounts(TypedDict):
    """How many results passed all unflagged tests of a capability, and the counts of its tests."""

    id: str
    passed: int
    tests: list[OutcomeCounts]


class Statistics(TypedDict):
    """The counts for a programme; ``results`` is the number of results."""

    guideline: str
    programme: str
    results: int
    capabilities: list[CapabilityCounts]


def newest(session: Session, caller: Caller, guideline: str, programme: str) -> list[bytes]:
    """Return the packed outcomes of the newest results that are counted."""
    query = (
        sa.select(Result.outcomes)
        .where(
            stored_results.visible_to(caller),
            Result.guideline == guideline,
            Result.programme == programme,
        )
        .order_by(Result.number.desc())
        .limit(MOST)
    )
    return list(session.scalars(query))


def over(packed: Sequence[bytes], programme: Programme) -> Statistics:
    """Return the counts for the required capabilities of a programme.

    :param packed: the outcomes of each result (:mod:`refstack_server.store.packed_outcomes`)
    """
    tests = programme.required_tests()
    results = [_by_test(tests, packed_outcomes.unpack(outcomes)) for outcomes in packed]
    return {
        "guideline": programme.guideline.id,
        "programme": programme.key,
        "results": len(results),
        "capabilities": [
            {
                "id": capability.id,
                "passed": sum(_passed(capability.tests, outcomes) for outcomes in results),
                "tests": [_counted(test, results) for test in capability.tests],
            }
            for capability in programme.capabilities(Status.REQUIRED)
        ],
    }


def _by_test(tests: Iterable[Test], entries: Iterable[Entry]) -> _OutcomeByKey:
    """Return the outcome of the last attempt by the test's key."""
    keys: dict[str, str] = {}
    for test in tests:
        keys |= dict.fromkeys((test.key, *test.names), test.key)
    outcomes: dict[str, str] = {}
    for attempt in packed_outcomes.to_outcomes(entries).attempts:
        key = keys.get(attempt.test.idempotent_id or "") or keys.get(attempt.test.name)
        if key:
            outcomes[key] = str(attempt.outcome)
    return outcomes


def _passed(tests: Iterable[Test], outcomes: _OutcomeByKey) -> bool:
    return all(outcomes.get(test.key) == Outcome.PASS for test in tests if test.flag is None)


def _counted(test: Test, results: Sequence[_OutcomeByKey]) -> OutcomeCounts:
    counts = Counter(outcomes.get(test.key, str(Outcome.NOT_RUN)) for outcomes in results)
    return {"id": test.idempotent_id, "name": test.name, "outcomes": dict(counts)}
