"""``server export``: export the public pages."""
# ruff: noqa: PLC0415

import logging
from argparse import ArgumentParser, Namespace
from dataclasses import replace
from pathlib import Path

from refstack_client.cli.command import say
from refstack_client.cli.exit_codes import EXIT_OK
from refstack_server.cli import data
from refstack_server.cli.data import ServerCommand


class Export(ServerCommand):
    """Export the public pages as files that need no server."""

    def get_parser(self, prog_name: str) -> ArgumentParser:
        """Add the options."""
        parser = super().get_parser(prog_name)
        parser.add_argument(
            "target",
            type=Path,
            metavar="DIR",
            help="directory for the files; it must not exist, or be an older export",
        )
        parser.add_argument(
            "--public-url",
            type=data.url,
            metavar="URL",
            help="URL at which the files will be published",
        )
        data.add_name(parser)
        return parser

    def take_action(self, args: Namespace) -> int:
        """Write the files."""
        from refstack_server import app
        from refstack_server.operation import static_site
        from refstack_server.store import database

        data.require(args)
        settings = replace(
            data.settings(args),
            public_url=args.public_url or "",
            name=args.name,
            requests_per_minute=0,
        )
        engine = database.open_existing(settings.database_url)
        logging.disable(logging.INFO)  # Otherwise there is a line for each page.
        static_site.write(app.create(settings, engine), args.target, say)
        return EXIT_OK
