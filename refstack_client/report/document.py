"""The verdict as a JSON document, and the table of its counts that every other form shows too."""

from dataclasses import asdict

from refstack_client.outcomes.causes import REMEDIES
from refstack_client.outcomes.json_value import JsonObject
from scoring.conformance.outcomes import Cause, Outcome
from scoring.conformance.verdict import CapabilityVerdict, TestVerdict, Verdict

FORMAT = 1


def counts(verdict: Verdict) -> dict[str, int]:
    """Return the number of required tests, in all and by outcome; flagged ones do not count."""
    return {
        "total": len(verdict.required),
        "passed": verdict.count(Outcome.PASS),
        "failed": verdict.count(Outcome.FAIL),
        "skipped": verdict.count(Outcome.SKIP),
        "not_run": verdict.count(Outcome.NOT_RUN),
        "missing": verdict.count(Outcome.MISSING),
        "flagged": verdict.flagged,
    }


def as_json(verdict: Verdict) -> JsonObject:
    """Return the document that ``verdict -f json`` prints (docs/reference/verdict-json.rst)."""
    return {
        "format": FORMAT,
        "guideline": verdict.programme.guideline.id,
        "programme": verdict.programme.key,
        "verdict": str(verdict.conformance),
        "required": counts(verdict),
        "damage": verdict.damage,
        "repeated": len(verdict.passed_when_repeated),
        "most_retries": verdict.most_retries,
        "other_failures": [asdict(failure) for failure in verdict.other_failures],
        "vacuous": [vacuous.capability.id for vacuous in verdict.vacuous],
        "designated_sections": list(verdict.programme.designated_sections),
        "refstack_count": verdict.refstack_count,
        "bases": [as_json(base) for base in verdict.bases],
        "capabilities": [_capability(capability) for capability in verdict.capabilities],
    }


def _capability(verdict: CapabilityVerdict) -> JsonObject:
    return {
        "id": verdict.capability.id,
        "status": str(verdict.status),
        "verdict": str(verdict.conformance),
        "tests": [_test(test) for test in verdict.tests],
    }


def _test(verdict: TestVerdict) -> JsonObject:
    return {
        "id": verdict.test.idempotent_id,
        "name": verdict.test.name,
        "outcome": str(verdict.outcome),
        "reason": verdict.reason,
        "flagged": verdict.test.flag is not None,
        "cause": _cause(verdict.cause),
        "attempts": [str(attempt) for attempt in verdict.attempts],
    }


def _cause(cause: Cause | None) -> JsonObject | None:
    if cause is None:
        return None
    call = asdict(cause.call) if cause.call else None
    return {"kind": str(cause.kind), "call": call, "remedy": REMEDIES[cause.kind]}
