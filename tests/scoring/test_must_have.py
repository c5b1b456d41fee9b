"""What is recommended for the next guideline, and why not."""

import pytest

from capabilities import programme
from capabilities.guideline import Capability, Component, Flag, Guideline, Platform, Status, Test
from scoring import criteria, must_have, worksheet
from scoring.must_have import Recommended

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


def test_what_was_required_and_nobody_scored_is_named():
    rows = worksheet.parse("new: [1,1,1] [1,1,1] [1,1,0] [1,1,1] [1]", "x").rows
    assert must_have.required_without_a_row(rows, PREVIOUS) == ("old",)
