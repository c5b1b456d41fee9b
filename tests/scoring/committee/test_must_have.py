"""What is recommended for the next guideline, and why not."""

import pytest

from capabilities import catalogue, programme
from capabilities.finding import Severity
from capabilities.guideline import Capability, Component, Flag, Guideline, Platform, Status, Test
from scoring.committee import criteria, must_have, worksheet
from scoring.committee.decisions import Decision
from scoring.committee.must_have import Recommended

CURRENT = criteria.find("2016.08")
ONE = Test("m.C.one", "id-1")
FLAGGED = Test("m.C.two", "id-2", flag=Flag("[D401]"))
TESTS = {"old": (ONE,), "new": (ONE,), "bare": (), "flagged": (FLAGGED,), "gone": (ONE,)}
PREVIOUS = programme.find(
    Guideline(
        id="2019.11",
        schema="2.0",
        status="approved",
        releases=(),
        platforms=(Platform("Thing", "", ("c",)),),
        components={
            "c": Component(
                "c",
                {
                    Status.REQUIRED: ("old",),
                    Status.ADVISORY: ("new", "bare", "flagged"),
                    Status.DEPRECATED: ("gone",),
                },
            )
        },
        capabilities={name: Capability(name, tests=tests) for name, tests in TESTS.items()},
    ),
    "thing",
)
FULL = "[1,1,1] [1,1,1] [1,1,{sticky}] [1,1,1] [{gate}]"


def recommend(name: str, scores: str = FULL, sticky: str = "0", gate: str = "1"):
    text = f"{name}: {scores.format(sticky=sticky, gate=gate)}"
    (row,) = worksheet.parse(text, "x").rows
    return must_have.recommend(row, CURRENT, PREVIOUS)


@pytest.mark.parametrize(
    ("name", "recommended", "against"),
    [
        ("old", Recommended.YES, ()),
        ("new", Recommended.YES, ()),
        ("bare", Recommended.NO, ("no test that counts",)),
        ("flagged", Recommended.NO, ("every test is flagged",)),
        (
            "gone",
            Recommended.NO,
            ("deprecated in 2019.11: must be advisory first (2017A A3.2)",),
        ),
        (
            "unknown",
            Recommended.NO,
            ("not listed in 2019.11: must be advisory first (2017A A3.2)",),
        ),
    ],
)
def test_the_process_decides_beside_the_score(name, recommended, against):
    found = recommend(name, sticky="1" if name == "old" else "0")
    assert (found.recommended, found.against) == (recommended, against)
    assert found.sticky == ""


def test_a_low_score_the_gate_and_open_cells_decide():
    low = recommend("new", "[0,0,0] [1,1,1] [1,1,0] [1,1,1] [1]")
    assert low.against == ("at most 67 points, 74 needed",)
    assert recommend("new", gate="0").against == ("needs an admin",)
    assert recommend("new", "[?,?,?] [1,1,1] [1,1,0] [1,1,1] [1]").recommended is Recommended.OPEN


def test_sticky_is_derived_from_the_guideline_before():
    assert recommend("old", sticky="0").sticky == "1"
    assert recommend("new", sticky="1").sticky == "0"


def propose(text: str, **decided: str) -> must_have.Proposal:
    rows = worksheet.parse(text, "x").rows
    decisions = {
        name: Decision(name, status, "it is time", "alice", "2026-11-20")
        for name, status in decided.items()
    }
    return must_have.propose(rows, CURRENT, PREVIOUS, decisions)


NEW = "new: [1,1,1] [1,1,1] [1,1,0] [1,1,1] [1]\n"
OLD_LOW = "old: [0,0,0] [0,1,1] [1,1,1] [1,1,1] [1]\n"
UNHEARD = "unheard: [1,1,1] [1,1,1] [1,1,0] [1,1,1] [1]\n"


def test_what_is_recommended_enters_and_what_nobody_decided_stays():
    found = propose(NEW + OLD_LOW + UNHEARD)
    assert found.statuses["new"] is Status.REQUIRED
    assert found.statuses["old"] is Status.REQUIRED
    assert "unheard" not in found.statuses
    assert list(found.changes()) == [("new", "advisory", "required")]
    (kept,) = (each for each in found.findings if each.severity is Severity.WARNING)
    assert (kept.pointer, kept.code) == ("old", "required-and-not-recommended")


def test_a_decision_wins_over_the_recommendation_and_the_gap_is_told():
    found = propose(NEW + OLD_LOW, new="advisory", old="deprecated")
    assert (found.statuses["new"], found.statuses["old"]) == (Status.ADVISORY, Status.DEPRECATED)
    codes = {each.pointer: each.code for each in found.findings if each.severity != "note"}
    assert codes == {"new": "left-out-against-the-score"}
    assert propose(OLD_LOW, old="required").findings[0].code == "required-against-the-score"


@pytest.mark.parametrize(
    ("decided", "code"),
    [
        ({"gone": "required"}, "required-not-advisory-before"),
        ({"old": "removed"}, "removed-not-deprecated-before"),
        ({"nobody": "advisory"}, "decision-on-nothing"),
    ],
)
def test_a_decision_the_process_forbids_is_an_error(decided, code):
    errors = [each for each in propose(NEW, **decided).findings if each.severity == "error"]
    assert [each.code for each in errors] == [code]


def test_what_was_required_and_nobody_scored_is_named():
    codes = [(each.pointer, each.code) for each in propose(NEW).findings]
    assert codes == [("old", "required-without-a-row")]


def test_undecided_cells_are_open_questions():
    questions = list(propose("new: [?,1,1] [1,1,1] [1,1,0] [1,1,1] [1]").open_questions())
    assert questions == [("new", "deployed", "not scored yet, or needs discussion")]


def test_2020_06_requires_17_capabilities_below_its_own_cutoff():
    guideline, _ = catalogue.load("2020.06")
    found = must_have.below_cutoff(programme.find(guideline, "platform"))
    assert len(found) == 17
    assert "volumes-v3-extensions" in {each.pointer for each in found}


def test_an_admin_capability_that_was_required_is_proposed_deprecated():
    guideline, _ = catalogue.load("2020.06")
    previous = programme.find(guideline, "compute")
    found = must_have.propose(worksheet.parse(NEW, "x").rows, CURRENT, previous, {})
    changes = {name: status for name, _, status in found.changes()}
    assert changes == {"networks-l3-router": "deprecated", "networks-l3-CRUD": "deprecated"}
