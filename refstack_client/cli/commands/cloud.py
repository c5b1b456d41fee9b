"""``cloud check``: check a cloud before anything runs."""

import dataclasses
import json
from argparse import ArgumentParser, Namespace

from rich.console import Console
from rich.table import Table

from refstack_client import interruption
from refstack_client.cli.command import Command
from refstack_client.cli.exit_codes import EXIT_INCOMPLETE, EXIT_INTERRUPTED, EXIT_OK
from refstack_client.cli.options import cloud as cloud_options
from refstack_client.cli.options import formats
from refstack_client.cli.options import guideline as guideline_options
from refstack_client.printable import printable
from refstack_client.running import preflight
from refstack_client.running.check_result import Check as Found
from refstack_client.running.check_result import Level

_STYLES = {Level.OK: "green", Level.WARNING: "yellow", Level.PROBLEM: "red"}


class Check(Command):
    """Check whether a cloud can be certified with these credentials.

    Nothing is changed, unless tests log in to guests (--guests): then one test creates a server,
    logs in to it and removes it.
    """

    def get_parser(self, prog_name: str) -> ArgumentParser:
        """Add the options."""
        parser = super().get_parser(prog_name)
        guideline_options.add_guideline(parser)
        cloud_options.add_cloud(parser)
        cloud_options.add_output(parser)
        formats.add_format(parser)
        return parser

    def take_action(self, args: Namespace) -> int:
        """Run the command; return its exit code."""
        request = cloud_options.request(args, args.os_cloud, args.output)
        found = list(preflight.check(request, Console(stderr=True)))
        if args.format == "json":
            print(json.dumps([dataclasses.asdict(check) for check in found], indent=2))
        else:
            _show(found)
        if interruption.count():
            return EXIT_INTERRUPTED
        return EXIT_INCOMPLETE if any(check.level is Level.PROBLEM for check in found) else EXIT_OK


def _show(found: list[Found]) -> None:
    table = Table.grid(padding=(0, 2))
    for _ in range(3):
        table.add_column(overflow="fold")
    for check in found:
        table.add_row(check.name, f"[{_STYLES[check.level]}]{check.level}[/]", _text(check.found))
        if check.remedy:
            table.add_row("", "", _text(f"→ {check.remedy}"))
    Console(soft_wrap=False).print(table)
    problems = sum(check.level is Level.PROBLEM for check in found)
    print(f"checks: {len(found)}, problems: {problems}")


def _text(text: str) -> str:
    return printable(text).replace("[", r"\[")
