"""Whether the parts of a bundle state the same: all follows from guideline, plan and stream."""

import dataclasses
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from html.parser import HTMLParser

from capabilities.matching import Index, match
from capabilities.tempest_id import parse as parse_test
from refstack_client.bundle import contents, manifest_of, sbom
from refstack_client.bundle.checks import CheckFailedError, Checks, UnknownError
from refstack_client.bundle.contents import Bundle
from refstack_client.outcomes import document
from refstack_client.outcomes.json_value import JsonValue
from refstack_client.outcomes.plan_record import PlannedTest
from refstack_client.outcomes.run_attempts import CUT_OFF
from refstack_client.report import document as report_document
from refstack_client.report import html as report_html
from refstack_client.report import text as report_text

_TOLERANCE = timedelta(minutes=5)
"""By which the clock of the machine may be set during a run."""
_NEEDED = ("guideline", "programme", "verdict", "required", "capabilities")
"""Members that a verdict of every release has."""
_WORDING = ("cause", "reason")
"""Members of a verdict whose wording changes from release to release."""
_COMPUTED_APART = ("made_by", "members")
"""Fields of a manifest that other checks compare, or that nothing can."""


def _tests(bundle: Bundle) -> str:
    if bundle.plan is None:
        raise UnknownError("the bundle was made from a stream alone")
    stated = {test.key: _found(test) for test in bundle.plan.tests}
    due = {test.key: _found(test) for test in _matches(bundle)}
    for name in sorted(stated.keys() | due.keys()):
        if stated.get(name) != due.get(name):
            raise CheckFailedError(
                f"the plan has another match for {name} than the list of Tempest's tests gives"
            )
    return f"{len(due)} tests of the plan match the list of Tempest's tests"


def _matches(bundle: Bundle) -> Iterator[PlannedTest]:
    """Yield the match of each wanted test, as it follows from the list of Tempest's tests alone."""
    lines = bundle.member(contents.TESTS).decode("utf-8").splitlines()
    index = Index.of(test for line in lines if (test := parse_test(line)))
    for wanted in bundle.programme.wanted_tests():
        yield PlannedTest.of(match(wanted, index))


def _found(test: PlannedTest) -> tuple[str, str, tuple[str, ...]]:
    return test.name, test.match, tuple(sorted(test.found))


def _outcomes(bundle: Bundle) -> str:
    stated, due = bundle.stated_outcomes, document.entries(bundle.outcomes)
    for number, (one, other) in enumerate(zip(stated, due, strict=False)):
        if (one.test, one.outcome) != (other.test, other.outcome):
            raise CheckFailedError(
                f"/{number}: {one.test}: the outcome in the stream is {other.outcome}"
            )
        if one.seconds != other.seconds:
            raise CheckFailedError(f"/{number}: {one.test} took {other.seconds} s in the stream")
    if len(stated) != len(due):
        raise CheckFailedError(f"{len(stated)} are stated, the stream has {len(due)}")
    if stated != due:
        raise UnknownError(f"{len(due)}, as in the stream; reasons are worded otherwise")
    return f"{len(due)}, as in the stream"


def _verdict(bundle: Bundle) -> str:
    stated = JsonValue.parse(bundle.member(contents.VERDICT), contents.VERDICT)
    again = JsonValue(json.loads(json.dumps(report_document.as_json(bundle.verdict))), "verdict")
    for name in _NEEDED:
        stated.member(name)
    for pointer, one, other in _differences(stated, again):
        raise CheckFailedError(f"{pointer} is stated as {one!r}, but computed as {other!r}")
    if stated.value != again.value:
        raise UnknownError(
            f"{report_text.headline(bundle.verdict)}; reasons are worded as by another release"
        )
    return report_text.headline(bundle.verdict)


def _differences(stated: JsonValue, again: JsonValue) -> Iterator[tuple[str, object, object]]:
    """Yield the pointer and both values where two verdicts differ, not only in their wording.

    A verdict of an earlier release may lack members.
    """
    if isinstance(stated.value, dict) and isinstance(again.value, dict):
        for name, one in stated.members():
            if name not in again.value:
                yield one.pointer, one.value, None
            elif name not in _WORDING:
                yield from _differences(one, again.member(name))
    elif isinstance(stated.value, list) and isinstance(again.value, list):
        if len(stated.value) != len(again.value):
            yield stated.pointer, f"{len(stated.value)} items", f"{len(again.value)}"
        for one, other in zip(stated.items(), again.items(), strict=False):
            yield from _differences(one, other)
    elif (type(stated.value), stated.value) != (type(again.value), again.value):
        yield stated.pointer, stated.value, again.value


def _statements(bundle: Bundle) -> str:
    """Compare each field of the manifest with what the other members give."""
    if bundle.plan:
        basis, own = bundle.plan.basis, bundle.guideline
        digest = basis.guideline_sha256 or own.digest  # of a list, an earlier release had none
        planned = (basis.guideline, digest, bundle.plan.programme)
        if planned != (own.id, own.digest, bundle.programme.key):
            raise CheckFailedError(f"the plan is of {basis.guideline}, {bundle.plan.programme}")
    others = {
        name: content
        for name, content in bundle.members.items()
        if name not in (contents.MANIFEST, contents.SIGNATURE)
    }
    stated = bundle.manifest
    due = manifest_of.members(bundle.verdict, bundle.plan, others, anonymous=stated.anonymous)
    names = [field.name for field in dataclasses.fields(stated)]
    compared = [name for name in names if name not in _COMPUTED_APART]
    for name in compared:
        one, other = getattr(stated, name), getattr(due, name)
        if name == "guideline_sha256" and not one:  # of a list, by an earlier release
            continue
        if one != other:
            raise CheckFailedError(f"the manifest has {name} {one!r}, the other members {other!r}")
    return f"{len(compared)} fields of the manifest follow from the other members"


def _attempts(bundle: Bundle) -> str:
    """Compare the stream with the starts of the run that are recorded."""
    if not bundle.attempts:
        raise UnknownError("the bundle records no start of a run")
    starts = [attempt for attempt in bundle.attempts if attempt.asked]
    retries = bundle.verdict.most_retries
    if retries >= max(len(starts), 1):
        raise CheckFailedError(
            f"most repetitions of a test: {retries}, but starts of the run: {len(starts)}"
        )
    _check_times(bundle)
    return f"starts of the run: {len(starts)}; most repetitions of a test: {retries}"


def _check_times(bundle: Bundle) -> None:
    """Check that the tests ran between the first start and the last end.

    :raises CheckFailedError: one did not
    """
    began, ended = bundle.outcomes.began, bundle.outcomes.ended
    first = min(_time(attempt.started, "started") for attempt in bundle.attempts)
    if began and began < first - _TOLERANCE:
        raise CheckFailedError(f"a test ran at {began}, before the run was started at {first}")
    ends = [attempt.ended for attempt in bundle.attempts]
    if not all(ends) or CUT_OFF in ends:
        return
    last = max(_time(end, "ended") for end in ends)
    if ended and ended > last + _TOLERANCE:
        raise CheckFailedError(f"a test ran at {ended}, after the run had ended at {last}")


def _time(text: str, name: str) -> datetime:
    """Return a time of attempts.jsonl.

    :raises CheckFailedError: it is not one, or has no time zone
    """
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise CheckFailedError(f"attempts.jsonl: {name} is not a time: {text!r}") from error
    if not found.tzinfo:
        raise CheckFailedError(f"attempts.jsonl: {name} has no time zone: {text}")
    return found


def _report(bundle: Bundle) -> str:
    """Compare the page with the one that this release makes of the same results."""
    page = bundle.member(contents.REPORT).decode("utf-8")
    due = report_html.page(bundle.verdict, bundle.plan)
    if page == due:
        return "the page is the one that these results give"
    stated, computed = _Header.of(page), _Header.of(due)
    if stated.other_elements:
        raise CheckFailedError(f"the page has an element {stated.other_elements[0]}")
    earlier = report_html.earlier_header(computed.text, bundle.verdict)
    if stated.text not in (computed.text, earlier):
        raise CheckFailedError(f"the page states {stated.text!r}, not {computed.text!r}")
    if report_html.generator() in page:
        raise CheckFailedError("the page differs from the one that these results give")
    raise UnknownError(
        "the page of another release states the same verdict; the rest was not compared: see "
        "refstack-client report"
    )


class _Header(HTMLParser):
    """Reads what the header of a page states: programme, guideline, verdict and number of tests."""

    def __init__(self) -> None:
        super().__init__()
        self.other_elements: list[str] = []
        self._texts: list[str] = []
        self._depth = 0

    @classmethod
    def of(cls, page: str) -> "_Header":
        found = cls()
        found.feed(page)
        found.close()
        return found

    @property
    def text(self) -> str:
        return " ".join(" ".join(self._texts).split())

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag in ("base", "embed", "form", "frame", "iframe", "link", "object", "script"):
            self.other_elements.append(tag)
        self._depth += tag == "header"

    def handle_endtag(self, tag: str) -> None:
        self._depth -= tag == "header"

    def handle_data(self, data: str) -> None:
        if self._depth > 0:
            self._texts.append(data)


def _sbom(bundle: Bundle) -> str:
    manifest = bundle.manifest
    return sbom.check(bundle.member(contents.SBOM), manifest.images, manifest.versions)


CHECKS: Checks = {
    "tempest-list": _tests,
    "outcomes": _outcomes,
    "verdict": _verdict,
    "statements": _statements,
    "attempts": _attempts,
    "report": _report,
}
"""The checks of every bundle, by name."""

OF_IMAGE: Checks = {"sbom": _sbom}
"""The check of a bundle with the packages of an image."""
