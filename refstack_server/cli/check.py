"""``server check``: check the data of a server."""
# ruff: noqa: PLC0415

from argparse import Namespace

from refstack_client.cli.command import Table
from refstack_client.cli.exit_codes import EXIT_BAD_INPUT
from refstack_server.cli import data
from refstack_server.cli.data import ServerLister


class Check(ServerLister):
    """Check database, log, uploads and permissions of a server; exit code 4 if a check failed."""

    def take_action(self, args: Namespace) -> Table:
        """Return the columns and rows to list."""
        from refstack_server.operation import check

        data.require(args)
        checks = list(check.run(data.settings(args)))
        if not all(found.passed for found in checks):
            self.exit_code = EXIT_BAD_INPUT
        return ("check", "result", "found", "remedy"), (
            (found.name, "passed" if found.passed else "failed", found.found, found.remedy)
            for found in checks
        )
