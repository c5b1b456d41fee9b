"""The verdict as a function of programme and outcomes."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capabilities import programme as programmes
from capabilities.guideline import (
    Capability,
    Component,
    Flag,
    Guideline,
    Platform,
    Rule,
    Status,
    Test,
)
from capabilities.matching import Match, MatchKind
from capabilities.programme import Programme
from capabilities.tempest_id import TestId
from scoring.conformance.outcomes import Attempt, ClassOutcome, Outcome, Outcomes
from scoring.conformance.verdict import Conformance, judge

PASS, FAIL, SKIP = Outcome.PASS, Outcome.FAIL, Outcome.SKIP
NOT_RUN, MISSING = Outcome.NOT_RUN, Outcome.MISSING
ONE, TWO, THREE = Test("m.C.one", "id-1"), Test("m.C.two", "id-2"), Test("m.D.three", "id-3")
FLAGGED = Test("m.C.flagged", "id-9", flag=Flag("[D401]"))


def programme(**capabilities: tuple[Status, tuple[Test, ...]]) -> Programme:
    guideline = Guideline(
        id="x",
        schema="2.0",
        status="",
        releases=(),
        platforms=(Platform("OpenStack Powered Thing", "", ("c",)),),
        components={
            "c": Component(
                "c",
                {
                    status: tuple(k for k, (its, _) in capabilities.items() if its is status)
                    for status in Status
                },
            )
        },
        capabilities={
            key: Capability(key, tests=tests) for key, (_, tests) in capabilities.items()
        },
    )
    return programmes.find(guideline, "thing")


THING = programme(
    cap=(Status.REQUIRED, (ONE, TWO, FLAGGED)),
    other=(Status.REQUIRED, (THREE,)),
    maybe=(Status.ADVISORY, (Test("m.E.four", "id-4"),)),
)


def outcomes(
    *pairs: tuple[str, Outcome], classes: tuple[ClassOutcome, ...] = (), **more
) -> Outcomes:
    """Each pair is ``name id`` (or a test's full name) and its outcome, in order."""
    attempts = []
    for order, (text, outcome) in enumerate(pairs):
        name, _, idempotent_id = text.partition(" ")
        test = TestId(text, name, idempotent_id or None)
        attempts.append(Attempt(test, outcome, f"why {name}", order))
    return Outcomes(tuple(attempts), classes, **more)


def all_passed() -> list[tuple[str, Outcome]]:
    return [("m.C.one id-1", PASS), ("m.C.two id-2", PASS), ("m.D.three id-3", PASS)]


def outcome_of(verdict, test: Test) -> Outcome:
    return next(found.outcome for found in verdict.required if found.test.key == test.key)


def test_all_unflagged_required_tests_passed_is_conformant():
    verdict = judge(THING, outcomes(*all_passed(), ("m.C.flagged id-9", FAIL)))
    assert verdict.conformance is Conformance.CONFORMANT
    assert (len(verdict.required), verdict.count(PASS), verdict.flagged) == (3, 3, 1)


@pytest.mark.parametrize(
    ("outcome", "conformance"),
    [(FAIL, Conformance.NOT_CONFORMANT), (SKIP, Conformance.INCOMPLETE)],
)
def test_one_test_decides(outcome, conformance):
    verdict = judge(THING, outcomes(*all_passed()[:2], ("m.D.three id-3", outcome)))
    assert verdict.conformance is conformance


def test_a_failure_weighs_more_than_what_was_not_run():
    verdict = judge(THING, outcomes(("m.C.one id-1", FAIL)))
    assert verdict.conformance is Conformance.NOT_CONFORMANT
    assert verdict.count(NOT_RUN) == 2


def test_nothing_run_is_incomplete():
    assert judge(THING, Outcomes(())).conformance is Conformance.INCOMPLETE


def test_a_programme_without_a_countable_test_is_never_conformant():
    empty = programme(cap=(Status.REQUIRED, (FLAGGED,)))
    assert judge(empty, outcomes(("m.C.flagged id-9", PASS))).conformance is Conformance.INCOMPLETE


def test_a_vacuous_capability_is_listed_and_refused_only_when_strict():
    vacuous = programme(cap=(Status.REQUIRED, (ONE,)), empty=(Status.REQUIRED, (FLAGGED,)))
    passed = outcomes(("m.C.one id-1", PASS))
    assert [part.capability.id for part in judge(vacuous, passed).vacuous] == ["empty"]
    assert judge(vacuous, passed).conformance is Conformance.CONFORMANT
    assert judge(vacuous, passed, strict=True).conformance is Conformance.INCOMPLETE


def test_advisory_capabilities_are_shown_and_do_not_count():
    verdict = judge(THING, outcomes(*all_passed(), ("m.E.four id-4", FAIL)))
    assert verdict.conformance is Conformance.CONFORMANT
    shown = {part.capability.id: part.conformance for part in verdict.capabilities}
    assert shown["maybe"] is Conformance.NOT_CONFORMANT


@pytest.mark.parametrize("outcome", [FAIL, SKIP])
def test_a_class_outcome_is_that_of_each_of_its_tests(outcome):
    fixture = ClassOutcome("m.C", outcome, "no such service", 7)
    verdict = judge(THING, outcomes(("m.D.three id-3", PASS), classes=(fixture,)))
    assert outcome_of(verdict, ONE) is outcome_of(verdict, TWO) is outcome
    assert {test.reason for test in verdict.required} == {"no such service", "why m.D.three"}


def test_a_twin_that_inherits_the_id_does_not_stand_in_for_a_class_that_failed():
    fixture = ClassOutcome("m.D", FAIL, "broken", 7)
    twin = ("m.D6.three id-3", PASS)
    verdict = judge(THING, outcomes(*all_passed()[:2], twin, classes=(fixture,)))
    assert outcome_of(verdict, THREE) is FAIL


def test_a_twin_does_not_stand_in_for_a_planned_test_that_did_not_run():
    planned = {
        THREE.key: Match(THREE, MatchKind.EXACT, (TestId("m.D.three", "m.D.three", "id-3"),))
    }
    verdict = judge(THING, outcomes(*all_passed()[:2], ("m.D6.three id-3", PASS)), planned)
    assert outcome_of(verdict, THREE) is NOT_RUN


def test_a_renamed_test_is_judged_by_its_id_and_says_so():
    verdict = judge(THING, outcomes(*all_passed()[:2], ("m.New.three id-3", PASS)))
    assert verdict.conformance is Conformance.CONFORMANT
    (renamed,) = (found for found in verdict.required if found.test is THREE)
    assert "ran as m.New.three" in renamed.reason


def test_a_test_missing_from_the_plan_is_missing():
    planned = {THREE.key: Match(THREE, MatchKind.MISSING, ())}
    verdict = judge(THING, outcomes(*all_passed()[:2]), planned)
    assert outcome_of(verdict, THREE) is MISSING
    assert verdict.conformance is Conformance.INCOMPLETE


def test_every_scenario_of_a_test_counts():
    pairs = [*all_passed()[:2], ("m.D.three id-3 (a)", PASS), ("m.D.three id-3 (b)", FAIL)]
    attempts = tuple(
        Attempt(TestId(text, text.split()[0], text.split()[1]), outcome, "", order)
        for order, (text, outcome) in enumerate(pairs)
    )
    assert judge(THING, Outcomes(attempts)).conformance is Conformance.NOT_CONFORMANT


def test_the_last_attempt_decides_and_all_are_kept():
    verdict = judge(THING, outcomes(("m.C.one id-1", FAIL), *all_passed()))
    (retried,) = (found for found in verdict.required if found.test is ONE)
    assert retried.attempts == (FAIL, PASS)
    assert retried.reason == "passed at attempt 2"
    assert verdict.conformance is Conformance.CONFORMANT
    worse = judge(THING, outcomes(*all_passed(), ("m.C.one id-1", FAIL)))
    assert worse.conformance is Conformance.NOT_CONFORMANT


def test_a_test_that_started_and_did_not_end_says_so():
    started = TestId("m.D.three id-3", "m.D.three", "id-3")
    verdict = judge(THING, outcomes(*all_passed()[:2], unfinished=(started,)))
    (open_one,) = (found for found in verdict.required if found.test is THREE)
    assert open_one.outcome is NOT_RUN
    assert "started" in open_one.reason


RANK = [Conformance.NOT_CONFORMANT, Conformance.INCOMPLETE, Conformance.CONFORMANT]
RUN = st.lists(
    st.tuples(
        st.sampled_from(["m.C.one id-1", "m.C.two id-2", "m.D.three id-3", "m.C.flagged id-9"]),
        st.sampled_from([PASS, FAIL, SKIP]),
    ),
    max_size=6,
    unique_by=lambda pair: pair[0],
)


@given(run=RUN, data=st.data())
def test_removing_a_pass_never_improves_the_verdict(run, data):
    passes = [pair for pair in run if pair[1] is PASS]
    if passes:
        removed = data.draw(st.sampled_from(passes))
        less = judge(THING, outcomes(*(pair for pair in run if pair != removed)))
        more = judge(THING, outcomes(*run))
        assert RANK.index(less.conformance) <= RANK.index(more.conformance)


@given(run=RUN)
def test_every_counted_test_has_exactly_one_outcome(run):
    verdict = judge(THING, outcomes(*run))
    assert sum(verdict.count(outcome) for outcome in Outcome) == len(verdict.required) == 3


def test_an_add_on_is_no_better_than_what_it_stands_on():
    base = programme(base=(Status.REQUIRED, (ONE,)))
    addon = replace(programme(extra=(Status.REQUIRED, (TWO,))), bases=(base,))
    both = outcomes(("m.C.one id-1", PASS), ("m.C.two id-2", PASS))
    assert judge(addon, both).conformance is Conformance.CONFORMANT
    alone = judge(addon, outcomes(("m.C.two id-2", PASS)))
    assert alone.conformance is Conformance.INCOMPLETE
    assert (len(alone.required), alone.count(PASS)) == (1, 1)
    broken = judge(addon, outcomes(("m.C.one id-1", FAIL), ("m.C.two id-2", PASS)))
    assert broken.conformance is Conformance.NOT_CONFORMANT


@pytest.mark.parametrize(
    ("outcomes_of", "conformance"),
    [
        ((PASS, SKIP), Conformance.CONFORMANT),
        ((PASS, FAIL), Conformance.NOT_CONFORMANT),
        ((SKIP, SKIP), Conformance.INCOMPLETE),
        ((PASS,), Conformance.INCOMPLETE),
    ],
)
def test_of_a_list_none_may_fail_and_something_must_pass(outcomes_of, conformance):
    listed = replace(programme(cap=(Status.REQUIRED, (ONE, TWO))), rule=Rule.NONE_FAILED)
    names = ("m.C.one id-1", "m.C.two id-2")
    run = outcomes(*zip(names, outcomes_of, strict=False))
    assert judge(listed, run).conformance is conformance
