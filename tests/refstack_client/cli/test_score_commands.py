"""Scoring from the command line."""

import json
from pathlib import Path

import openpyxl
import pytest

from refstack_client.cli.app import main
from scoring.committee import criteria

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
    assert (rows["one"]["total"], rows["one"]["qualifies"]) == (91, True)
    assert (rows["gate"]["qualifies"], rows["one"]["sticky"]) == (False, 0)
    assert main(["score", "show", str(sheet), "--mode", "faithful", "-f", "json"]) == 0
    rows = {row["capability"]: row for row in json.loads(capsys.readouterr().out)}
    assert [rows[name]["total"] for name in ("one", "two", "gate")] == [91, 74, 0]
    assert [rows[name]["qualifies"] for name in ("one", "two", "gate")] == [True, True, False]
    assert main(["score", "show", str(sheet), "--mode", "faithful"]) == 0
    assert "91*" in capsys.readouterr().out


def test_an_import_is_shown_before_it_is_taken_and_changes_only_what_it_names(
    sheet, tmp_path, capsys
):
    exported = tmp_path / "sheet.csv"
    assert main(["score", "export", str(sheet), "--csv", str(exported), "--mode", "faithful"]) == 0
    changed = exported.read_text().replace("two,1,1,1", "two,1,1,0")
    exported.write_bytes(changed.encode())
    capsys.readouterr()
    assert main(["score", "import", str(sheet), str(exported), "-f", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == [
        {"capability": "two", "what": "clients", "before": "1", "after": "0"}
    ]
    assert sheet.read_text() == TEXT
    assert main(["score", "import", str(sheet), str(exported), "--write"]) == 0
    assert sheet.read_text() == TEXT.replace(
        "two:   [1,1,1] [1,1,1] [0,1,0] [0,1,1] [1] [74]*",
        "two:   [1,1,0] [1,1,1] [0,1,0] [0,1,1] [1] [64]",
    )
    assert Path(f"{sheet}~").read_text() == TEXT


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
    assert rows["two"]["smallest flips"]["cutoff"] == 75
    assert rows["two"]["swing"]["future"] == {"loses": -11.0, "gains": 0.0}
    assert rows["two"]["swing"]["sticky"] == {"loses": 0.0, "gains": 9.0}
    assert main(["score", "sensitivity", str(sheet), "--by-criterion", "-f", "json"]) == 0
    moved = {row["criterion"]: row for row in json.loads(capsys.readouterr().out)}
    assert moved["future"]["leaving without"] == ["two"]
    assert (moved["sticky"]["in without"], moved["sticky"]["met by %"]) == (2, 0)
    assert "seed 1" in printed.err
    other = tmp_path / "other.txt"
    other.write_text(TEXT.replace("one:   [1,1,1]", "one:   [1,?,1]"))
    assert main(["score", "diff", str(sheet), str(other), "-f", "csv"]) == 0
    assert '"one","tools","1","?"' in capsys.readouterr().out


def test_a_bad_worksheet_is_refused_and_left_alone(sheet, tmp_path, capsys):
    sheet.write_text(TEXT.replace("[1,1,1] [0,1,0]", "[1,x,1] [0,1,0]"))
    before = sheet.read_bytes()
    assert main(["score", "show", str(sheet)]) == 4
    assert 'sheet.txt:4:19: "x" is not a valid score for complete' in capsys.readouterr().err
    (tmp_path / "garbage").write_bytes(bytes(range(256)) * 40_000)
    assert main(["score", "show", str(tmp_path / "garbage")]) == 4
    assert sheet.read_bytes() == before


OBJECT_CREATE = "objectstore-object-create: [1,1,1] [1,1,1] [1,1,0] [1,1,1] [1]\n"
RESIZE = "compute-servers-resize: [1,1,1] [1,1,1] [1,1,1] [1,1,1] [1]\n"


@pytest.fixture
def next_sheet(tmp_path: Path) -> Path:
    path = tmp_path / "next.txt"
    path.write_text(OBJECT_CREATE + RESIZE)
    return path


def test_what_is_recommended_is_listed_with_what_speaks_against_it(next_sheet, capsys):
    command = ["score", "must-have", str(next_sheet), "--guideline", "2020.06", "-f", "json"]
    assert main(command) == 0
    printed = capsys.readouterr()
    create, resize = json.loads(printed.out)
    assert (create["recommended"], create["proposed"]) == ("yes", "required")
    assert (resize["recommended"], resize["against"]) == ("no", "every test is flagged")
    assert "objectstore-object-create: sticky should be 1: required in 2020.06" in printed.err
    assert "networks-l2-CRUD" in printed.err
    assert "its cutoff is 74" in printed.err


def test_the_draft_is_a_guideline_that_the_check_accepts(next_sheet, tmp_path, capsys):
    (tmp_path / "next.decisions.csv").write_text(
        "capability,decision,reason,author,date\n"
        "compute-servers-resize,deprecated,no test counts,alice,2026-11-20\n"
    )
    draft = tmp_path / "draft.json"
    command = ["score", "must-have", str(next_sheet), "-o", str(draft), "-f", "json"]
    assert main(command) == 0
    capsys.readouterr()
    assert main(["guideline", "check", str(draft), "-f", "json"]) == 0
    found = {row["Code"] for row in json.loads(capsys.readouterr().out)}
    assert "admin-required" not in found
    document = json.loads(draft.read_text())
    approval = document["metadata"]["os_trademark_approval"]
    assert (approval["status"], approval["replaces"]) == ("draft", "2020.06")
    compute = document["components"]["os_powered_compute"]["capabilities"]
    assert "compute-servers-resize" in compute["deprecated"]
    assert "sticky" not in document["capabilities"]["objectstore-object-create"]["achievements"]


def test_a_draft_that_would_break_the_process_is_not_written(next_sheet, tmp_path, capsys):
    decisions = tmp_path / "d.csv"
    header = "capability,decision,reason,author,date\n"
    decisions.write_text(header + "compute-servers-resize,removed,tired of it,bob,2026-11-20\n")
    draft = tmp_path / "draft.json"
    command = ["score", "must-have", str(next_sheet), "--decisions", str(decisions)]
    assert main([*command, "-o", str(draft)]) == 4
    assert "must be deprecated first (2017A A3.1)" in capsys.readouterr().err
    assert not draft.exists()
    decisions.write_text(header + "compute-servers-resize,removed,,bob,2026-11-20\n")
    assert main(command) == 4
    assert "d.csv:2: the decision on compute-servers-resize has no reason" in (
        capsys.readouterr().err
    )


def test_a_new_capability_enters_the_draft_of_a_programme_of_one_component(tmp_path, capsys):
    path = tmp_path / "sheet.txt"
    path.write_text("objectstore-new: [1,1,1] [1,1,1] [1,1,0] [1,1,1] [1]\n")
    (tmp_path / "sheet.decisions.csv").write_text(
        "capability,decision,reason,author,date\nobjectstore-new,advisory,new,bob,2026-11-20\n"
    )
    draft = tmp_path / "draft.json"
    command = ["score", "must-have", str(path), "-o", str(draft)]
    assert main(command) == 4
    assert "choose the programme of one component" in capsys.readouterr().err
    assert main([*command, "--programme", "storage"]) == 0
    components = json.loads(draft.read_text())["components"]
    storage, compute = components["os_powered_storage"], components["os_powered_compute"]
    assert "networks-l3-CRUD" in compute["capabilities"]["deprecated"]
    assert storage["capabilities"]["advisory"] == ["objectstore-new"]


def test_scorers_are_merged_with_question_marks_and_who_said_what(sheet, tmp_path, capsys):
    bob = tmp_path / "bob.txt"
    bob.write_text(TEXT.replace("one:   [1,1,1]", "one:   [1,0,1]"))
    merged = tmp_path / "merged.txt"
    command = ["score", "merge", str(sheet), str(bob), "-o", str(merged), "-f", "json"]
    assert main(command) == 0
    assert json.loads(capsys.readouterr().out) == [
        {"capability": "one", "criterion": "tools", "sheet": "1", "bob": "0"}
    ]
    assert merged.read_text() == TEXT.replace(
        "one:   [1,1,1] [1,1,1] [1,1,0] [1,1,1] [1] [91]*",
        "one:   [1,?,1] [1,1,1] [1,1,0] [1,1,1] [1] [-85]",
    )
    bob.write_text(TEXT + "three: [1,1,1] [1,1,1] [1,1,0] [1,1,1] [1]\n")
    assert main(command) == 4
    assert "bob:7: three has no row in sheet" in capsys.readouterr().err
    assert main(["score", "merge", str(sheet), str(sheet)]) == 2


def test_weights_come_from_a_guideline_a_set_or_a_file_and_must_add_up(sheet, tmp_path, capsys):
    show = ["score", "show", str(sheet), "-f", "json"]

    def total_of_one(*options: str) -> int:
        assert main([*show, *options]) == 0
        return json.loads(capsys.readouterr().out)[0]["total"]

    assert total_of_one("--guideline", "dns.2020.06") == 66
    assert total_of_one("--criteria", "2014") == 91
    own = tmp_path / "own.json"
    weights = dict(criteria.find("2016.08").weights)
    own.write_text(json.dumps({"weights": weights, "cutoff": 80, "highest": 5}))
    assert total_of_one("--criteria", str(own)) == 18.2
    weights["future"] += 1
    own.write_text(json.dumps({"weights": weights, "cutoff": 80}))
    assert main([*show, "--criteria", str(own)]) == 4
    assert "own.json: /weights: the weights add up to 101 instead of 100" in capsys.readouterr().err
    own.write_text(json.dumps({"weights": {"beauty": 10}, "cutoff": 5}))
    assert main([*show, "--criteria", str(own)]) == 4
    assert "/weights/beauty: unknown criterion" in capsys.readouterr().err
    assert main([*show, "--guideline", "scs-0128"]) == 4
    assert "this guideline has no weights" in capsys.readouterr().err


def test_criteria_are_listed_with_what_they_meant_then(capsys):
    assert main(["score", "criteria", "--criteria", "2014", "-f", "json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert len(rows) == 13
    assert rows[-1] == {
        "id": "non-admin",
        "name": "Non-Admin",
        "group": "Gate",
        "weight": None,
        "definition": "An ordinary tenant can use it. The thirteenth criterion of the list, "
        "without a weight.",
    }
    assert "Fog" in next(row["definition"] for row in rows if row["id"] == "clients")
    assert main(["score", "criteria", "-f", "json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert "OpenStack's own" in next(row["definition"] for row in rows if row["id"] == "clients")


def test_an_export_never_destroys_what_stood_there(sheet, tmp_path, capsys):
    target = tmp_path / "table.rst"
    target.write_text("precious")
    assert main(["score", "export", str(sheet), "--rst", str(target)]) == 0
    assert Path(f"{target}~").read_text() == "precious"
    assert main(["score", "export", str(sheet), "--csv", str(tmp_path / "no" / "x.csv")]) == 4
    assert "cannot be written: No such file or directory" in capsys.readouterr().err
    assert main(["score", "export", str(sheet)]) == 2


def test_a_spreadsheet_comes_back_with_scores_notes_and_decisions_only(sheet, tmp_path, capsys):
    exported = tmp_path / "x.xlsx"
    assert main(["score", "export", str(sheet), "--xlsx", str(exported)]) == 0
    capsys.readouterr()
    book = openpyxl.load_workbook(exported)
    book["Scores"]["D3"] = "?"
    headings = [cell.value for cell in book["Must-have"][1]]
    book["Must-have"].cell(2, headings.index("note") + 1, "-1 from bob")
    book.save(exported)
    command = ["score", "import", str(sheet), str(exported)]
    assert main([*command, "-f", "value"]) == 0
    assert capsys.readouterr().out == "one clients 1 ?\none note  -1 from bob\n"
    assert sheet.read_text() == TEXT
    assert main([*command, "--write"]) == 0
    assert "one:   [1,1,?] [1,1,1] [1,1,0] [1,1,1] [1] [-81]" in sheet.read_text()
    assert (tmp_path / "sheet.decisions.csv").read_text().splitlines()[1] == "one,,,,,'-1 from bob"
    assert "since" not in capsys.readouterr().err
    assert main(command) == 0
    printed = capsys.readouterr().err
    assert "no changes" in printed
    assert f"changed since {exported} was exported" in printed
