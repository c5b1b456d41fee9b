"""Score capabilities for the next guideline, and judge a cloud by a guideline.

``scoring.conformance`` turns the outcomes of tests into a verdict; ``scoring.committee`` turns
scored worksheets into the next guideline; ``scoring.formats`` writes CSV, xlsx, RST and HTML::

    from capabilities import find_programme, load
    from scoring import judge

    guideline, _ = load("2020.06")
    verdict = judge(find_programme(guideline, "storage"), outcomes)

Importing this package loads no table, plot or spreadsheet library: names of ``committee`` and
``formats`` are imported at their first use (PEP 562).
"""

from importlib import import_module
from typing import TYPE_CHECKING

from scoring.conformance.outcomes import (
    Attempt,
    Call,
    Cause,
    CauseKind,
    ClassOutcome,
    Outcome,
    Outcomes,
)
from scoring.conformance.verdict import (
    CapabilityVerdict,
    Conformance,
    TestVerdict,
    Verdict,
    judge,
)
from scoring.errors import ScoringError

if TYPE_CHECKING:
    from scoring.committee.criteria import CriteriaSet
    from scoring.committee.criteria import find as find_criteria
    from scoring.committee.decisions import Decision
    from scoring.committee.next_guideline import document as draft_guideline
    from scoring.committee.proposal import Proposal, propose
    from scoring.committee.recommendation import Recommendation, Recommended, recommend
    from scoring.committee.sensitivity import Sensitivity
    from scoring.committee.sensitivity import analyse as analyse_sensitivity
    from scoring.committee.total import Standing, Total
    from scoring.committee.total import exact as exact_total
    from scoring.committee.total import faithful as faithful_total
    from scoring.committee.worksheet import Row, Worksheet
    from scoring.committee.worksheet import parse as parse_worksheet
    from scoring.committee.worksheet import read as read_worksheet
    from scoring.formats.board_page import export as export_board_page
    from scoring.formats.worksheet_csv import export as export_csv
    from scoring.formats.worksheet_rst import export as export_rst
    from scoring.formats.xlsx_export import export as export_xlsx

__all__ = [
    "Attempt",
    "Call",
    "CapabilityVerdict",
    "Cause",
    "CauseKind",
    "ClassOutcome",
    "Conformance",
    "CriteriaSet",
    "Decision",
    "Outcome",
    "Outcomes",
    "Proposal",
    "Recommendation",
    "Recommended",
    "Row",
    "ScoringError",
    "Sensitivity",
    "Standing",
    "TestVerdict",
    "Total",
    "Verdict",
    "Worksheet",
    "analyse_sensitivity",
    "draft_guideline",
    "exact_total",
    "export_board_page",
    "export_csv",
    "export_rst",
    "export_xlsx",
    "faithful_total",
    "find_criteria",
    "judge",
    "parse_worksheet",
    "propose",
    "read_worksheet",
    "recommend",
]

# Where a name is defined that is imported at its first use; the same as under TYPE_CHECKING.
_DEFINED = {
    "CriteriaSet": ("scoring.committee.criteria", "CriteriaSet"),
    "Decision": ("scoring.committee.decisions", "Decision"),
    "Total": ("scoring.committee.total", "Total"),
    "Proposal": ("scoring.committee.proposal", "Proposal"),
    "Recommendation": ("scoring.committee.recommendation", "Recommendation"),
    "Recommended": ("scoring.committee.recommendation", "Recommended"),
    "Row": ("scoring.committee.worksheet", "Row"),
    "Sensitivity": ("scoring.committee.sensitivity", "Sensitivity"),
    "Standing": ("scoring.committee.total", "Standing"),
    "Worksheet": ("scoring.committee.worksheet", "Worksheet"),
    "analyse_sensitivity": ("scoring.committee.sensitivity", "analyse"),
    "draft_guideline": ("scoring.committee.next_guideline", "document"),
    "exact_total": ("scoring.committee.total", "exact"),
    "export_board_page": ("scoring.formats.board_page", "export"),
    "export_csv": ("scoring.formats.worksheet_csv", "export"),
    "export_rst": ("scoring.formats.worksheet_rst", "export"),
    "export_xlsx": ("scoring.formats.xlsx_export", "export"),
    "faithful_total": ("scoring.committee.total", "faithful"),
    "find_criteria": ("scoring.committee.criteria", "find"),
    "parse_worksheet": ("scoring.committee.worksheet", "parse"),
    "propose": ("scoring.committee.proposal", "propose"),
    "read_worksheet": ("scoring.committee.worksheet", "read"),
    "recommend": ("scoring.committee.recommendation", "recommend"),
}


def __getattr__(name: str) -> object:
    """Import a public name at its first use."""
    if name not in _DEFINED:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, attribute = _DEFINED[name]
    return getattr(import_module(module), attribute)


def __dir__() -> list[str]:
    """List the public names, those included that are not imported yet."""
    return sorted({*globals(), *__all__})
