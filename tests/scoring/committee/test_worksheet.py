"""Worksheets: text, totals, CSV."""

import csv
import io
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring.committee import criteria, total, worksheet
from scoring.committee.criteria import NotConsidered
from scoring.committee.total import Standing
from scoring.errors import ScoringError
from scoring.formats import worksheet_csv

CURRENT = criteria.find("2016.08")
TEXT = """\
Title
=====
Capability Name: [Widely Deployed,Used By Tools,Used by Clients],

good:      [1,1,1] [1,1,1] [1,1,0] [1,1,1] [1] [91]*
open:      [?,1,1] [1,1,1] [0,0,0] [0,1,1] [1]
  Notes:
  * a note: with [1,2,3] in it, and a link [4]
gated:     [1,1,1] [1,1,1] [1,1,0] [1,1,1] [0] [0]
tight:\t[1,0,0][0,0,0][0,0,0][0,0,0][1]
"""


def sheet(text: str = TEXT) -> worksheet.Worksheet:
    return worksheet.parse(text, "sheet.txt")


def test_rows_are_found_among_prose():
    assert [(row.capability, row.line, row.printed) for row in sheet().rows] == [
        ("good", 5, "91*"),
        ("open", 6, ""),
        ("gated", 9, "0"),
        ("tight", 10, ""),
    ]
    assert sheet().row("good").cells["sticky"] == "0"


def test_faithful_totals_are_those_the_script_prints():
    totals = {row.capability: total.faithful(row, CURRENT) for row in sheet().rows}
    assert totals == {"good": "91*", "open": "-58", "gated": "0", "tight": "8"}


def test_exact_totals_say_what_is_known():
    found = {row.capability: total.exact(row, CURRENT) for row in sheet().rows}
    assert (found["open"].low, found["open"].high) == (58, 66)
    assert {name: each.standing for name, each in found.items()} == {
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


def test_totals_are_written_and_nothing_else_changes():
    changed = worksheet.with_totals(sheet(), {"good": "1", "open": "-58", "tight": "8"})
    expected = TEXT.replace("[1] [91]*", "[1] [1]").replace("[1]\n  Notes", "[1] [-58]\n  Notes")
    assert changed == expected.replace("[0,0,0][1]\n", "[0,0,0][1] [8]\n")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("x: [1,1,1] [1,1,1] [1,1,1] [1]", r"sheet\.txt:1:4: this row does not have 4 groups"),
        (
            "x: [1,1,1] [1,1,1] [1,a,1] [1,1,1] [1]",
            r'sheet\.txt:1:23: "a" is not a valid score for doc',
        ),
        ("x: [²,1,1] [1,1,1] [1,1,1] [1,1,1] [1]", r'sheet\.txt:1:5: "²" is not a valid score'),
        ("x: [2,1,1] [1,1,1] [1,1,1] [1,1,1] [1]", r'sheet\.txt:1:5: "2" is not a valid score'),
        ("x: [1,1,1] [1,1,1] [1,1,1] [1,1,1] [2]", '"2" is not a valid score for non-admin'),
        ("just prose", "no row of scores"),
        ("", "no row of scores"),
    ],
)
def test_a_fault_is_located(line, message):
    with pytest.raises(ScoringError, match=message):
        sheet(line + "\n")


def test_a_capability_has_one_row():
    with pytest.raises(ScoringError, match="good already has a row in line 5"):
        sheet(TEXT + TEXT.splitlines()[4] + "\n")


CELL = st.sampled_from("01?*")
ROW = st.tuples(
    st.from_regex(r"[a-z][a-z-]{0,12}", fullmatch=True), st.lists(CELL, min_size=13, max_size=13)
)
SHEET = st.lists(ROW, min_size=1, max_size=6, unique_by=lambda row: row[0])


def as_text(rows) -> str:
    lines = []
    for name, cells in rows:
        groups = [f"[{','.join(cells[n : n + 3])}]" for n in (0, 3, 6, 9)]
        lines.append(f"{name}: {' '.join(groups)} [{cells[12]}]\n")
    return "prose\n".join(lines)


@given(rows=SHEET, others=SHEET)
def test_export_import_export_is_byte_identical_and_import_changes_only_cells(rows, others):
    before = sheet(as_text(rows))
    exported = worksheet_csv.export(before.rows, {})
    assert worksheet_csv.read(exported, "x.csv", before) == {}
    known = dict(rows)
    changed = sheet(as_text([(n, cells) for n, cells in others if n in known] or rows))
    changes = worksheet_csv.read(worksheet_csv.export(changed.rows, {}), "x.csv", before)
    after = sheet(worksheet.with_cells(before, changes))
    assert [row.capability for row in after.rows] == [row.capability for row in before.rows]
    assert len(after.text) == len(before.text)
    for row in changed.rows:
        assert after.row(row.capability).cells == row.cells
    again = worksheet_csv.export(after.rows, {})
    assert worksheet_csv.export(sheet(worksheet.with_cells(after, {})).rows, {}) == again


def test_csv_is_read_however_it_was_written():
    exported = worksheet_csv.export(sheet().rows, {"good": "91*"})
    crlf = "\ufeff" + exported.replace("\n", "\r\n")
    assert worksheet_csv.read(crlf, "x", sheet()) == {}
    header, *lines = csv.reader(io.StringIO(exported))
    by_id = [header[0], *worksheet.SLOTS, "total"]
    lines[0][1] = "?"
    short = [["gated", "0"], *lines[:1]]
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL).writerows([by_id, *short])
    assert worksheet_csv.read(out.getvalue(), "x", sheet()) == {"good": {"deployed": "?"}}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("Capability,doc\n" + "x" * 200_000, "x:2: not valid CSV: field larger than field limit"),
        ("Capability,Nonsense\n", "x:1:2: unknown criterion Nonsense"),
        ("Capability,doc,Documented\n", "x:1:3: duplicate column Documented"),
        ("Capability,doc,tools\nnobody,1,1\n", "x:2:1: the worksheet has no row nobody"),
        ("Capability,doc,tools\ngood,1,7\n", 'x:2:3: "7" is not a valid score for tools'),
        ("Capability,doc,tools\ngood,1,1\ngood,1,1\n", "x:3:1: good is already in line 2"),
        ("Capability,doc,tools\ngood,1,1,1\n", "x:2: 4 fields where the header has 3"),
    ],
)
def test_a_csv_that_is_not_understood_is_refused_with_its_place(text, message):
    with pytest.raises(ScoringError, match=message):
        worksheet_csv.read(text, "x", sheet())


PUBLISHED = {"scoring": "2016.08", "scoring_dns": "add-on", "scoring_orchestration": "add-on"}


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_worksheets_round_trip_and_change_in_nothing_but_totals(shared, name):
    text = shared(f"published/worksheets/{name}.txt").read_text()
    read = worksheet.parse(text, name)
    chosen = criteria.find(PUBLISHED[name])
    totals = {row.capability: total.faithful(row, chosen) for row in read.rows}
    again = worksheet.with_totals(read, totals)
    if name == "scoring":
        assert len(read.rows) == 140
        assert again == text
    else:
        # Printed by hand: 64 where the considered criteria give 66.
        assert {row.printed for row in read.rows} == {"64"}
        assert {int(total.exact(row, chosen).low) for row in read.rows} >= {66}
        assert again.replace("[-66]", "[64]") == text


def test_the_published_tabulation_is_reproduced_but_for_rows_it_cut_short(shared):
    read = worksheet.parse(shared("published/worksheets/scoring.txt").read_text(), "x")
    lines = shared("published/worksheets/tabulated_scores.csv").read_text().splitlines()
    published = {line.split(",")[0]: line.split(",")[1:] for line in lines[1:]}
    differing = set()
    for row in read.rows:
        ours = [*(row.cells[slot] for slot in worksheet.SLOTS), total.faithful(row, CURRENT)]
        if published[row.capability] != ours:
            differing.add(row.capability)
            assert published[row.capability] == ["0"]
            assert row.cells["non-admin"] == "0"
    assert len(published) == len(read.rows)
    assert len(differing) == 4


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
