"""The rules of the process, held against everything that was published."""

from collections import Counter
from dataclasses import replace

import pytest

from capabilities import catalogue, process_rules
from capabilities.guideline import Capability, Component, Flag, Guideline, Platform, Status, Test

ONE = Test("m.C.one", "id-1")


def guideline(guideline_id: str = "2020.06", status=Status.REQUIRED, **changes) -> Guideline:
    capability = Capability("cap", tests=(ONE,), achievements=("stable", "doc"))
    capability = replace(capability, **changes)
    return Guideline(
        id=guideline_id,
        schema="2.0",
        status="approved",
        releases=("train",),
        platforms=(Platform("OpenStack Powered Storage", "", ("c",)),),
        components={"c": Component("c", {status: ("cap",)} if status else {})},
        capabilities={"cap": capability},
        weights={"stable": 40, "doc": 40, "tools": 20},
        cutoff=74,
    )


def codes(findings) -> list[str]:
    return [finding.code for finding in findings]


def test_a_guideline_that_keeps_the_rules_has_no_findings():
    assert process_rules.check(guideline()) == ()
    assert process_rules.check_change(guideline(), guideline("2019.11")) == ()


@pytest.mark.parametrize(
    ("changes", "code", "clause"),
    [
        ({"admin": True}, "admin-required", "CoreCriteria Non-Admin"),
        ({"achievements": ("stable",)}, "below-cutoff", "2017A A7.2"),
        ({"tests": (replace(ONE, flag=Flag("[D401] x")),)}, "vacuous", "2017A C3"),
    ],
)
def test_a_required_capability_that_breaks_a_rule_is_found_with_its_clause(changes, code, clause):
    (finding,) = process_rules.check(guideline(**changes))
    assert (finding.code, finding.clause) == (code, clause)
    assert finding.pointer.startswith("/capabilities/cap")
    assert process_rules.check(guideline(status=Status.ADVISORY, **changes)) == ()


def test_names_releases_and_flags_are_checked():
    uncoded = (replace(ONE, flag=Flag("broken")), Test("m.C.two", "id-2"))
    assert codes(process_rules.check(guideline("twenty", tests=uncoded))) == [
        "name-not-a-date",
        "flag-without-code",
    ]
    assert codes(process_rules.check(replace(guideline(), releases=()))) == ["no-releases"]


@pytest.mark.parametrize(
    ("was", "now", "expected"),
    [
        (Status.ADVISORY, Status.REQUIRED, []),
        (None, Status.REQUIRED, ["required-not-advisory-before"]),
        (Status.DEPRECATED, Status.REQUIRED, ["required-not-advisory-before"]),
        (Status.DEPRECATED, Status.REMOVED, []),
        (Status.REQUIRED, Status.REMOVED, ["removed-not-deprecated-before"]),
        (Status.REQUIRED, None, ["removed-not-deprecated-before"]),
        (Status.REQUIRED, Status.DEPRECATED, []),
    ],
)
def test_statuses_change_step_by_step(was, now, expected):
    found = process_rules.check_change(guideline(status=now), guideline("2019.11", status=was))
    assert codes(found) == expected


def test_other_weights_are_noted():
    changed = replace(guideline(), weights={"stable": 50, "doc": 30, "tools": 20})
    (finding,) = process_rules.check_change(changed, guideline("2019.11"))
    assert (finding.code, finding.clause) == ("criteria-changed", "2017A A4.2")
    assert "doc, stable" in finding.message


def test_at_most_two_may_be_approved_at_once():
    three = [guideline(name) for name in ("2018.11", "2019.06", "2019.11")]
    assert process_rules.check_approved(three[:2]) == ()
    (finding,) = process_rules.check_approved(three)
    assert finding.clause == "2017A C6"


# By guideline: required capabilities below the cutoff, with admin rights, without a counting test.
KNOWN = {
    "2017.09": (4, 0, 7),
    "2018.02": (17, 2, 4),
    "2018.11": (16, 2, 2),
    "2019.06": (17, 2, 2),
    "2019.11": (17, 2, 2),
    "2020.06": (17, 2, 2),
}


@pytest.mark.parametrize("guideline_id", KNOWN)
def test_the_known_faults_of_published_guidelines_come_out(guideline_id):
    found = Counter(codes(process_rules.check(catalogue.load(guideline_id)[0])))
    assert (found["below-cutoff"], found["admin-required"], found["vacuous"]) == KNOWN[guideline_id]


def test_the_renames_of_2017_01_broke_both_rules_and_nothing_since_2016_01_else_did():
    powered = [name for name in catalogue.shipped() if "2016.01" <= name <= "2020.06"]
    errors = {}
    for name in powered:
        now = catalogue.load(name)[0]
        found = process_rules.check_change(now, catalogue.load(now.replaces)[0])
        errors[name] = sorted(finding.code for finding in found if finding.severity == "error")
    broken = errors.pop("2017.01")
    assert Counter(broken) == {
        "required-not-advisory-before": 2,
        "removed-not-deprecated-before": 2,
    }
    assert set(map(tuple, errors.values())) == {()}


def test_four_were_approved_at_once():
    powered = [catalogue.load(name)[0] for name in catalogue.shipped() if name[0].isdigit()]
    (finding,) = process_rules.check_approved(powered)
    assert "4 guidelines are approved, at most 2" in finding.message


def revised(**changes) -> Guideline:
    return replace(guideline(), **changes)


def test_an_approved_guideline_keeps_its_tests_criteria_and_flags():
    flagged = (replace(ONE, flag=Flag("[D401] x")),)
    assert process_rules.check_revision(guideline(tests=flagged), guideline()) == ()
    (gone,) = process_rules.check_revision(guideline(), guideline(tests=flagged))
    assert (gone.code, gone.clause) == ("flag-deleted", "HACKING D311")
    more = guideline(tests=(ONE, Test("m.C.two", "id-2")))
    (added,) = process_rules.check_revision(more, guideline())
    assert (added.code, added.clause) == ("tests-not-frozen", "2017A D2")
    assert "was added to" in added.message
    (removed,) = process_rules.check_revision(guideline(), more)
    assert "was removed from" in removed.message
    assert process_rules.check_revision(more, replace(guideline(), status="draft")) == ()
    (criteria,) = process_rules.check_revision(revised(cutoff=70), guideline())
    assert (criteria.code, criteria.clause) == ("criteria-not-frozen", "2017A A4.3")
