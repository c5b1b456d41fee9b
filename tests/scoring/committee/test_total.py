"""Totals as the published script prints them, and as intervals."""

from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.worksheets import CURRENT, as_text, sheet

from scoring.committee import criteria, total, worksheet
from scoring.committee.criteria import GATE, NotConsidered
from scoring.committee.total import Standing
from scoring.errors import ScoringError

DECIDED = st.lists(st.sampled_from("01"), min_size=12, max_size=12)


def row_of(cells: list[str], gate: str = "1") -> worksheet.Row:
    return sheet(as_text([("x", [*cells, gate])])).rows[0]


def test_faithful_totals_are_those_the_script_prints():
    totals = {row.capability: total.faithful(row, CURRENT) for row in sheet().rows}
    assert totals == {"good": "91*", "open": "-58", "gated": "0", "tight": "8"}


def test_exact_totals_say_what_is_known():
    found = {row.capability: total.exact(row, CURRENT) for row in sheet().rows}
    assert (found["open"].low, found["open"].high) == (58, 66)
    assert {name: found_total.standing for name, found_total in found.items()} == {
        "good": Standing.IN,
        "open": Standing.OUT,
        "gated": Standing.OUT,
        "tight": Standing.OUT,
    }


def test_an_undecided_gate_leaves_a_row_open_and_stops_only_the_faithful_mode():
    row = sheet("x: [1,1,1] [1,1,1] [1,1,1] [1,1,1] [?]\n").rows[0]
    assert total.exact(row, CURRENT).standing is Standing.OPEN
    with pytest.raises(ScoringError, match="Non-Admin of x"):
        total.faithful(row, CURRENT)


def test_a_finer_scale_gives_comparable_totals():
    graded = criteria.CriteriaSet("graded", CURRENT.weights, 74, highest=5)
    text = "x: [5,5,5] [5,5,5] [5,5,5] [5,5,5] [1]\ny: [1,1,1] [1,1,1] [1,1,1] [1,1,1] [1]\n"
    full, fifth = worksheet.parse(text, "x", highest=5).rows
    assert total.exact(full, graded).low == 100
    assert total.exact(fifth, graded).low == 20


def test_a_star_under_a_weight_counts_what_the_policy_says():
    (row,) = worksheet.parse("a: [*,1,1] [1,1,1] [1,0,0] [1,1,1] [1]", "x").rows
    zero = total.exact(row, CURRENT)
    opened = total.exact(row, replace(CURRENT, not_considered=NotConsidered.OPEN))
    assert (zero.low, zero.high, zero.standing) == (75, 75, total.Standing.IN)
    assert (opened.low, opened.high) == (75, 83)
    without = criteria.find("add-on")
    assert total.exact(row, without) == total.exact(
        row, replace(without, not_considered=NotConsidered.OPEN)
    )


@given(cells=DECIDED)
def test_both_modes_agree_on_a_decided_row(cells):
    row = row_of(cells)
    exact = total.exact(row, CURRENT)
    assert exact.low == exact.high
    star = "*" if exact.standing is Standing.IN else ""
    assert total.faithful(row, CURRENT) == f"{exact.low}{star}"
    assert exact.standing is (Standing.IN if exact.low >= 74 else Standing.OUT)


@given(cells=DECIDED, undecided=st.sets(st.integers(0, 11), max_size=4))
def test_the_interval_is_that_of_all_ways_to_decide(cells, undecided):
    unknown = [*cells]
    for place in undecided:
        unknown[place] = "?"
    found = total.exact(row_of(unknown), CURRENT)
    totals = []
    for scores in product("01", repeat=len(undecided)):
        decided = [*unknown]
        for place, score in zip(undecided, scores, strict=True):
            decided[place] = score
        totals.append(total.exact(row_of(decided), CURRENT).low)
    assert (found.low, found.high) == (min(totals), max(totals))
    sides = {known >= CURRENT.cutoff for known in totals}
    expected = {(True,): Standing.IN, (False,): Standing.OUT, (False, True): Standing.OPEN}
    assert found.standing is expected[tuple(sorted(sides))]


@given(cells=DECIDED)
def test_no_score_matters_behind_the_gate(cells):
    row = row_of(cells, gate="0")
    assert total.exact(row, CURRENT) == total.Total(0, 0, Standing.OUT)
    assert total.faithful(row, CURRENT) == "0"


def test_the_cutoff_is_inclusive_and_without_one_every_row_is_open():
    row = row_of(list("101111110011"))
    points = total.exact(row, CURRENT).low
    at = replace(CURRENT, cutoff=int(points))
    above = replace(CURRENT, cutoff=int(points) + 1)
    assert total.exact(row, at).standing is Standing.IN
    assert total.exact(row, above).standing is Standing.OUT
    assert total.exact(row, replace(CURRENT, cutoff=None)).standing is Standing.OPEN
    assert total.faithful(row, at) == f"{points}*"
    assert total.faithful(row, replace(CURRENT, cutoff=None)) == f"{points}"


@pytest.mark.parametrize(("name", "most", "cutoff"), [("2016.08", 100, 74), ("add-on", 75, 60)])
def test_a_row_that_meets_everything_has_all_points(name, most, cutoff):
    chosen = criteria.find(name)
    row = row_of(["1"] * 12)
    assert (total.exact(row, chosen).low, chosen.most, chosen.cutoff) == (most, most, cutoff)
    assert row.cells[GATE] == "1"
