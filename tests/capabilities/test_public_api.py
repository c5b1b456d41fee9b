"""The names that other programs import from ``capabilities``."""

import runpy
from importlib import resources
from pathlib import Path

import pytest

import capabilities

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
PROMISED = (
    *("Capability", "Component", "Finding", "Flag", "Guideline", "GuidelineError", "Index"),
    *("Match", "MatchKind", "Platform", "ProblemError", "Programme", "Rule", "Severity", "Status"),
    *("Test", "TestId", "UnknownNameError", "check_rules", "default_guideline", "find_programme"),
    *("load", "match", "parse_test_id", "programmes", "read", "shipped"),
)


def test_all_lists_what_is_promised():
    assert sorted(capabilities.__all__) == sorted(PROMISED)


@pytest.mark.parametrize("name", PROMISED)
def test_a_promised_name_can_be_imported_and_is_documented(name):
    assert getattr(capabilities, name).__doc__


def test_the_types_are_for_other_programs_too():
    assert (resources.files("capabilities") / "py.typed").is_file()


def test_the_example_lists_the_tests_of_a_programme(capsys):
    runpy.run_path(str(EXAMPLES / "api_guideline.py"))
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("2020.06: approved, schema 2.0, ")
    assert "58 tests decide the verdict:" in lines
    assert sum(line.startswith("  tempest.api.") for line in lines) == 58
