"""Options about guidelines and programmes, which several commands share."""

import os
from argparse import ArgumentParser

from capabilities import catalogue, programme
from capabilities.programme import Programme
from refstack_client.command import say

PLATFORM = "platform"


def add_guideline(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--guideline",
        metavar="ID|FILE",
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
    """Return a programme, saying what is odd about its guideline."""
    guideline, findings = catalogue.load(guideline_name)
    for finding in findings:
        say(f"{finding.severity}: {guideline_name}: {finding.pointer}: {finding.message}")
    if programme_name:
        return programme.find(guideline, programme_name)
    return programme.default(guideline, default)
