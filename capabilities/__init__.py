"""Interoperability guidelines: what a cloud must do, and which tests show it.

A published file of any schema becomes a :class:`Guideline`. :func:`programmes` lists the programmes
of one with their capabilities and tests, and :func:`match` finds those tests among the tests of an
installed Tempest::

    import capabilities

    guideline, findings = capabilities.load("2020.06")
    storage = capabilities.find_programme(guideline, "storage")
    for test in storage.counted_tests():
        print(test.name)

The package reads files and nothing else: no network, no process, no terminal.
"""

from capabilities.catalogue import default as default_guideline
from capabilities.catalogue import load, shipped
from capabilities.errors import GuidelineError, ProblemError, UnknownNameError
from capabilities.finding import Finding, Severity
from capabilities.guideline import (
    Capability,
    Component,
    Flag,
    Guideline,
    Platform,
    Rule,
    Status,
    Test,
)
from capabilities.matching import Index, Match, MatchKind, match
from capabilities.process_rules import check as check_rules
from capabilities.programme import Programme, programmes
from capabilities.programme import find as find_programme
from capabilities.reader import read
from capabilities.tempest_id import TestId
from capabilities.tempest_id import parse as parse_test_id

__all__ = [
    "Capability",
    "Component",
    "Finding",
    "Flag",
    "Guideline",
    "GuidelineError",
    "Index",
    "Match",
    "MatchKind",
    "Platform",
    "ProblemError",
    "Programme",
    "Rule",
    "Severity",
    "Status",
    "Test",
    "TestId",
    "UnknownNameError",
    "check_rules",
    "default_guideline",
    "find_programme",
    "load",
    "match",
    "parse_test_id",
    "programmes",
    "read",
    "shipped",
]
