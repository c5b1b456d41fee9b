"""The verdict as text: one line, or the report of a terminal."""

from collections.abc import Iterator, Sequence

from capabilities.guideline import Rule, Status
from refstack_client.outcomes.attestation import Attestation
from refstack_client.outcomes.run_attempts import Retries
from refstack_client.report import groups
from refstack_client.report.groups import Group
from scoring.conformance.outcomes import Outcome
from scoring.conformance.verdict import Conformance, Verdict

NAMES_PER_REASON = 8
WORDS = {
    Conformance.CONFORMANT: "CONFORMANT",
    Conformance.NOT_CONFORMANT: "NOT CONFORMANT",
    Conformance.INCOMPLETE: "INCOMPLETE",
    Conformance.VACUOUS: "nothing to test",
}
COUNTED = {
    Outcome.PASS: "passed",
    Outcome.FAIL: "failed",
    Outcome.SKIP: "skipped",
    Outcome.NOT_RUN: "not run",
    Outcome.MISSING: "missing",
}
_ALWAYS_COUNTED = (Outcome.PASS, Outcome.FAIL, Outcome.SKIP)
_ANSWERS = {
    Conformance.CONFORMANT: "yes",
    Conformance.NOT_CONFORMANT: "no",
    Conformance.INCOMPLETE: "not shown",
}


def headline(verdict: Verdict) -> str:
    """Return the verdict in one line; numbers are beside what they count."""
    if is_list(verdict):
        tests = _count(len(verdict.required), "test")
        found = f"{tests}: {counted(verdict)}"
        return "  ".join((WORDS[verdict.conformance], verdict.programme.name, found))
    return "  ".join(
        (
            WORDS[verdict.conformance],
            verdict.programme.name,
            verdict.programme.guideline.id,
            f"{verdict.count(Outcome.PASS)}/{len(verdict.required)} required tests",
        )
    )


def is_list(verdict: Verdict) -> bool:
    """Return whether the verdict is by the rule of a list of tests, such as SCS-0128."""
    return verdict.programme.rule is Rule.NONE_FAILED


def counted(verdict: Verdict) -> str:
    """Return how many tests passed, failed and were skipped; others only if there are any."""
    numbers = {outcome: verdict.count(outcome) for outcome in COUNTED}
    shown = [outcome for outcome, number in numbers.items() if number or outcome in _ALWAYS_COUNTED]
    return ", ".join(f"{numbers[outcome]} {COUNTED[outcome]}" for outcome in shown)


def lines(
    verdict: Verdict, retries: Retries | None = None, attestation: Attestation | None = None
) -> Iterator[str]:
    """Yield the lines of the report for a terminal; the last one is the headline.

    :param retries: how often failed tests of the run were run again
    """
    if damage := damaged(verdict):
        yield damage
        yield ""
    for group in groups.groups(verdict):
        yield from _group(group)
    if repeated := verdict.passed_when_repeated:
        yield passed_when_repeated(verdict)
        yield from _first([test.test.name for test in repeated])
        yield ""
    yield from other_failures(verdict)
    if retries:
        yield used_retries(verdict, retries)
    if verdict.vacuous:
        names = ", ".join(vacuous.capability.id for vacuous in verdict.vacuous)
        yield f"Required, but every test is flagged, so nothing was shown: {names}"
    yield from to_fix(verdict)
    for base in verdict.bases:
        yield f"Base programme: {headline(base)}"
    yield from marks(verdict, attestation)
    yield headline(verdict)


def damaged(verdict: Verdict) -> str:
    """Return a sentence on a damaged stream, "" for a complete one."""
    if not verdict.damage:
        return ""
    return f"Damage: {verdict.damage}. Tests that ended before it count."


def other_failures(verdict: Verdict) -> Iterator[str]:
    """Yield what failed besides the tests, such as the tear-down of a class."""
    if not verdict.other_failures:
        return
    failures = _count(len(verdict.other_failures), "failure")
    yield f"Besides the tests: {failures}, without effect on the verdict"
    yield from _first([f"{failure.name}: {failure.reason}" for failure in verdict.other_failures])
    yield ""


def _first(names: Sequence[str]) -> Iterator[str]:
    """Yield the first names, and how many more there are."""
    yield from (f"    {name}" for name in names[:NAMES_PER_REASON])
    if len(names) > NAMES_PER_REASON:
        more = len(names) - NAMES_PER_REASON
        yield f"    … and {more} more (all in the report, and in -f json)"


def used_retries(verdict: Verdict, retries: Retries) -> str:
    """Return how often failed tests were run again, as recorded or as the stream shows."""
    used = max(retries.used, verdict.most_retries)
    return f"Retries: failed tests were run again {used} of {retries.budget} times"


def passed_when_repeated(verdict: Verdict) -> str:
    """Return how many tests passed after a failure, "" for none."""
    repeated = verdict.passed_when_repeated
    if not repeated:
        return ""
    tests = _count(len(repeated), "test")
    most = _count(max(test.retries for test in repeated), "time")
    return f"Passed only when repeated: {tests}, at most {most}"


def _group(group: Group) -> Iterator[str]:
    yield f"{group.outcome.upper()}  {_count(len(group.tests), 'test')}: {group.reason}"
    yield from _first([test.test.name for test in group.tests])
    if group.cause and group.cause.call:
        yield f"    for example {group.cause.call}"
    yield ""


def quick_lines(verdict: Verdict, asked: int) -> Iterator[str]:
    """Yield the lines on a run of one test for each capability; the last one sums up.

    :param asked: number of tests that were to run
    """
    for group in groups.groups(verdict):
        if group.outcome is not Outcome.NOT_RUN:
            yield from _group(group)
    if is_list(verdict):
        yield (
            f"QUICK LOOK, CERTIFIES NOTHING  {verdict.programme.name}  "
            f"{verdict.count(Outcome.PASS)}/{asked} tests passed, one of each class"
        )
        return
    required = sum(capability.status is Status.REQUIRED for capability in verdict.capabilities)
    yield (
        f"QUICK LOOK, CERTIFIES NOTHING  {verdict.programme.name}  "
        f"{verdict.programme.guideline.id}  {verdict.count(Outcome.PASS)}/{asked} tests passed, "
        f"for {required} required {'capability' if required == 1 else 'capabilities'}"
    )


def marks(verdict: Verdict, attestation: Attestation | None) -> Iterator[str]:
    """Yield whether a product holds each mark; of a list of tests, which has no mark, the rule."""
    if is_list(verdict):
        yield "Rule: no test may fail; skipped tests are listed"
        return
    yield f"OpenStack Compatible (the tests alone decide): {_ANSWERS[verdict.conformance]}"
    if verdict.programme.designated_sections:
        yield _powered(verdict, attestation)


def _powered(verdict: Verdict, attestation: Attestation | None) -> str:
    """Return whether a product is OpenStack Powered.

    Tests and the attestation of the designated sections decide.
    """
    sections = verdict.programme.designated_sections
    if attestation is None:
        return "OpenStack Powered: the vendor also attests the designated sections of " + (
            ", ".join(sections)
        )
    missing = attestation.missing(sections)
    if missing:
        return (
            "OpenStack Powered (tests and designated sections): no, not attested for "
            f"{', '.join(missing)}"
        )
    return (
        f"OpenStack Powered (tests, and designated sections attested by {attestation.by} on "
        f"{attestation.date}): {_ANSWERS[verdict.conformance]}"
    )


def to_fix(verdict: Verdict) -> Iterator[str]:
    """Yield a heading and a line for each of the fewest causes to fix for conformance."""
    found = groups.to_fix(verdict)
    if found:
        yield f"To conform, fix {_count(len(found), 'cause')}:"
    for number, group in enumerate(found, start=1):
        yield f"  {number}. {group.kind} ({len(group.tests)}): {group.remedy}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
