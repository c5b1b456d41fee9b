"""Worksheets as CSV: export, import, and what the published script wrote."""

import csv
import io

import pytest
from hypothesis import given
from support.worksheets import CURRENT, ROWS, as_text, sheet

from scoring.committee import total, worksheet
from scoring.errors import ScoringError
from scoring.formats import worksheet_csv


@given(rows=ROWS, others=ROWS)
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


def test_the_export_has_every_column_of_every_row_and_totals_stay_numbers():
    exported = worksheet_csv.export(sheet().rows, {"good": "91*", "open": "-58", "gated": "0"})
    header, *lines = csv.reader(io.StringIO(exported))
    assert header[0] == "Capability"
    assert header[-2:] == ["Non-Admin", "Total"]
    assert {len(line) for line in lines} == {15}
    assert {line[0]: line[-1] for line in lines} == {
        "good": "91*",
        "open": "-58",
        "gated": "0",
        "tight": "",
    }


def test_a_name_that_looks_like_a_formula_is_neutralised_and_read_back():
    strange = sheet("=cmd: [1,1,1] [1,1,1] [1,1,1] [1,1,1] [1]\n")
    exported = worksheet_csv.export(strange.rows, {})
    assert exported.splitlines()[1].startswith("'=cmd,1,")
    changed = exported.replace("'=cmd,1,", "'=cmd,0,")
    assert worksheet_csv.read(changed, "x", strange) == {"=cmd": {"deployed": "0"}}


def test_rows_that_the_csv_lacks_do_not_change():
    only = "Capability,doc\nopen,1\n"
    assert worksheet_csv.read(only, "x", sheet()) == {"open": {"doc": "1"}}
    assert worksheet_csv.read("Capability,doc\n", "x", sheet()) == {}
