"""``server user add|list|remove``: the users of a server."""
# ruff: noqa: PLC0415

from argparse import ArgumentParser, Namespace
from pathlib import Path

from refstack_client.cli.command import Table, say
from refstack_client.cli.exit_codes import EXIT_OK
from refstack_server.cli import data
from refstack_server.cli.data import ServerCommand, ServerLister
from refstack_server.store.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError

_ANOTHER_KEY = "name a .pub file that no other user registered"
_HINTS = {
    NotFoundError: "list the users with: refstack-client server user list",
    ConflictError: "have another user join the vendor first; for the Foundation: "
    "refstack-client server user add --foundation",
    ForbiddenError: "have the user share them, or remove them too with --private-results",
}


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


class List(ServerLister):
    """List the users of a server."""

    def take_action(self, args: Namespace) -> Table:
        """Return the columns and rows to list."""
        from refstack_server.store import accounts, database

        data.require(args)
        engine = database.open_existing(data.settings(args).database_url)
        return accounts.Account._fields, accounts.users(engine)


class Remove(ServerCommand):
    """Remove a user with all personal data; results that others can see stay.

    Those results, and vendors and products that the user created, belong to a new name that
    identifies no person. A user who signs in again has a new account.
    """

    def get_parser(self, prog_name: str) -> ArgumentParser:
        """Add the options."""
        parser = super().get_parser(prog_name)
        parser.add_argument("openid", metavar="OPENID", help="name of the user, as in user list")
        parser.add_argument(
            "--private-results",
            action="store_true",
            help="also remove the results, and their uploads, that only the user can see",
        )
        return parser

    def take_action(self, args: Namespace) -> int:
        """Remove the user."""
        from refstack_server.store import accounts, database

        data.require(args)
        engine = database.open_existing(data.settings(args).database_url)
        removal = data.accepted(
            lambda: accounts.remove(
                database.writer(engine), args.data, args.openid, with_private=args.private_results
            ),
            _HINTS,
        )
        say(f"removed: {args.openid}, private results: {removal.removed}")
        if removal.successor:
            say(f"what others can see belongs to {removal.successor}")
        return EXIT_OK
