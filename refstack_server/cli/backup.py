"""``server backup|restore``: everything that a server has, in one file."""
# ruff: noqa: PLC0415

from argparse import ArgumentParser, Namespace
from pathlib import Path

from refstack_client.cli.command import say
from refstack_client.cli.exit_codes import EXIT_INCOMPLETE, EXIT_OK
from refstack_server.cli import data
from refstack_server.cli.data import ServerCommand


class Backup(ServerCommand):
    """Write the whole data of a server to one file, while the server runs or not.

    The file contains the secrets of the server: only its owner can read it.
    """

    def get_parser(self, prog_name: str) -> ArgumentParser:
        """Add the options."""
        parser = super().get_parser(prog_name)
        parser.add_argument("file", type=Path, metavar="FILE", help="new file for the backup")
        return parser

    def take_action(self, args: Namespace) -> int:
        """Write the file; exit code 3 if the server has lost uploads."""
        from refstack_server.operation import backup

        data.require(args)
        content = backup.write(data.settings(args), args.file)
        say(f"written: {args.file} (rows: {content.rows}, uploads: {content.uploads})")
        for sha256 in content.missing:
            say(f"warning: the upload {sha256} is missing or damaged, also in the backup")
        if not content.missing:
            return EXIT_OK
        say("hint:  list the damage with: refstack-client server check")
        return EXIT_INCOMPLETE


class Restore(ServerCommand):
    """Restore a backup into a new data directory and an empty database."""

    def get_parser(self, prog_name: str) -> ArgumentParser:
        """Add the options."""
        parser = super().get_parser(prog_name)
        parser.add_argument("file", type=Path, metavar="FILE", help="file of server backup")
        return parser

    def take_action(self, args: Namespace) -> int:
        """Restore the file."""
        from refstack_server.operation import restore

        data.restrict()
        content = restore.read(data.settings(args), args.file)
        say(f"restored: {args.data} (rows: {content.rows}, uploads: {content.uploads})")
        return EXIT_OK
