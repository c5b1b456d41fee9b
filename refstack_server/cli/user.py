"""``server user add``: the users of a server."""
# ruff: noqa: PLC0415

from argparse import ArgumentParser, Namespace
from pathlib import Path

from refstack_client.cli.exit_codes import EXIT_OK
from refstack_server.cli import data
from refstack_server.cli.data import ServerCommand
from refstack_server.store.errors import ConflictError, InvalidError

_ANOTHER_KEY = "name a .pub file that no other user registered"


class Add(ServerCommand):
    """Add a user, register a key for a user, or let a user act for the Foundation."""

    def get_parser(self, prog_name: str) -> ArgumentParser:
        """Add the options."""
        parser = super().get_parser(prog_name)
        parser.add_argument(
            "openid", help="the identity provider's name for the user, or any unique name"
        )
        parser.add_argument("--email", default="", help="email address of the user")
        parser.add_argument("--fullname", default="", help="full name of the user")
        parser.add_argument(
            "--key", type=Path, metavar="FILE", help="public key of the user in OpenSSH's format"
        )
        parser.add_argument(
            "--foundation", action="store_true", help="let the user act for the Foundation"
        )
        return parser

    def take_action(self, args: Namespace) -> int:
        """Add or update the user."""
        from refstack_server.store import database
        from refstack_server.store import users as stored_users

        settings = data.settings(args)
        data.create(args)
        engine = database.open_or_create(settings.database_url)
        key = data.read_text(args.key) if args.key else ""
        new = stored_users.NewUser(args.openid, args.email, args.fullname, key)
        data.accepted(
            lambda: stored_users.add(engine, new),
            dict.fromkeys((ConflictError, InvalidError), _ANOTHER_KEY),
        )
        if args.foundation:
            stored_users.add_to_foundation(engine, args.openid)
        return EXIT_OK
