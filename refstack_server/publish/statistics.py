"""How a population of results did, test by test and capability by capability.

Counted are the newest results a caller may see that were judged by the programme in question, so
that nothing can be learned of a result that may not be seen.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, undefer

from capabilities.guideline import Status, Test
from capabilities.programme import Programme
from refstack_server.store import packed_outcomes
from refstack_server.store import results as stored_results
from refstack_server.store.callers import Caller
from refstack_server.store.packed_outcomes import Entry
from refstack_server.store.schema import Result
from scoring.conformance.outcomes import Outcome

MOST = 500
"""Results are counted, the newest first."""


def over(session: Session, caller: Caller, programme: Programme) -> dict[str, Any]:
    """Return the counts for the required capabilities of a programme."""
    query = (
        sa.select(Result)
        .options(undefer(Result.outcomes))
        .where(
            stored_results.seen_by(caller),
            Result.guideline == programme.guideline.id,
            Result.programme == programme.key,
        )
        .order_by(Result.number.desc())
        .limit(MOST)
    )
    tests = programme.required_tests()
    came_to = [
        _by_test(tests, packed_outcomes.unpack(each.outcomes)) for each in session.scalars(query)
    ]
    return {
        "guideline": programme.guideline.id,
        "programme": programme.key,
        "results": len(came_to),
        "capabilities": [
            {
                "id": each.id,
                "passed": sum(_passed(each.tests, one) for one in came_to),
                "tests": [_counted(test, came_to) for test in each.tests],
            }
            for each in programme.capabilities(Status.REQUIRED)
        ],
    }


def _by_test(tests: Iterable[Test], entries: Iterable[Entry]) -> dict[str, str]:
    """Return by a test's key what its last attempt in a result came to."""
    known: dict[str, str] = {}
    for test in tests:
        known |= dict.fromkeys((test.key, *test.names), test.key)
    found: dict[str, str] = {}
    for attempt in packed_outcomes.judged(entries).attempts:
        key = known.get(attempt.test.idempotent_id or "") or known.get(attempt.test.name)
        if key:
            found[key] = str(attempt.outcome)
    return found


def _passed(tests: Iterable[Test], came_to: dict[str, str]) -> bool:
    return all(came_to.get(test.key) == Outcome.PASS for test in tests if test.flag is None)


def _counted(test: Test, all_: list[dict[str, str]]) -> dict[str, Any]:
    counts = Counter(each.get(test.key, str(Outcome.NOT_RUN)) for each in all_)
    return {"id": test.idempotent_id, "name": test.name, "outcomes": dict(counts)}
