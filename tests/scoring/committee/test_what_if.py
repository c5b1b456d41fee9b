"""What would change a row's standing."""

from dataclasses import replace
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.committee import criteria, sensitivity, what_if, worksheet
from scoring.committee.total import Standing, exact
from scoring.errors import ScoringError

CURRENT = criteria.find("2016.08")


def rows(*cells: str) -> tuple[worksheet.Row, ...]:
    lines = []
    for number, text in enumerate(cells):
        groups = " ".join(f"[{','.join(text[n : n + 3])}]" for n in (0, 3, 6, 9))
        lines.append(f"row-{number}: {groups} [{text[12]}]")
    return worksheet.parse("\n".join(lines), "x").rows


CELLS = st.text("01", min_size=12, max_size=12).map(lambda text: text + "1")


def test_rows_that_change_sides_are_listed():
    before = rows("1111110110111", "1111111110111")
    stricter = what_if.reweighted(CURRENT, {}, 90)
    assert [exact(row, CURRENT).low for row in before] == [83, 91]
    (left,) = what_if.compare(before, before, CURRENT, stricter)
    assert (left.capability, left.before.standing, left.after.standing) == (
        "row-0",
        Standing.IN,
        Standing.OUT,
    )


def test_unknown_names_are_refused():
    with pytest.raises(ScoringError, match="no criterion nonsense"):
        what_if.reweighted(CURRENT, {"nonsense": 1}, None)
    with pytest.raises(ScoringError, match="cannot be negative: -1"):
        what_if.reweighted(CURRENT, {"doc": -1}, None)
    sheet = worksheet.Worksheet("", rows("1" * 13))
    with pytest.raises(ScoringError, match="no row unknown"):
        what_if.rescored(sheet, {"unknown": {"doc": "0"}})
    with pytest.raises(ScoringError, match="no criterion nonsense"):
        what_if.rescored(sheet, {"row-0": {"nonsense": "0"}})


def flipped(row: worksheet.Row, flip: what_if.Flip) -> Standing:
    kind, _, name = flip.what.partition(" of ")
    if kind == "cutoff":
        return exact(row, replace(CURRENT, cutoff=flip.value)).standing
    if kind == "weight":
        return exact(row, what_if.reweighted(CURRENT, {name: int(flip.value)}, None)).standing
    cells = MappingProxyType({**row.cells, name: str(flip.value)})
    return exact(replace(row, cells=cells), CURRENT).standing


@given(cells=CELLS)
def test_each_flip_flips_and_one_less_does_not(cells):
    (row,) = rows(cells)
    standing = exact(row, CURRENT).standing
    for flip in what_if.flips(row, CURRENT):
        assert flipped(row, flip) is not standing
        if not flip.what.startswith("score"):
            step = 1 if flip.value < _now(flip) else -1
            assert flipped(row, replace(flip, value=int(flip.value) + step)) is standing


def _now(flip: what_if.Flip) -> int:
    kind, _, name = flip.what.partition(" of ")
    return CURRENT.cutoff if kind == "cutoff" else CURRENT.weights[name]


def test_gated_and_open_rows_have_nothing_to_flip():
    gated, open_row = rows("1" * 12 + "0", "?????11110111")
    assert what_if.flips(gated, CURRENT) == ()
    assert exact(open_row, CURRENT).standing is Standing.OPEN
    assert what_if.flips(open_row, CURRENT) == ()


def test_sensitivity_is_the_same_for_the_same_seed_and_sane_at_the_ends():
    read = rows("1" * 13, "0" * 12 + "1", "1" * 12 + "0", "1111110110111")
    found = sensitivity.analyse(read, CURRENT, draws=5000, seed=3)
    assert [found.rows[f"row-{number}"].share for number in range(3)] == [1.0, 0.0, 0.0]
    assert 0 < found.rows["row-3"].share < 1
    assert sensitivity.analyse(read, CURRENT, draws=5000, seed=3) == found
    other = sensitivity.analyse(read, CURRENT, draws=5000, seed=4)
    assert other.rows != found.rows
    assert [row.total for row in found.rows.values()] == [100, 0, 0, 83]


@given(cells=CELLS)
def test_totals_of_the_analysis_are_the_exact_ones(cells):
    read = rows(cells)
    found = sensitivity.analyse(read, CURRENT, draws=1).rows["row-0"]
    assert found.total == exact(read[0], CURRENT).low
    assert found.margin == found.total - CURRENT.cutoff


def test_a_criterion_left_out_or_doubled_moves_rows_over_the_cutoff():
    read = rows("1111110110111", "0001111111111", "1" * 12 + "0")
    effects = sensitivity.by_criterion(read, CURRENT)
    assert list(effects) == list(CURRENT.weights)
    assert {name: effect.weight for name, effect in effects.items()} == dict(CURRENT.weights)
    assert [effects["deployed"].met, effects["doc"].met] == [0.5, 1.0]
    # Without deployed the second row has 76 of 92, and 74 of 100 asks for 68.1.
    assert (effects["deployed"].without, effects["deployed"].doubled) == (2, 1)


def test_no_row_gives_no_effect():
    assert sensitivity.analyse((), CURRENT, draws=10).rows == {}
    assert sensitivity.by_criterion((), CURRENT)["doc"].met == 0.0
