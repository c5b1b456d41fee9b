"""Scoring from the command line."""

import json
from pathlib import Path

import pytest

from refstack_client.shell import main

TEXT = """\
Heading
-------
one:   [1,1,1] [1,1,1] [1,1,0] [1,1,1] [1] [91]*
two:   [1,1,1] [1,1,1] [0,1,0] [0,1,1] [1] [74]*
  * a note
gate:  [1,1,1] [1,1,1] [1,1,0] [1,1,1] [0] [0]
"""


@pytest.fixture
def sheet(tmp_path: Path) -> Path:
    path = tmp_path / "sheet.txt"
    path.write_text(TEXT)
    return path


def test_scores_totals_and_what_qualifies_are_shown(sheet, capsys):
    assert main(["score", "show", str(sheet), "-f", "json"]) == 0
    rows = {row["capability"]: row for row in json.loads(capsys.readouterr().out)}
    assert (rows["one"]["total"], rows["one"]["qualifies"]) == ("91", "yes")
    assert (rows["gate"]["qualifies"], rows["one"]["sticky"]) == ("no", "0")
    assert main(["score", "show", str(sheet), "--mode", "faithful", "-f", "json"]) == 0
    rows = {row["capability"]: row for row in json.loads(capsys.readouterr().out)}
    assert [rows[name]["total"] for name in ("one", "two", "gate")] == ["91*", "74*", "0"]


def test_an_import_is_shown_before_it_is_taken_and_changes_only_what_it_names(
    sheet, tmp_path, capsys
):
    exported = tmp_path / "sheet.csv"
    assert main(["score", "export", str(sheet), "--csv", str(exported), "--mode", "faithful"]) == 0
    changed = exported.read_text().replace("two,1,1,1", "two,1,1,0")
    exported.write_bytes(changed.encode())
    capsys.readouterr()
    assert main(["score", "import", str(sheet), str(exported)]) == 0
    assert capsys.readouterr().out == "two.clients: 1 -> 0\n"
    assert sheet.read_text() == TEXT
    assert main(["score", "import", str(sheet), str(exported), "--write"]) == 0
    assert sheet.read_text() == TEXT.replace(
        "two:   [1,1,1] [1,1,1] [0,1,0] [0,1,1] [1] [74]*",
        "two:   [1,1,0] [1,1,1] [0,1,0] [0,1,1] [1] [64]",
    )


def test_line_ends_are_kept(sheet, tmp_path):
    sheet.write_bytes(TEXT.replace("\n", "\r\n").encode())
    (tmp_path / "x.csv").write_text("Capability,doc\none,0\n")
    assert main(["score", "import", str(sheet), str(tmp_path / "x.csv"), "--write"]) == 0
    expected = TEXT.replace("[1,1,0] [1,1,1] [1] [91]*", "[1,0,0] [1,1,1] [1] [83]*")
    assert sheet.read_bytes() == expected.replace("\n", "\r\n").encode()


def test_what_if_lists_who_enters_and_leaves(sheet, capsys):
    assert main(["score", "what-if", str(sheet), "--cutoff", "80", "-f", "csv"]) == 0
    assert '"two","in","out","74","74"' in capsys.readouterr().out
    change = ["--set", "one.future=0", "--weight", "stable=20", "-f", "csv"]
    assert main(["score", "what-if", str(sheet), *change]) == 0
    assert main(["score", "what-if", str(sheet), "--set", "one.doc=7"]) == 4
    assert main(["score", "what-if", str(sheet), "--weight", "future"]) == 2
    assert main(["score", "what-if", str(sheet), "--weight", "nonsense=3"]) == 4


def test_sensitivity_and_difference_are_listed(sheet, tmp_path, capsys):
    command = ["score", "sensitivity", str(sheet), "--draws", "1000", "-f", "json"]
    assert main(command) == 0
    printed = capsys.readouterr()
    rows = {row["capability"]: row for row in json.loads(printed.out)}
    assert rows["two"]["margin"] == 0
    assert "cutoff to 75" in rows["two"]["smallest flips"]
    assert "seed 1" in printed.err
    other = tmp_path / "other.txt"
    other.write_text(TEXT.replace("one:   [1,1,1]", "one:   [1,?,1]"))
    assert main(["score", "diff", str(sheet), str(other), "-f", "csv"]) == 0
    assert '"one","tools","1","?"' in capsys.readouterr().out


def test_a_bad_worksheet_is_refused_and_left_alone(sheet, tmp_path, capsys):
    sheet.write_text(TEXT.replace("[1,1,1] [0,1,0]", "[1,x,1] [0,1,0]"))
    before = sheet.read_bytes()
    assert main(["score", "show", str(sheet)]) == 4
    assert 'sheet.txt:4:19: "x" is no score for complete' in capsys.readouterr().err
    (tmp_path / "garbage").write_bytes(bytes(range(256)) * 40_000)
    assert main(["score", "show", str(tmp_path / "garbage")]) == 4
    assert sheet.read_bytes() == before


def test_what_is_recommended_is_listed_with_what_speaks_against_it(tmp_path, capsys):
    path = tmp_path / "sheet.txt"
    path.write_text(
        "objectstore-object-create: [1,1,1] [1,1,1] [1,1,0] [1,1,1] [1]\n"
        "compute-servers-resize: [1,1,1] [1,1,1] [1,1,1] [1,1,1] [1]\n"
    )
    assert main(["score", "must-have", str(path), "--guideline", "2020.06", "-f", "csv"]) == 0
    printed = capsys.readouterr()
    assert '"objectstore-object-create","91","required","yes",""' in printed.out
    assert '"required","no","every test is flagged"' in printed.out
    assert "objectstore-object-create: sticky should be 1: required in 2020.06" in printed.err
    assert "not scored under that name: networks-l2-CRUD" in printed.err
