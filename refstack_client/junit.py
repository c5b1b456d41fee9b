"""Findings as JUnit XML, which every CI shows."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from junitparser import Failure, JUnitXml, TestCase, TestSuite

from capabilities.finding import Finding, Severity
from refstack_client.files import write_text


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
