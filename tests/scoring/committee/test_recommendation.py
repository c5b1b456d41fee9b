"""Recommendations for the next guideline, and the reasons against."""

import pytest
from support.previous_guideline import CURRENT, FULL, PREVIOUS

from capabilities import catalogue, programme
from scoring.committee import recommendation, worksheet
from scoring.committee.recommendation import Recommended


def recommend(name: str, scores: str = FULL, sticky: str = "0", gate: str = "1"):
    text = f"{name}: {scores.format(sticky=sticky, gate=gate)}"
    (row,) = worksheet.parse(text, "x").rows
    return recommendation.recommend(row, CURRENT, PREVIOUS)


@pytest.mark.parametrize(
    ("name", "recommended", "against"),
    [
        ("old", Recommended.YES, ()),
        ("new", Recommended.YES, ()),
        ("bare", Recommended.NO, ("it has no test",)),
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


def test_2020_06_requires_17_capabilities_below_its_own_cutoff():
    guideline, _ = catalogue.load("2020.06")
    found = recommendation.below_cutoff(programme.find(guideline, "platform"))
    assert len(found) == 17
    assert "volumes-v3-extensions" in {finding.pointer for finding in found}
