"""Only a test's own end passes it: what class fixtures and marked tests add to a verdict."""

import io
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rich.console import Console
from support.streams import StreamWriter

from capabilities import flat_list, programme
from capabilities.guideline import Rule
from capabilities.matching import Index, match
from capabilities.tempest_id import parse as parse_test
from refstack_client.outcomes import document, refstack_json, stream_tools, subunit_stream
from refstack_client.outcomes.run_attempts import Mode
from refstack_client.planning.workers import Workers
from refstack_client.running import resume
from refstack_client.running.progress import RunProgress
from refstack_server.store import packed_outcomes as stored
from refstack_server.store.packed_outcomes import Entry
from scoring.conformance.outcomes import CauseKind, ClassOutcome, Outcome, Outcomes
from scoring.conformance.verdict import Conformance, Verdict, judge

TESTS = tuple(
    f"mod.{name}[id-{number:08d}-1111-1111-1111-111111111111]"
    for number, name in enumerate(("A.one", "A.two", "B.three"))
)
# A subclass of mod.B inherits the test and its id.
TWIN = TESTS[2].replace("mod.B", "mod.B6")
FIXTURES = tuple(
    f"{fixture} (mod.{name})"
    for fixture in ("setUpClass", "tearDownClass")
    for name in ("A", "B", "B6")
)
STATUSES = ("exists", "inprogress", "success", "uxsuccess", "skip", "fail", "xfail")
GUIDELINE = flat_list.parse("\n".join(TESTS), "x", "x.txt")[0]
NONE_FAILED = programme.programmes(GUIDELINE)[0]
CHOSEN = replace(NONE_FAILED, rule=Rule.ALL_PASSED)
PLANNED = {
    test.key: match(test, Index.of(found for each in TESTS if (found := parse_test(each))))
    for test in CHOSEN.wanted_tests()
}
WORST_FIRST = (Conformance.NOT_CONFORMANT, Conformance.INCOMPLETE, Conformance.CONFORMANT)


def content_of(*ends: tuple[str, str]) -> bytes:
    writer = StreamWriter()
    for test_id, status in ends:
        writer.test(test_id, status, traceback="ValueError: no", reason="no feature")
    return writer.content


def verdict_of(*ends: tuple[str, str], by=CHOSEN, matches=None) -> Verdict:
    return judge(by, subunit_stream.parse_appended(io.BytesIO(content_of(*ends))), matches)


def names_with(verdict: Verdict, outcome: Outcome) -> set[str]:
    return {each.test.name for each in verdict.required if each.outcome is outcome}


ALL_PASS = tuple((test, "success") for test in TESTS)
SET_UP = "setUpClass (mod.A)"


def test_successes_of_class_fixtures_alone_pass_nothing():
    verdict = verdict_of((SET_UP, "success"), ("setUpClass (mod.B)", "success"))
    assert verdict.conformance is Conformance.INCOMPLETE
    assert verdict.count(Outcome.NOT_RUN) == 3


def test_a_class_fixture_without_a_start_is_still_a_stream():
    writer = StreamWriter().end(SET_UP, "success")
    assert subunit_stream.parse(writer.content, "x") == Outcomes(())


@pytest.mark.parametrize(
    ("ends", "outcome"),
    [
        ([(SET_UP, "fail"), (SET_UP, "success")], Outcome.FAIL),
        ([(SET_UP, "fail"), (SET_UP, "skip")], Outcome.FAIL),
        ([(SET_UP, "skip"), (SET_UP, "success")], Outcome.SKIP),
        ([(TESTS[0], "fail"), (SET_UP, "success")], Outcome.FAIL),
        ([(TESTS[0], "fail"), (SET_UP, "skip")], Outcome.FAIL),
        ([(TESTS[0], "success"), (SET_UP, "fail"), (SET_UP, "skip")], Outcome.FAIL),
        ([(TESTS[0], "success"), (SET_UP, "skip")], Outcome.SKIP),
        ([(SET_UP, "fail"), (TESTS[0], "success")], Outcome.PASS),
        ([(SET_UP, "xfail"), (SET_UP, "success")], Outcome.FAIL),
    ],
)
def test_a_failure_stands_until_the_test_itself_ran(ends, outcome):
    verdict = verdict_of(*ends)
    assert verdict.required[0].outcome is outcome
    parsed = subunit_stream.parse(content_of(*ends), "x")
    assert resume.last_outcome(TESTS[0], parsed) is outcome
    passes = refstack_json.of_outcomes(parsed, "c").passes
    assert bool(passes) is (outcome is Outcome.PASS)
    failed = TESTS[0] in resume.wanted(TESTS, parsed, Mode.FAILED)
    assert failed is (outcome is Outcome.FAIL)


@pytest.mark.parametrize(
    ("status", "why"),
    [
        ("xfail", "expected failure (xfail): counts as a failure"),
        ("uxsuccess", "unexpected success (uxsuccess): counts as a failure"),
    ],
)
@pytest.mark.parametrize("version", [1, 2])
def test_a_marked_test_is_a_failure_and_says_so(status, why, version):
    ends = [(test, status) for test in TESTS]
    content = content_of(*ends)
    if version == 1:
        content = "".join(f"test: {test}\n{status}: {test}\n" for test in TESTS).encode()
    verdict = judge(CHOSEN, subunit_stream.parse(content, "x"))
    assert verdict.conformance is Conformance.NOT_CONFORMANT
    assert {(each.outcome, each.reason) for each in verdict.required} == {(Outcome.FAIL, why)}
    assert verdict.required[0].cause.kind is CauseKind.TEST


def test_a_final_status_that_is_not_known_is_a_failure():
    collector = subunit_stream.Collector()
    collector.status(test_id=TESTS[0], test_status="splendid")
    (attempt,) = collector.outcomes().attempts
    assert attempt.outcome is Outcome.FAIL
    assert attempt.reason == "unknown status splendid: counts as a failure"


def test_progress_counts_no_test_for_the_success_of_a_class_fixture():
    out = io.StringIO()
    names = [test.partition("[")[0] for test in TESTS]
    progress = RunProgress(Console(file=out, width=200), {"capability": names}, Workers(1))
    for each in ("A", "B"):
        progress.status(test_id=f"setUpClass (mod.{each})", test_status="success")
    assert out.getvalue() == ""
    for test in TESTS:
        progress.status(test_id=test, test_status="xfail")
    assert "capability: 3 fail" in out.getvalue()


def test_attachments_are_those_of_the_failure_and_not_of_a_later_success_of_the_class():
    content = io.BytesIO(content_of((TESTS[0], "fail"), (SET_UP, "success")))
    assert stream_tools.attachments(content, ["mod.A.one"])["traceback"] == "ValueError: no"


def test_a_bundle_names_no_success_of_a_class_fixture():
    parsed = subunit_stream.parse(content_of((SET_UP, "success"), (SET_UP, "skip"), *ALL_PASS), "x")
    rows = [(entry.test, entry.outcome) for entry in document.entries(parsed)]
    assert rows == [(SET_UP, "skip"), *((test, "pass") for test in TESTS)]


@pytest.mark.parametrize("outcome", ["pass", "skip"])
def test_planted_entries_of_class_fixtures_pass_nothing(outcome):
    entries = stored.unpack(
        stored.pack([Entry(TESTS[0], "", "fail"), *(Entry(name, "", outcome) for name in FIXTURES)])
    )
    verdict = judge(CHOSEN, stored.to_outcomes(entries))
    assert verdict.conformance is Conformance.NOT_CONFORMANT
    assert verdict.count(Outcome.PASS) == 0
    assert not {test.partition("[")[0] for test in TESTS} & set(stored.passed(entries))


def test_a_class_outcome_that_passes_cannot_be_made():
    with pytest.raises(ValueError, match="cannot pass"):
        ClassOutcome("mod.A", Outcome.PASS, "", 1)


def test_a_renamed_test_that_passes_after_its_class_failed_passes():
    renamed = {
        CHOSEN.wanted_tests()[2].key: match(CHOSEN.wanted_tests()[2], Index.of([parse_test(TWIN)]))
    }
    ends = (*ALL_PASS[:2], ("setUpClass (mod.B6)", "fail"), (TWIN, "success"))
    assert verdict_of(*ends, matches=renamed).conformance is Conformance.CONFORMANT


def test_a_failed_twin_is_not_hidden_by_a_class_that_skipped():
    failed = (*ALL_PASS[:2], (TWIN, "fail"))
    assert verdict_of(*failed).conformance is Conformance.NOT_CONFORMANT
    hidden = verdict_of(*failed, ("setUpClass (mod.B)", "skip"))
    assert hidden.conformance is Conformance.NOT_CONFORMANT


ENDS = st.tuples(st.sampled_from((*TESTS, TWIN, *FIXTURES)), st.sampled_from(STATUSES))
ADDED = st.tuples(st.integers(0, 8), st.sampled_from(FIXTURES), st.sampled_from(STATUSES))


@given(
    ends=st.lists(ENDS, max_size=8) | st.permutations(ALL_PASS),
    added=st.lists(ADDED, min_size=1, max_size=4),
    matches=st.sampled_from((None, PLANNED)),
    by=st.sampled_from((CHOSEN, NONE_FAILED)),
)
@example([], [(0, SET_UP, "success"), (1, "setUpClass (mod.B)", "success")], None, CHOSEN)
@example([(TESTS[0], "fail")], [(1, SET_UP, "skip")], None, CHOSEN)
@example([(TWIN, "fail")], [(1, "setUpClass (mod.B)", "skip")], None, CHOSEN)
def test_a_class_fixture_never_makes_a_verdict_better(ends, added, matches, by):
    more = list(ends)
    for place, fixture, status in added:
        more.insert(place, (fixture, status))
    before = verdict_of(*ends, by=by, matches=matches)
    after = verdict_of(*more, by=by, matches=matches)
    assert names_with(after, Outcome.PASS) <= names_with(before, Outcome.PASS)
    assert names_with(after, Outcome.FAIL) >= names_with(before, Outcome.FAIL)
    if by is NONE_FAILED and before.count(Outcome.NOT_RUN):
        return  # a class that skips skips its tests, which is good enough for this rule
    assert WORST_FIRST.index(after.conformance) <= WORST_FIRST.index(before.conformance)
    for one, other in zip(before.capabilities, after.capabilities, strict=True):
        assert WORST_FIRST.index(other.conformance) <= WORST_FIRST.index(one.conformance)
