"""The names that other programs import from ``scoring``, and what importing them loads."""

import ast
import inspect
import runpy
import subprocess
import sys
from importlib import resources
from pathlib import Path

import pytest

import scoring

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
PROMISED = (
    *("Attempt", "Call", "CapabilityVerdict", "Cause", "CauseKind", "ClassOutcome", "Conformance"),
    *("CriteriaSet", "Decision", "Outcome", "Outcomes", "Proposal", "Recommendation"),
    *("Recommended", "Row", "ScoringError", "Sensitivity", "Standing", "TestVerdict", "Total"),
    *("Verdict", "Worksheet", "analyse_sensitivity", "draft_guideline", "exact_total"),
    *("export_board_page", "export_csv", "export_rst", "export_xlsx", "faithful_total"),
    *("find_criteria", "judge", "parse_worksheet", "propose", "read_worksheet", "recommend"),
)


def test_all_lists_what_is_promised():
    assert sorted(scoring.__all__) == sorted(PROMISED)
    assert set(PROMISED) <= set(dir(scoring))


@pytest.mark.parametrize("name", PROMISED)
def test_a_promised_name_can_be_imported_and_is_documented(name):
    assert getattr(scoring, name).__doc__


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        scoring.nonsense  # noqa: B018 - reading it is the test


def test_type_checkers_see_the_names_that_are_imported_at_first_use():
    (block,) = (
        node for node in ast.parse(inspect.getsource(scoring)).body if isinstance(node, ast.If)
    )
    seen = {
        alias.asname or alias.name: (statement.module, alias.name)
        for statement in block.body
        for alias in statement.names
    }
    assert seen == scoring._DEFINED


@pytest.mark.parametrize("module", ["scoring", "scoring.conformance.verdict", "capabilities"])
def test_a_verdict_loads_no_table_plot_or_spreadsheet_library(module):
    heavy = ("jinja2", "matplotlib", "numpy", "openpyxl", "pandas", "xlsxwriter", "cliff")
    program = f"import sys, {module}; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_the_types_are_for_other_programs_too():
    assert (resources.files("scoring") / "py.typed").is_file()


def test_the_example_judges_outcomes(capsys):
    runpy.run_path(str(EXAMPLES / "api_verdict.py"))
    summary, failed = capsys.readouterr().out.splitlines()
    assert summary == "not-conformant: 57 of 58 passed"
    assert failed.startswith("fail: tempest.api.")
    assert failed.endswith(": HTTP 500")


def test_the_example_scores_a_worksheet(capsys):
    runpy.run_path(str(EXAMPLES / "api_worksheet.py"))
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 5
    assert lines[1] == (
        "objectstore-container-metadata: 91 of 100 points, cutoff 74: in; recommended: yes"
    )
    assert "58 of 100 points, cutoff 74: out; recommended: no (at most 58 points" in lines[3]
    assert "92 to 100 of 100 points" in lines[4]
