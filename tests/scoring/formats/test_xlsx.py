"""The spreadsheet, calculated by a real LibreOffice, and read back."""

import io
import shutil
import subprocess
import zipfile
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import openpyxl
import pytest

from capabilities import programme
from capabilities.guideline import Capability, Component, Flag, Guideline, Platform, Status, Test
from scoring.committee import criteria, what_if, worksheet
from scoring.committee.criteria import CriteriaSet, NotConsidered
from scoring.committee.decisions import Decision
from scoring.committee.proposal import Proposal, propose
from scoring.errors import ScoringError
from scoring.formats import xlsx_export, xlsx_import, xlsx_layout

CURRENT = criteria.find("2016.08")
TEXT = """\
Things
------
in:      [1,1,1] [1,1,1] [1,1,0] [1,1,1] [1]
edge:    [1,1,1] [1,1,1] [0,1,0] [0,1,1] [1]
open:    [?,1,1] [1,1,1] [1,1,0] [0,1,0] [1]
partly:  [*,1,1] [1,1,1] [1,1,0] [*,1,*] [1]
gated:   [1,1,1] [1,1,1] [1,1,0] [1,1,1] [0]
unknown: [1,1,1] [1,1,1] [1,1,0] [1,1,1] [?]
flagged: [1,1,1] [1,1,1] [1,1,0] [1,1,1] [1]
fresh:   [1,1,1] [1,1,1] [1,1,0] [1,1,1] [1]
"""
REQUIRED = ("gated", "flagged", "silent")
ADVISORY = ("in", "edge", "open", "partly", "unknown")
TESTS = {name: (Test("m.C.one", "id-1"),) for name in (*REQUIRED, *ADVISORY)}
TESTS["flagged"] = (Test("m.C.two", "id-2", flag=Flag("[D401] bug", "fix", "2019-01-01")),)
PREVIOUS = programme.find(
    Guideline(
        id="2019.11",
        schema="2.0",
        status="approved",
        releases=(),
        platforms=(Platform("Thing", "", ("c",)),),
        components={
            "c": Component("c", {Status.REQUIRED: REQUIRED, Status.ADVISORY: ADVISORY}),
        },
        capabilities={name: Capability(name, tests=tests) for name, tests in TESTS.items()},
    ),
    "thing",
)
DECISIONS = {"open": Decision("open", "required", "it is needed", "alice", "2026-11-20", "=1+1")}


def proposal(chosen: CriteriaSet = CURRENT, text: str = TEXT) -> Proposal:
    return propose(worksheet.parse(text, "x").rows, chosen, PREVIOUS, DECISIONS)


@pytest.fixture
def calculate(tmp_path: Path):
    """Return a spreadsheet as LibreOffice calculates it and saves it."""
    office = shutil.which("soffice")
    if office is None:
        pytest.skip("no LibreOffice on this machine to calculate the spreadsheet with")

    def run(content: bytes) -> bytes:
        path = tmp_path / "book.xlsx"
        path.write_bytes(content)
        profile = f"-env:UserInstallation=file://{tmp_path}/profile"
        out = tmp_path / "out"
        convert = [office, profile, "--headless", "--convert-to", "xlsx", "--outdir", str(out)]
        subprocess.run([*convert, str(path)], check=True, capture_output=True, timeout=180)
        return (out / path.name).read_bytes()

    return run


def shown(content: bytes, name: str) -> list[tuple]:
    book = openpyxl.load_workbook(io.BytesIO(content), data_only=True)
    return list(book[name].iter_rows(values_only=True))


def totals(content: bytes) -> dict[str, tuple[Fraction, Fraction, str]]:
    rows = shown(content, "Scores")[2:]
    return {row[0]: (Fraction(row[14]), Fraction(row[15]), row[16]) for row in rows}


def marks(content: bytes) -> dict[str, tuple[str, str, str]]:
    headings, *rows = shown(content, "Must-have")
    wanted = [headings.index(name) for name in ("recommended", "proposed", "change")]
    return {row[0]: tuple(row[column] or "" for column in wanted) for row in rows if row[0]}


def counts(content: bytes) -> dict[str, int]:
    place = len(xlsx_layout.MUST_HAVE_COLUMNS) + 1
    cells = [row[place : place + 2] for row in shown(content, "Must-have")]
    return {name: count for name, count in cells if isinstance(count, (int, float))}


def expected_totals(found: Proposal) -> dict[str, tuple[Fraction, Fraction, str]]:
    known = (
        (recommendation.capability, recommendation.total)
        for recommendation in found.recommendations
    )
    return {name: (total.low, total.high, str(total.standing)) for name, total in known}


def expected_marks(found: Proposal) -> dict[str, tuple[str, str, str]]:
    changes = {name: f"{before} -> {now}" for name, before, now in found.changes()}
    recommended = {
        recommendation.capability: str(recommendation.recommended)
        for recommendation in found.recommendations
    }
    names = [*recommended, *found.unscored]
    return {
        name: (
            recommended.get(name, ""),
            str(found.statuses.get(name, "")),
            changes.get(name, ""),
        )
        for name in names
    }


def without_results(content: bytes, change=None) -> bytes:
    """Return the file as another program saves it: formulas alone, perhaps something changed."""
    book = openpyxl.load_workbook(io.BytesIO(content))
    if change:
        change(book)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


@pytest.mark.parametrize("policy", NotConsidered)
def test_what_the_file_shows_is_ours_and_its_formulas_give_the_same(calculate, policy):
    found = proposal(replace(CURRENT, not_considered=policy))
    exported = xlsx_export.export(found)
    for content in (exported, calculate(without_results(exported))):
        assert totals(content) == expected_totals(found)
        assert marks(content) == expected_marks(found)
        assert counts(content)["required"] == 5
    assert {
        recommendation.proposed
        for recommendation in found.recommendations
        if recommendation.capability == "gated"
    } == {Status.DEPRECATED}


def test_totals_marks_and_counts_follow_a_changed_weight_cutoff_and_cell(calculate):
    def change(book):
        weights = {row[0].value: row[3] for row in book["Criteria"].iter_rows(min_row=2)}
        weights["future"].value = 1
        next(row[3] for row in book["Criteria"].iter_rows() if row[2].value == "cutoff").value = 80
        book["Scores"]["B3"].value = 0

    changed = proposal(what_if.reweighted(CURRENT, {"future": 1}, 80), TEXT.replace("[1", "[0", 1))
    calculated = calculate(without_results(xlsx_export.export(proposal()), change))
    assert totals(calculated) == expected_totals(changed)
    assert marks(calculated) == expected_marks(changed)
    assert expected_marks(changed) != expected_marks(proposal())
    standings = [recommendation.total.standing for recommendation in changed.recommendations]
    assert counts(calculated)["in"] == sum(standing == "in" for standing in standings)


def test_cells_take_scores_and_statuses_only_and_texts_are_no_formulas():
    content = xlsx_export.export(
        proposal(text=TEXT + "=1+1: [1,1,1] [1,1,1] [1,1,0] [1,1,1] [1]\n")
    )
    book = openpyxl.load_workbook(io.BytesIO(content))
    sheet = book["Scores"]
    assert (sheet["A11"].value, sheet["A11"].data_type) == ("=1+1", "s")
    validations = {str(rule.sqref): rule.formula1 for rule in sheet.data_validations.dataValidation}
    assert validations == {"B3:M11": '"0,1,?,*"', "N3:N11": '"0,1,?,*"'}
    assert sheet.freeze_panes == "B3"
    (decision,) = book["Must-have"].data_validations.dataValidation
    assert decision.formula1 == '"required,advisory,deprecated,removed"'


def test_there_is_a_sheet_each_for_changes_flags_and_open_questions():
    content = xlsx_export.export(proposal())
    assert ("in", "advisory", "required") in shown(content, "Changes")
    assert ("flagged", "m.C.two", "[D401] bug", "fix", "2019-01-01") in shown(content, "Flags")
    questions = shown(content, "Open questions")
    assert ("open", "deployed", "not scored yet, or needs discussion") in questions


def test_what_was_not_changed_comes_back_unchanged_from_libreoffice_too(calculate):
    exported = xlsx_export.export(proposal())
    for content in (exported, calculate(exported)):
        found = xlsx_import.read(content, "x.xlsx", proposal())
        assert found == xlsx_import.Changes({}, DECISIONS)


def test_sorted_and_missing_rows_do_no_harm():
    def change(book):
        sheet = book["Scores"]
        for column in range(1, 15):
            one, two = sheet.cell(3, column), sheet.cell(4, column)
            one.value, two.value = two.value, one.value
        sheet.delete_rows(10)
        sheet["B3"] = "?"

    found = xlsx_import.read(
        without_results(xlsx_export.export(proposal()), change), "x.xlsx", proposal()
    )
    assert found.scores == {"edge": {"deployed": "?"}}


@pytest.mark.parametrize(
    ("sheet", "cell", "value", "message"),
    [
        ("Criteria", "D2", 9, 'x.xlsx: Criteria!D2: "8" became "9"'),
        ("Scores", "O3", 100, "x.xlsx: Scores!O3: a formula was replaced by 100"),
        ("Scores", "A3", "inn", "x.xlsx: Scores!A3: unknown capability inn"),
        ("Scores", "A4", "in", "x.xlsx: Scores!A4: in is already in A3"),
        ("Scores", "C3", 7, 'x.xlsx: Scores!C3: "7" is not a valid score for tools'),
        ("Scores", "B1", "Popular", 'Scores!B1: "Widely Deployed" became "Popular"'),
        ("Must-have", "G2", "maybe", 'Must-have!G2: "maybe" is not a valid status'),
        ("Must-have", "G2", "required", "the decision on in has no reason"),
        ("Must-have", "D2", "required", 'Must-have!D2: "advisory" became "required"'),
        ("Flags", "C2", "none", 'Flags!C2: "[D401] bug" became "none"'),
    ],
)
def test_any_other_change_is_refused_with_its_cell(sheet, cell, value, message):
    def change(book):
        book[sheet][cell] = value

    content = without_results(xlsx_export.export(proposal()), change)
    with pytest.raises(ScoringError) as caught:
        xlsx_import.read(content, "x.xlsx", proposal())
    assert message in str(caught.value)


def test_a_far_cell_is_named_or_does_not_matter():
    def far(cell):
        def change(book):
            book["Scores"][cell] = 1

        return without_results(xlsx_export.export(proposal()), change)

    assert xlsx_import.read(far("XFD9"), "x.xlsx", proposal()).scores == {}
    with pytest.raises(ScoringError, match=r"Scores: there is a cell in row 1048576; a table has"):
        xlsx_import.read(far("XFD1048576"), "x.xlsx", proposal())


def repacked(member: str, change) -> bytes:
    """Return an export with the content of one member changed."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(xlsx_export.export(proposal()))) as packed,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as written,
    ):
        for name in packed.namelist():
            content = packed.read(name)
            written.writestr(name, change(content) if name == member else content)
    return out.getvalue()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda content: content + b" " * 9_000_000, "larger than 8388608 bytes when unpacked"),
        (lambda content: content[:-9], "not an xlsx file"),
        (
            lambda content: content.replace(
                b"</sheetData>",
                b'</sheetData><mergeCells><mergeCell ref="A1:XFD1048576"/></mergeCells>',
            ),
            "it has merged cells",
        ),
        (
            lambda content: content.replace(
                b"<worksheet ",
                b"<!DOCTYPE x [<!ENTITY a SYSTEM 'file:///etc/passwd'>]><worksheet a='&a;' ",
            ),
            "not an xlsx file",
        ),
    ],
)
def test_a_hostile_spreadsheet_is_refused_in_bounded_memory(change, message):
    content = repacked("xl/worksheets/sheet1.xml", change)
    with pytest.raises(ScoringError) as caught:
        xlsx_import.read(content, "x.xlsx", proposal())
    assert message in str(caught.value)
    assert "root:" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 nonsense", b"capability,doc\n" * 9999])
def test_what_is_no_spreadsheet_is_refused(content):
    with pytest.raises(ScoringError, match=r"x.xlsx: not an xlsx file"):
        xlsx_import.read(content, "x.xlsx", proposal())
