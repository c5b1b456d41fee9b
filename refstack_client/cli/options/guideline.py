"""Declare the options about guidelines and programmes that several commands share."""

import os
import shlex
from argparse import ArgumentParser
from collections.abc import Sequence

from capabilities import catalogue, flat_list, programme
from capabilities.finding import Finding, Severity
from capabilities.guideline import Guideline
from capabilities.programme import Programme
from refstack_client.cli.command import say
from refstack_client.planning import guideline_source

PLATFORM = "platform"
MOST_FINDINGS = 5


def add_guideline(parser: ArgumentParser) -> None:
    """Add --guideline and --programme, with defaults from the environment."""
    parser.add_argument(
        "--guideline",
        metavar="ID|FILE|URL",
        default=os.environ.get("REFSTACK_GUIDELINE"),
        help="guideline: shipped ID, path or URL (default: $REFSTACK_GUIDELINE, else the newest "
        "approved one with the programme; for a run or bundle, its own)",
    )
    parser.add_argument(
        "--programme",
        metavar="NAME",
        default=os.environ.get("REFSTACK_PROGRAMME"),
        help="programme of the guideline (default: $REFSTACK_PROGRAMME, else platform or the only "
        "one; for a run or bundle, its own)",
    )


def add_named(parser: ArgumentParser) -> None:
    """Add the guideline that a command is about."""
    parser.add_argument("guideline", metavar="ID|FILE|URL", help="shipped ID, path or URL")


def add_programme(parser: ArgumentParser) -> None:
    """Add --programme, for commands that name a guideline."""
    parser.add_argument(
        "--programme",
        metavar="NAME",
        help="programme of the guideline (default: platform, or the only one)",
    )


def load_programme(
    guideline_name: str, programme_name: str | None, default: str = PLATFORM
) -> Programme:
    """Return a programme; report findings of its guideline unless it is shipped.

    A list of tests has the name of its file, or of the shipped list that ``programme_name`` names.

    :raises GuidelineError: there is no such guideline or programme
    """
    guideline, findings = guideline_source.load(guideline_name)
    if guideline_name.lower() not in catalogue.shipped():
        _say_findings(guideline_name, findings)
    if programme_name and _is_version_of(guideline, programme_name):
        guideline = flat_list.named(guideline, programme_name.lower())
    if programme_name:
        found = programme.find(guideline, programme_name)
    else:
        found = programme.default(guideline, default)
    return catalogue.with_bases(found)


def _is_version_of(guideline: Guideline, name: str) -> bool:
    """Return whether a list may be a version of the shipped list called ``name``."""
    if guideline.schema != flat_list.SCHEMA or name.lower() not in catalogue.shipped():
        return False
    return catalogue.load(name)[0].schema == flat_list.SCHEMA


def _say_findings(name: str, findings: Sequence[Finding]) -> None:
    serious = [finding for finding in findings if finding.severity is not Severity.NOTE]
    for finding in serious[:MOST_FINDINGS]:
        say(f"{finding.severity}: {name}: {finding.pointer}: {finding.message}")
    if more := len(findings) - min(len(serious), MOST_FINDINGS):
        what = "finding" if more == 1 else "findings"
        say(f"{name}: {more} more {what}: refstack-client guideline check {shlex.quote(name)}")
