"""Options about guidelines and programmes, which several commands share."""

import os
from argparse import ArgumentParser
from collections.abc import Sequence

from capabilities import catalogue, programme
from capabilities.finding import Finding, Severity
from capabilities.programme import Programme
from refstack_client.cli.command import say
from refstack_client.planning import guideline_source

PLATFORM = "platform"
MOST_FINDINGS = 5


def add_guideline(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--guideline",
        metavar="ID|FILE|URL",
        default=os.environ.get("REFSTACK_GUIDELINE"),
        help="a shipped guideline or a guideline file (default: the newest approved one)",
    )
    parser.add_argument(
        "--programme",
        metavar="NAME",
        default=os.environ.get("REFSTACK_PROGRAMME"),
        help="platform, compute or storage (default: platform, or the only one there is)",
    )


def load_programme(
    guideline_name: str, programme_name: str | None, default: str = PLATFORM
) -> Programme:
    """Return a programme, saying what is wrong with its guideline if the user gave the file."""
    guideline, findings = guideline_source.load(guideline_name)
    if guideline_name not in catalogue.shipped():
        _say_findings(guideline_name, findings)
    if programme_name:
        found = programme.find(guideline, programme_name)
    else:
        found = programme.default(guideline, default)
    return catalogue.with_bases(found)


def _say_findings(name: str, findings: Sequence[Finding]) -> None:
    told = [each for each in findings if each.severity is not Severity.NOTE]
    for each in told[:MOST_FINDINGS]:
        say(f"{each.severity}: {name}: {each.pointer}: {each.message}")
    more = len(findings) - min(len(told), MOST_FINDINGS)
    if more:
        say(f"{name}: {more} more findings, shown by: refstack-client guideline check")
