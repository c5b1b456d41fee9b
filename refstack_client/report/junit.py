"""Findings and verdicts as JUnit XML, which CI services show."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from junitparser import Error, Failure, JUnitXml, Skipped, TestCase, TestSuite

from capabilities.finding import Finding, Severity
from refstack_client.files import write_text
from refstack_client.printable import printable
from refstack_client.report import document
from scoring.conformance.outcomes import Outcome
from scoring.conformance.verdict import TestVerdict, Verdict

# CI services take a skipped test for harmless, so a test that did not run is an error.
_RESULTS = {
    Outcome.FAIL: Failure,
    Outcome.SKIP: Skipped,
    Outcome.NOT_RUN: Error,
    Outcome.MISSING: Error,
}


def write(path: Path, checked: Mapping[str, Sequence[Finding]]) -> None:
    """Write a suite per guideline with a case per finding; an error is a failure."""
    suites = JUnitXml()
    for name, findings in checked.items():
        suite = TestSuite(name)
        for finding in findings:
            case = TestCase(f"{finding.code} {finding.pointer}", classname=name)
            if finding.severity is Severity.ERROR:
                case.result = [Failure(f"{finding.message} ({finding.clause or finding.code})")]
            else:
                case.system_out = finding.message
            suite.add_testcase(case)
        if not findings:
            suite.add_testcase(TestCase("no findings", classname=name))
        suites.add_testsuite(suite)
    write_text(path, suites.tostring().decode("utf-8"))


def of_verdict(verdict: Verdict) -> bytes:
    """Return a suite with a case per required test that counts, and the verdict as a property."""
    guideline = verdict.programme.guideline
    suite = TestSuite(f"{verdict.programme.name} {guideline.id}")
    suite.add_property("verdict", str(verdict.conformance))
    for name, count in document.counts(verdict).items():
        suite.add_property(name, str(count))
    for test in verdict.required:
        suite.add_testcase(_case(test))
    suites = JUnitXml()
    suites.add_testsuite(suite)
    return suites.tostring()


def _case(verdict: TestVerdict) -> TestCase:
    class_name, _, name = verdict.test.name.rpartition(".")
    case = TestCase(name, classname=class_name)
    if verdict.outcome is not Outcome.PASS:
        call = f"\n{verdict.cause.call}" if verdict.cause and verdict.cause.call else ""
        kind = str(verdict.cause.kind) if verdict.cause else str(verdict.outcome)
        result = _RESULTS[verdict.outcome](printable(verdict.reason), kind)
        result.text = printable(f"{verdict.reason}{call}")
        case.result = [result]
    return case
