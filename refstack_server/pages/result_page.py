"""The pages of a result and of two results compared, which workers render."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from capabilities.guideline import Status
from refstack_client.outcomes.run_attempts import retries_of
from refstack_client.report import comparison
from refstack_client.report import html as report_html
from refstack_client.report import table as report_table
from refstack_client.report import text as report_text
from refstack_client.report.comparison import CapabilityGroup, Change, ChangeGroup
from refstack_server.pages import attestations
from refstack_server.pages.reader import Visitor
from refstack_server.pages.template import render
from refstack_server.publish import documents, shipped
from refstack_server.publish.marks import Attested
from refstack_server.publish.stored_result import By, StoredResult
from refstack_server.store.schema import Kind
from scoring.conformance.outcomes import Outcome
from scoring.conformance.verdict import Verdict

_MOST_PRINTED = 10
"""The most reasons, and the most flagged tests, of a printed page."""


def page(
    result: StoredResult, by: By, attested: Attested | None, about: Mapping[str, object]
) -> bytes:
    """Return the page of a result: the verdict first, all reasons, all capabilities.

    A result without a guideline has no verdict; its page lists the passed tests.

    :param attested: the attestation for the guideline and programme that it was uploaded with
    :param about: further variables of the template ``about.html``
    """
    chosen = result.judged_by(by)
    about = {**about, "result": result, "judged_by": chosen, "sees_all": result.sees_all}
    if not chosen.guideline:
        return _render("passes.html", about, names=documents.passed(result))
    attempts = result.attempts()
    verdict = result.verdict(by)
    is_own = (chosen.guideline, chosen.programme) == (result.guideline, result.programme)
    report = {
        **report_html.context(verdict, retries_of(attempts) if attempts else None),
        "marks": list(attestations.lines(verdict, attested if is_own else None)),
        "attempts": attempts if result.sees_all else (),
        "flagged_tests": _flagged(verdict),
        "most_printed": _MOST_PRINTED,
    }
    return _render("result.html", about, **report)


def _flagged(verdict: Verdict) -> list[str]:
    """Return the names of the flagged tests of required capabilities, each once."""
    required = (part for part in verdict.capabilities if part.status is Status.REQUIRED)
    tests = (test.test for part in required for test in part.tests)
    return list(dict.fromkeys(test.name for test in tests if test.flag))


def _render(name: str, about: Mapping[str, object], **values: object) -> bytes:
    return render(name, **values, **about).encode()  # type: ignore[arg-type]


def tests_csv(result: StoredResult, by: By) -> bytes:
    """Return the outcome of every test of a result as a table for spreadsheets."""
    return report_table.csv_text(result.verdict(by)).encode()


@dataclass(frozen=True)
class Side:
    """One of two results that are compared, with its verdict by the programme of the comparison.

    ``notes`` are what a reader must know before comparing it.
    """

    result: StoredResult
    uploaded: str
    verdict: Verdict
    notes: Sequence[str]

    @property
    def passed(self) -> int:
        """The number of required tests that passed."""
        return self.verdict.count(Outcome.PASS)


@dataclass(frozen=True)
class Part:
    """What changed in a programme, or in one that it requires as its base.

    ``same`` counts the tests with the same outcome, ``changed`` those with another one, by change.
    """

    verdict: Verdict
    groups: Sequence[ChangeGroup]
    capabilities: Sequence[CapabilityGroup]
    changed: Mapping[Change, int]
    same: Mapping[Outcome, int]


def compared(
    first: StoredResult, second: StoredResult, by: By, times: Sequence[str], visitor: Visitor
) -> bytes:
    """Return the page that shows what changed between two results: verdict, capabilities, reasons.

    :param by: the guideline and programme, as :func:`documents.compared_by` returns them
    :param times: when each of the two was uploaded
    """
    results = (first, second)
    verdicts = [result.verdict(by) for result in results]
    sides = [
        Side(result, time, verdict, list(_notes(result, verdict, by)))
        for result, time, verdict in zip(results, times, verdicts, strict=True)
    ]
    before, after = verdicts
    pairs = zip((before, *before.bases), (after, *after.bases), strict=True)
    page = render(
        "compared.html",
        visitor=visitor,
        sides=sides,
        by=by,
        guidelines=shipped.newest_first(),
        programmes=shipped.programme_keys(),
        words=report_text.WORDS,
        parts=[_part(*pair) for pair in pairs],
    )
    return page.encode()


def _part(before: Verdict, after: Verdict) -> Part:
    tests = comparison.compare(before, after)
    changed: Counter[Change] = Counter(test.change for test in tests)
    del changed[Change.SAME]
    same = Counter(test.after for test in tests if test.change is Change.SAME)
    return Part(
        after,
        comparison.by_reason(tests),
        comparison.by_capability(before, after),
        {change: changed[change] for change in Change if changed[change]},
        {outcome: same[outcome] for outcome in reversed(Outcome) if same[outcome]},
    )


def _notes(result: StoredResult, verdict: Verdict, by: By) -> Iterator[str]:
    own = (result.guideline or "", result.programme or "")
    if not all(own):
        yield "It was uploaded without a guideline."
    elif own != (by.guideline, by.programme):
        yield f"It was uploaded as a result of {' '.join(own)}."
    if result.kind == Kind.PASSES:
        yield "It lists only tests that passed: those that failed or skipped are shown as not run."
    if verdict.required and verdict.count(Outcome.NOT_RUN) == len(verdict.required):
        yield "None of the required tests ran in it."
