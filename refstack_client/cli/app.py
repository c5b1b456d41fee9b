"""Run the ``refstack-client`` command."""

import logging
import os
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from importlib import metadata
from typing import Any

from cliff.app import App
from cliff.command import Command
from cliff.commandmanager import CommandManager
from cliff.help import HelpCommand, HelpExit

from refstack_client.cli import summaries
from refstack_client.cli.command import report_missing_module, say
from refstack_client.cli.exit_codes import EXIT_UNUSABLE, EXIT_USAGE
from refstack_client.cli.options.selection import add_selection

_DISTRIBUTION = "refstack-client"
_LIBRARIES = ("keystoneauth", "matplotlib", "openstack", "stevedore", "tempest", "urllib3")


class Commands(CommandManager):
    """Find the commands without importing them: cliff's own manager scans every distribution."""

    def load_commands(self, namespace: str) -> None:
        """Take the commands of this distribution; ``_`` in a name stands for a space."""
        self.group_list.append(namespace)
        for entry in metadata.distribution(_DISTRIBUTION).entry_points.select(group=namespace):
            self.commands[entry.name.replace("_", " ")] = entry

    def find_command(self, argv: list[str]) -> tuple[type[Command], str, list[str]]:
        """Import and return the command that ``argv`` begins with.

        :raises SystemExit: it needs a package that is not installed
        """
        try:
            return super().find_command(argv)
        except ModuleNotFoundError as error:
            code = report_missing_module(error)
            if code is None:
                raise
            raise SystemExit(code) from error


class Help(HelpCommand):
    """Show the help of a command, or list all commands."""

    app: "Shell"

    def take_action(self, args: Namespace) -> int:
        """Print the help."""
        if args.cmd:
            return super().take_action(args)
        self.app.list_commands()
        return 0


class Shell(App):
    """Find and run one command; its exit code is part of the interface (README, Exit codes)."""

    NAME = "refstack-client"

    def __init__(self) -> None:
        """Declare the options that all commands have."""
        super().__init__(
            description="Certify OpenStack clouds against interoperability guidelines.",
            version=metadata.version(_DISTRIBUTION),
            command_manager=Commands("refstack_client.commands"),
            deferred_help=True,
        )
        self.command_manager.add_command("help", Help)

    def build_option_parser(
        self,
        description: str | None,
        version: str | None,
        argparse_kwargs: Mapping[str, Any] | None = None,
    ) -> ArgumentParser:
        """Add the options that select a cloud: they may stand before a command too.

        argparse finds them behind the command as well, before the command sees its arguments.
        """
        parser = super().build_option_parser(
            description, version, {**(argparse_kwargs or {}), "allow_abbrev": False}
        )
        add_selection(parser)
        return parser

    def configure_logging(self) -> None:
        """Log as cliff does, without what libraries log: errors are reported in sentences.

        :raises SystemExit: the file of --log-file cannot be written
        """
        try:
            super().configure_logging()
        except OSError as error:
            say(f"error: --log-file {self.options.log_file}: {error.strerror}")
            say("hint:  name a file that can be written")
            raise SystemExit(EXIT_UNUSABLE) from error
        if not self.options.debug:
            for name in _LIBRARIES:
                logging.getLogger(name).setLevel(logging.CRITICAL)

    def print_help_if_requested(self) -> None:
        """List the commands where --help names none."""
        if self.options.deferred_help:
            self.list_commands()
            raise HelpExit

    def list_commands(self) -> None:
        """Print the options of all commands, and each command with its summary."""
        self.parser.print_help(self.stdout)
        entries = dict(self.command_manager)
        by_entry = summaries.of(entries.values())
        width = max(map(len, entries))
        self.stdout.write("\nCommands:\n")
        for name, entry in sorted(entries.items()):
            self.stdout.write(f"  {name:<{width}}  {by_entry[entry.value]}\n")

    def run(self, argv: list[str]) -> int:
        """Run a command and return its exit code; without one list the commands."""
        if not argv:
            super().run(["help"])
            return EXIT_USAGE
        return super().run(argv)


def main(argv: list[str] | None = None) -> int:
    """Run one command and return its exit code."""
    _keep_loopback_from_proxies()
    return Shell().run(sys.argv[1:] if argv is None else argv)


def _keep_loopback_from_proxies() -> None:
    for name in ("no_proxy", "NO_PROXY"):
        hosts = os.environ.get(name)
        os.environ[name] = ",".join(filter(None, (hosts, "127.0.0.1", "localhost")))
