"""Judge the outcomes of a test run by a programme of a guideline.

``refstack_client.outcomes.subunit_stream.read`` returns the outcomes of a subunit stream; here they
are built by hand: every test passes but the last one.
"""

from capabilities import TestId, find_programme, load
from scoring import Attempt, Outcome, Outcomes, judge

guideline, _ = load("2020.06")
storage = find_programme(guideline, "storage")

*passed, failed = storage.counted_tests()
attempts = [
    Attempt(TestId(test.name, test.name, test.idempotent_id), Outcome.PASS, reason="", order=order)
    for order, test in enumerate(passed)
]
attempts.append(
    Attempt(
        TestId(failed.name, failed.name, failed.idempotent_id),
        Outcome.FAIL,
        reason="HTTP 500",
        order=len(passed),
    )
)

verdict = judge(storage, Outcomes(tuple(attempts)))
print(f"{verdict.conformance}: {verdict.count(Outcome.PASS)} of {len(verdict.required)} passed")
for test_verdict in verdict.required:
    if test_verdict.outcome is not Outcome.PASS:
        print(f"{test_verdict.outcome}: {test_verdict.test.name}: {test_verdict.reason}")
