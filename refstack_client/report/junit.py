"""Findings and verdicts as JUnit XML, which every CI shows."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from junitparser import Error, Failure, JUnitXml, Skipped, TestCase, TestSuite

from capabilities.finding import Finding, Severity
from refstack_client.files import write_text
from refstack_client.report import document as report_document
from scoring.conformance.outcomes import Outcome
from scoring.conformance.verdict import TestVerdict, Verdict

# JUnit's skipped is harmless: what did not run is an error there.
_RESULTS = {
    Outcome.FAIL: Failure,
    Outcome.SKIP: Skipped,
    Outcome.NOT_RUN: Error,
    Outcome.MISSING: Error,
}


def write(path: Path, checked: Mapping[str, Sequence[Finding]]) -> None:
    """Write a suite per guideline: a case per finding, failed where it is an error."""
    document = JUnitXml()
    for name, findings in checked.items():
        suite = TestSuite(name)
        for each in findings:
            case = TestCase(f"{each.code} {each.pointer}", classname=name)
            if each.severity is Severity.ERROR:
                case.result = [Failure(f"{each.message} ({each.clause or each.code})")]
            else:
                case.system_out = each.message
            suite.add_testcase(case)
        if not findings:
            suite.add_testcase(TestCase("no findings", classname=name))
        document.add_testsuite(suite)
    write_text(path, document.tostring().decode("utf-8"))


def of_verdict(verdict: Verdict) -> bytes:
    """Return a suite with a case per required test that counts, and the verdict as a property."""
    guideline = verdict.programme.guideline
    suite = TestSuite(f"{verdict.programme.name} {guideline.id}")
    suite.add_property("verdict", str(verdict.conformance))
    for name, count in report_document.as_json(verdict)["required"].items():
        suite.add_property(name, str(count))
    for each in verdict.required:
        suite.add_testcase(_case(each))
    document = JUnitXml()
    document.add_testsuite(suite)
    return document.tostring()


def _case(each: TestVerdict) -> TestCase:
    class_name, _, name = each.test.name.rpartition(".")
    case = TestCase(name, classname=class_name)
    if each.outcome is not Outcome.PASS:
        call = f"\n{each.cause.call}" if each.cause and each.cause.call else ""
        kind = str(each.cause.kind) if each.cause else str(each.outcome)
        result = _RESULTS[each.outcome](_printable(each.reason), kind)
        result.text = _printable(f"{each.reason}{call}")
        case.result = [result]
    return case


def _printable(text: str) -> str:
    """Return ``text`` without the control characters that XML cannot hold."""
    return "".join(each for each in text if each.isprintable() or each in "\t\n")
