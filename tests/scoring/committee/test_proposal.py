"""The proposal that follows a guideline: recommendations, decisions and the gap between them."""

import pytest
from support.previous_guideline import CURRENT, PREVIOUS

from capabilities import catalogue, programme
from capabilities.finding import Severity
from capabilities.guideline import Status
from scoring.committee import proposal, worksheet
from scoring.committee.decisions import Decision
from scoring.committee.proposal import Proposal


def propose(text: str, **decided: str) -> Proposal:
    rows = worksheet.parse(text, "x").rows
    decisions = {
        name: Decision(name, status, "it is time", "alice", "2026-11-20")
        for name, status in decided.items()
    }
    return proposal.propose(rows, CURRENT, PREVIOUS, decisions)


NEW = "new: [1,1,1] [1,1,1] [1,1,0] [1,1,1] [1]\n"
OLD_LOW = "old: [0,0,0] [0,1,1] [1,1,1] [1,1,1] [1]\n"
UNHEARD = "unheard: [1,1,1] [1,1,1] [1,1,0] [1,1,1] [1]\n"


def test_what_is_recommended_enters_and_what_has_no_decision_stays():
    found = propose(NEW + OLD_LOW + UNHEARD)
    assert found.statuses["new"] is Status.REQUIRED
    assert found.statuses["old"] is Status.REQUIRED
    assert "unheard" not in found.statuses
    assert list(found.changes()) == [("new", "advisory", "required")]
    (kept,) = (finding for finding in found.findings if finding.severity is Severity.WARNING)
    assert (kept.pointer, kept.code) == ("old", "required-and-not-recommended")


def test_a_decision_wins_over_the_recommendation_and_the_gap_is_a_finding():
    found = propose(NEW + OLD_LOW, new="advisory", old="deprecated")
    assert (found.statuses["new"], found.statuses["old"]) == (Status.ADVISORY, Status.DEPRECATED)
    codes = {
        finding.pointer: finding.code for finding in found.findings if finding.severity != "note"
    }
    assert codes == {"new": "left-out-against-the-score"}
    assert propose(OLD_LOW, old="required").findings[0].code == "required-against-the-score"


@pytest.mark.parametrize(
    ("decided", "code"),
    [
        ({"gone": "required"}, "required-not-advisory-before"),
        ({"old": "removed"}, "removed-not-deprecated-before"),
        ({"unknown": "advisory"}, "decision-on-nothing"),
    ],
)
def test_a_decision_the_process_forbids_is_an_error(decided, code):
    errors = [
        finding for finding in propose(NEW, **decided).findings if finding.severity == "error"
    ]
    assert [finding.code for finding in errors] == [code]


def test_a_required_capability_without_a_row_is_named():
    codes = [(finding.pointer, finding.code) for finding in propose(NEW).findings]
    assert codes == [("old", "required-without-a-row")]


def test_undecided_cells_are_open_questions():
    questions = list(propose("new: [?,1,1] [1,1,1] [1,1,0] [1,1,1] [1]").open_questions())
    assert questions == [("new", "deployed", "not scored yet, or needs discussion")]


def test_an_admin_capability_that_was_required_is_proposed_deprecated():
    guideline, _ = catalogue.load("2020.06")
    previous = programme.find(guideline, "compute")
    found = proposal.propose(worksheet.parse(NEW, "x").rows, CURRENT, previous, {})
    changes = {name: status for name, _, status in found.changes()}
    assert changes == {"networks-l3-router": "deprecated", "networks-l3-CRUD": "deprecated"}
