"""A verdict for people and programs: JSON, text and one HTML page, all with the same numbers."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from capabilities.guideline import Status
from refstack_client.outcomes.attestation import Attestation
from refstack_client.outcomes.causes import REMEDIES
from refstack_client.outcomes.plan_record import PlanRecord
from refstack_client.outcomes.run_directory import Retries
from scoring.conformance.outcomes import Cause, Outcome
from scoring.conformance.verdict import CapabilityVerdict, Conformance, TestVerdict, Verdict
from scoring.formats import html_templates

FORMAT = 1
NAMES_PER_REASON = 8

# What differs from test to test of what failed alike: ids, and names Tempest made.
RESOURCE_ID = r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}"
_VARYING = re.compile(rf"{RESOURCE_ID}|\b(?:tempest|refstack)-[\w-]{{0,100}}\d+")

WORDS = {
    Conformance.CONFORMANT: "CONFORMANT",
    Conformance.NOT_CONFORMANT: "NOT CONFORMANT",
    Conformance.INCOMPLETE: "INCOMPLETE",
    Conformance.VACUOUS: "nothing to test",
}
WORDS_OF_OUTCOMES = {
    Outcome.FAIL: "failed",
    Outcome.MISSING: "not in this Tempest",
    Outcome.NOT_RUN: "not run",
    Outcome.SKIP: "skipped",
}
NEXT = {
    Outcome.FAIL: "mend what the reason names, then certify again",
    Outcome.MISSING: "install the Tempest, or the plugin of it, that has them",
    Outcome.NOT_RUN: "go on with certify --resume RUN and let it come to its end",
    Outcome.SKIP: "let them run: the reason says which feature or credential they asked for",
}


@dataclass(frozen=True)
class Group:
    """Counted tests that did not pass in the same way for the same reason.

    ``cause`` is that of the first of them; its call is an example.
    """

    outcome: Outcome
    reason: str
    tests: tuple[TestVerdict, ...]
    cause: Cause | None = None

    @property
    def remedy(self) -> str:
        return REMEDIES[self.cause.kind] if self.cause else NEXT[self.outcome]

    @property
    def kind(self) -> str:
        return str(self.cause.kind) if self.cause else WORDS_OF_OUTCOMES[self.outcome]


# -- one line, JSON -------------------------------------------------------------------------------


def headline(verdict: Verdict) -> str:
    """Return the verdict in one line; numbers stand next to words."""
    return "  ".join(
        (
            WORDS[verdict.conformance],
            verdict.programme.name,
            verdict.programme.guideline.id,
            f"{verdict.count(Outcome.PASS)}/{len(verdict.required)} required tests",
        )
    )


def as_json(verdict: Verdict) -> dict[str, Any]:
    """Return the document ``verdict -f json`` prints (docs/verdict.rst)."""
    return {
        "format": FORMAT,
        "guideline": verdict.programme.guideline.id,
        "programme": verdict.programme.key,
        "verdict": str(verdict.conformance),
        "required": {
            "total": len(verdict.required),
            "passed": verdict.count(Outcome.PASS),
            "failed": verdict.count(Outcome.FAIL),
            "skipped": verdict.count(Outcome.SKIP),
            "not_run": verdict.count(Outcome.NOT_RUN),
            "missing": verdict.count(Outcome.MISSING),
            "flagged": verdict.flagged,
        },
        "damage": verdict.damage,
        "vacuous": [each.capability.id for each in verdict.vacuous],
        "designated_sections": list(verdict.programme.designated_sections),
        "refstack_count": dict(verdict.refstack_count),
        "bases": [as_json(each) for each in verdict.bases],
        "capabilities": [_capability(each) for each in verdict.capabilities],
    }


def _capability(each: CapabilityVerdict) -> dict[str, Any]:
    return {
        "id": each.capability.id,
        "status": str(each.status),
        "verdict": str(each.conformance),
        "tests": [
            {
                "id": one.test.idempotent_id,
                "name": one.test.name,
                "outcome": str(one.outcome),
                "reason": one.reason,
                "flagged": one.test.flag is not None,
                "cause": _cause(one.cause),
                "attempts": [str(attempt) for attempt in one.attempts],
            }
            for one in each.tests
        ],
    }


def _cause(cause: Cause | None) -> dict[str, Any] | None:
    if cause is None:
        return None
    call = asdict(cause.call) if cause.call else None
    return {"kind": str(cause.kind), "call": call, "remedy": REMEDIES[cause.kind]}


# -- text -----------------------------------------------------------------------------------------


def groups(verdict: Verdict) -> tuple[Group, ...]:
    """Return the counted tests that did not pass, by reason: worst outcome, largest group first.

    Reasons that differ only in the ids and names of resources are one. Each test stands in one
    group, so that the groups are also the fewest causes to mend for conformance.
    """
    found: dict[tuple[Outcome, str], list[TestVerdict]] = defaultdict(list)
    for each in verdict.required:
        if each.outcome is not Outcome.PASS:
            found[each.outcome, _VARYING.sub("…", each.reason)].append(each)
    return tuple(
        Group(outcome, reason, tuple(tests), _telling(tests))
        for (outcome, reason), tests in sorted(
            found.items(), key=lambda item: (item[0][0].badness, -len(item[1]), item[0][1])
        )
    )


def _telling(tests: Iterable[TestVerdict]) -> Cause | None:
    """Return the first cause that names a call, else the first."""
    causes = [each.cause for each in tests if each.cause]
    return next((each for each in causes if each.call), causes[0] if causes else None)


def text(
    verdict: Verdict, retries: Retries | None = None, attested: Attestation | None = None
) -> Iterator[str]:
    """Yield the lines of the terminal's report; the last one is the verdict.

    :param retries: of a run: how often what failed was run again
    """
    if verdict.damage:
        yield f"Of the stream: {verdict.damage}; what was complete before that counts."
        yield ""
    for group in groups(verdict):
        yield from _group(group)
    retried = [each for each in verdict.required if _is_retried(each)]
    if retried:
        yield f"Passed only when repeated: {len(retried)}"
        yield from (f"    {each.test.name}" for each in retried)
        yield ""
    if retries:
        yield f"Retries: what failed was run again {retries.used} of {retries.budget} times"
    if verdict.vacuous:
        names = ", ".join(each.capability.id for each in verdict.vacuous)
        yield f"Required, but every test is flagged, so nothing was shown: {names}"
    yield from _to_mend(verdict)
    for base in verdict.bases:
        yield f"It stands on: {headline(base)}"
    yield compatible(verdict)
    yield powered(verdict, attested)
    yield headline(verdict)


def _group(group: Group) -> Iterator[str]:
    plural = "s" if len(group.tests) > 1 else ""
    yield f"{group.outcome.upper()}  {len(group.tests)} test{plural}: {group.reason}"
    for each in group.tests[:NAMES_PER_REASON]:
        yield f"    {each.test.name}"
    if len(group.tests) > NAMES_PER_REASON:
        more = len(group.tests) - NAMES_PER_REASON
        yield f"    … and {more} more (all in the report, and in -f json)"
    if group.cause and group.cause.call:
        yield f"    such as {group.cause.call}"
    yield ""


def quick_text(verdict: Verdict, asked: int) -> Iterator[str]:
    """Yield the lines on a run of one test for each capability; the last one sums up.

    :param asked: how many tests that were
    """
    for group in groups(verdict):
        if group.outcome is not Outcome.NOT_RUN:
            yield from _group(group)
    capabilities = sum(each.status is Status.REQUIRED for each in verdict.capabilities)
    yield (
        f"QUICK LOOK, CERTIFIES NOTHING  {verdict.programme.name}  "
        f"{verdict.programme.guideline.id}  {verdict.count(Outcome.PASS)}/{asked} tests passed, "
        f"for {capabilities} required capabilities"
    )


def compatible(verdict: Verdict) -> str:
    """Return whether a product is compatible: the tests alone decide."""
    return f"OpenStack Compatible: the tests alone decide: {_yes_no(verdict)}"


def powered(verdict: Verdict, attested: Attestation | None) -> str:
    """Return whether a product is powered: tests and attested designated sections decide."""
    sections = verdict.programme.designated_sections
    if attested is None:
        return "OpenStack Powered: the vendor also attests the designated sections of " + (
            ", ".join(sections)
        )
    missing = attested.missing(sections)
    if missing:
        return f"OpenStack Powered: tests and designated sections: no: not of {', '.join(missing)}"
    return (
        f"OpenStack Powered: tests and designated sections, attested by {attested.by} on "
        f"{attested.date}: {_yes_no(verdict)}"
    )


def _to_mend(verdict: Verdict) -> Iterator[str]:
    """Yield the fewest causes to mend for conformance, and what to do about each."""
    found = groups(verdict)
    if found:
        yield f"To conform, mend {len(found)} cause{'s' if len(found) > 1 else ''}:"
    for number, group in enumerate(found, start=1):
        yield f"  {number}. {group.kind} ({len(group.tests)}): {group.remedy}"


def _is_retried(each: TestVerdict) -> bool:
    return each.outcome is Outcome.PASS and Outcome.FAIL in each.attempts


def _yes_no(verdict: Verdict) -> str:
    return {
        Conformance.CONFORMANT: "yes",
        Conformance.NOT_CONFORMANT: "no",
        Conformance.INCOMPLETE: "not shown",
    }[verdict.conformance]


# -- HTML -----------------------------------------------------------------------------------------


def html(
    verdict: Verdict,
    plan: PlanRecord | None = None,
    retries: Retries | None = None,
    attested: Attestation | None = None,
) -> str:
    """Return one self-contained page; ``plan`` adds where and as whom the tests ran."""
    filled_in = page_of(verdict, attested)
    template = html_templates.template("refstack_client.report", "report.html")
    return template.render({**filled_in, "plan": plan, "retries": retries})


def page_of(verdict: Verdict, attested: Attestation | None = None) -> dict[str, Any]:
    """Return what ``report.html`` is filled in with, where no more than the verdict is told."""
    return {
        "verdict": verdict,
        "document": as_json(verdict),
        "headline": headline(verdict),
        "words": WORDS,
        "groups": groups(verdict),
        "bases": [headline(each) for each in verdict.bases],
        "to_mend": list(_to_mend(verdict)),
        "compatible": compatible(verdict),
        "powered": powered(verdict, attested),
        "statuses": [
            (status, [each for each in verdict.capabilities if each.status is status])
            for status in Status
        ],
        "plan": None,
        "retries": None,
    }
