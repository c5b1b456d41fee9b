"""Several scorers as one."""

from hypothesis import given
from hypothesis import strategies as st

from scoring.committee import merge_scorers, worksheet
from scoring.committee.worksheet import SLOTS

CELLS = st.lists(st.sampled_from("01?*"), min_size=13, max_size=13)


def sheet(*rows: list[str]) -> worksheet.Worksheet:
    lines = []
    for number, cells in enumerate(rows):
        groups = [",".join(cells[start : start + 3]) for start in (0, 3, 6, 9)]
        lines.append(f"row-{number}: " + " ".join(f"[{group}]" for group in (*groups, cells[12])))
    return worksheet.parse("\n".join(lines), "x")


@given(CELLS, CELLS, CELLS)
def test_a_merged_cell_is_what_all_agree_on_or_a_question_mark(one, two, three):
    sheets = {"a": sheet(one), "b": sheet(two), "c": sheet(three)}
    found = merge_scorers.disagreements(sheets)
    (row,) = worksheet.parse(merge_scorers.merged(sheets["a"], found), "x").rows
    for slot, texts in zip(SLOTS, zip(one, two, three, strict=True), strict=True):
        assert row.cells[slot] == (texts[0] if len(set(texts)) == 1 else "?")
    differing = {cell.criterion: tuple(cell.cells.values()) for cell in found}
    assert all(len(set(texts)) > 1 for texts in differing.values())


def test_a_scorer_without_the_row_does_not_disagree():
    one, two = ["1"] * 13, ["0"] * 13
    assert merge_scorers.disagreements({"a": sheet(one, two), "b": sheet(one)}) == ()
