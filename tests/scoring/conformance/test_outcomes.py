"""Outcomes of tests: which attempt decides, and what belongs to one test."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capabilities.tempest_id import TestId
from scoring.conformance.outcomes import (
    Attempt,
    Call,
    ClassOutcome,
    Outcome,
    Outcomes,
    deciding,
)

TEST = TestId("m.C.one[id-1]", "m.C.one", "id-1")
OTHER = TestId("m.C.two[id-2]", "m.C.two", "id-2")


def attempt(outcome: Outcome, order: int = 0, test: TestId = TEST) -> Attempt:
    return Attempt(test, outcome, f"attempt {order}", order)


def set_up(outcome: Outcome, order: int = 0, class_name: str = "m.C") -> ClassOutcome:
    return ClassOutcome(class_name, outcome, f"set-up {order}", order)


ATTEMPTS = st.sampled_from((Outcome.PASS, Outcome.FAIL, Outcome.SKIP)).map(attempt)
RAN = st.sampled_from((Outcome.PASS, Outcome.FAIL)).map(attempt)
SET_UPS = st.sampled_from((Outcome.FAIL, Outcome.SKIP)).map(set_up)


def test_outcomes_are_ordered_from_the_worst_to_a_pass():
    assert sorted(Outcome, key=lambda outcome: outcome.badness) == [
        Outcome.FAIL,
        Outcome.MISSING,
        Outcome.NOT_RUN,
        Outcome.SKIP,
        Outcome.PASS,
    ]


def test_without_an_attempt_nothing_decides():
    assert deciding(()) is None


@given(history=st.lists(ATTEMPTS), last=RAN)
def test_the_last_attempt_that_ran_decides(history, last):
    assert deciding((*history, last)) is last


@given(history=st.lists(ATTEMPTS))
def test_an_attempt_that_skips_hides_no_failure(history):
    skipped = deciding((*history, attempt(Outcome.FAIL), attempt(Outcome.SKIP)))
    assert skipped.outcome is Outcome.FAIL
    skipped = deciding((*history, attempt(Outcome.PASS), attempt(Outcome.SKIP)))
    assert skipped.outcome is Outcome.SKIP


@given(history=st.lists(ATTEMPTS | SET_UPS), last=RAN, later=st.lists(SET_UPS))
def test_a_later_set_up_never_makes_a_test_better_and_earlier_events_do_not_matter(
    history, last, later
):
    decided = deciding((*history, last, *later))
    assert decided == deciding((last, *later))
    worst = min(event.outcome.badness for event in (last, *later))
    assert decided.outcome.badness == worst <= last.outcome.badness


@given(later=st.lists(SET_UPS, min_size=1))
def test_without_an_attempt_the_worst_set_up_decides(later):
    worst = min(event.outcome.badness for event in later)
    assert deciding(later).outcome.badness == worst


def test_a_set_up_cannot_pass():
    with pytest.raises(ValueError, match=r"setUpClass \(m\.C\)"):
        set_up(Outcome.PASS)


def test_the_history_of_a_test_has_its_attempts_and_the_set_ups_of_its_class_in_order():
    outcomes = Outcomes(
        (attempt(Outcome.FAIL, 3), attempt(Outcome.PASS, 1), attempt(Outcome.PASS, 0, OTHER)),
        (set_up(Outcome.SKIP, 2), set_up(Outcome.FAIL, 4, "m.D")),
    )
    history = outcomes.history(TEST.full, TEST.class_name)
    assert [event.order for event in history] == [1, 2, 3]
    assert [event.order for event in outcomes.history("", "m.C")] == [2]
    assert outcomes.history("m.C.three", "m.E") == ()


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (Call("GET", "/v2/x", 404), "GET /v2/x answered 404"),
        (Call("POST", "/v2/x", 500, "req-1"), "POST /v2/x answered 500 (req-1)"),
    ],
)
def test_a_call_is_shown_with_its_request_id(call, text):
    assert str(call) == text
