"""The spreadsheet, calculated by a real LibreOffice."""

import csv
import shutil
import subprocess
from fractions import Fraction
from pathlib import Path

import openpyxl
import pytest

from scoring import criteria, sheet_xlsx, what_if, worksheet
from scoring.criteria import CriteriaSet
from scoring.total import exact

CURRENT = criteria.find("2016.08")
TEXT = """\
in:      [1,1,1] [1,1,1] [1,1,0] [1,1,1] [1]
edge:    [1,1,1] [1,1,1] [0,1,0] [0,1,1] [1]
open:    [?,1,1] [1,1,1] [1,1,0] [0,1,0] [1]
partly:  [*,1,1] [1,1,1] [1,1,0] [*,1,*] [1]
gated:   [1,1,1] [1,1,1] [1,1,0] [1,1,1] [0]
unknown: [1,1,1] [1,1,1] [1,1,0] [1,1,1] [?]
"""
ROWS = worksheet.parse(TEXT, "x").rows


@pytest.fixture
def calculate(tmp_path: Path):
    """Return the Scores sheet as LibreOffice calculates it, by capability."""
    office = shutil.which("soffice")
    if office is None:
        pytest.skip("no LibreOffice on this machine to calculate the spreadsheet with")

    def run(path: Path) -> dict[str, tuple[Fraction, Fraction, str]]:
        profile = f"-env:UserInstallation=file://{tmp_path}/profile"
        convert = [office, profile, "--headless", "--convert-to", "csv", "--outdir", str(tmp_path)]
        subprocess.run([*convert, str(path)], check=True, capture_output=True, timeout=180)
        lines = list(csv.reader(path.with_suffix(".csv").read_text().splitlines()))
        return {line[0]: (Fraction(line[14]), Fraction(line[15]), line[16]) for line in lines[2:]}

    return run


def expected(chosen: CriteriaSet) -> dict[str, tuple[Fraction, Fraction, str]]:
    totals = {row.capability: exact(row, chosen) for row in ROWS}
    return {name: (each.low, each.high, str(each.standing)) for name, each in totals.items()}


def write(path: Path) -> Path:
    path.write_bytes(sheet_xlsx.export(worksheet.parse(TEXT, "x"), CURRENT))
    return path


def test_the_file_shows_our_totals_and_its_formulas_give_them(calculate, tmp_path):
    path = write(tmp_path / "scores.xlsx")
    assert calculate(path) == expected(CURRENT)
    openpyxl.load_workbook(path).save(path)  # drops the results that came with the formulas
    assert calculate(path) == expected(CURRENT)


def test_totals_follow_a_changed_weight_cutoff_and_cell(calculate, tmp_path):
    path = write(tmp_path / "scores.xlsx")
    book = openpyxl.load_workbook(path)
    weights = {row[0].value: row[3] for row in book["Criteria"].iter_rows(min_row=2)}
    weights["future"].value = 1
    next(row[3] for row in book["Criteria"].iter_rows() if row[2].value == "cutoff").value = 80
    book.save(path)
    changed = what_if.reweighted(CURRENT, {"future": 1}, 80)
    assert calculate(path) == expected(changed)
    assert expected(changed) != expected(CURRENT)


def test_cells_take_scores_only_and_texts_are_no_formulas(tmp_path):
    danger = TEXT + "=1+1: [1,1,1] [1,1,1] [1,1,0] [1,1,1] [1]\n"
    path = tmp_path / "scores.xlsx"
    path.write_bytes(sheet_xlsx.export(worksheet.parse(danger, "x"), CURRENT))
    sheet = openpyxl.load_workbook(path)["Scores"]
    cell = sheet["A9"]
    assert (cell.value, cell.data_type) == ("=1+1", "s")
    validations = {str(each.sqref): each.formula1 for each in sheet.data_validations.dataValidation}
    assert validations == {"B3:M9": '"0,1,?,*"', "N3:N9": '"0,1,?,*"'}
    assert sheet.freeze_panes == "B3"
