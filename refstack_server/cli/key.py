"""``server key list|revoke``: the public keys of users."""
# ruff: noqa: PLC0415

from argparse import ArgumentParser, Namespace

from refstack_client.cli.command import Table, say
from refstack_client.cli.exit_codes import EXIT_OK
from refstack_server.cli import data
from refstack_server.cli.data import ServerCommand, ServerLister
from refstack_server.store.errors import NotFoundError


class List(ServerLister):
    """List the registered public keys of all users."""

    def take_action(self, args: Namespace) -> Table:
        """Return the columns and rows to list."""
        from refstack_server.store import accounts, database

        data.require(args)
        engine = database.open_existing(data.settings(args).database_url)
        keys = accounts.keys(engine)
        return ("fingerprint", "type", "openid", "comment", "proven", "registered"), (
            (
                key.fingerprint,
                key.format,
                key.openid,
                key.comment,
                key.is_proven,
                key.created_at.isoformat(),
            )
            for key in keys
        )


class Revoke(ServerCommand):
    """Revoke a public key: it signs no further uploads and tokens. Its results stay."""

    def get_parser(self, prog_name: str) -> ArgumentParser:
        """Add the options."""
        parser = super().get_parser(prog_name)
        parser.add_argument(
            "fingerprint", metavar="FINGERPRINT", help="fingerprint of the key, SHA256:…"
        )
        return parser

    def take_action(self, args: Namespace) -> int:
        """Revoke the key."""
        from refstack_server.store import accounts, database

        data.require(args)
        engine = database.open_existing(data.settings(args).database_url)
        openid = data.accepted(
            lambda: accounts.revoke(database.writer(engine), args.fingerprint),
            {NotFoundError: "list the keys with: refstack-client server key list"},
        )
        say(f"revoked: {args.fingerprint} of {openid}")
        return EXIT_OK
