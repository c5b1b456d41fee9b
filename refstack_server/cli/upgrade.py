"""``server upgrade``: upgrade the database."""
# ruff: noqa: PLC0415

from argparse import Namespace

from refstack_client.cli.command import say
from refstack_client.cli.exit_codes import EXIT_OK
from refstack_server.cli import data
from refstack_server.cli.data import ServerCommand


class Upgrade(ServerCommand):
    """Upgrade the database to the schema of this release; all data is kept."""

    def take_action(self, args: Namespace) -> int:
        """Upgrade the database."""
        from refstack_server.intake import statements
        from refstack_server.store import database

        settings = data.settings(args)
        data.create(args)
        engine = database.connect(settings.database_url)
        database.upgrade(engine)
        for result_id in statements.record(database.writer(engine), settings.data):
            say(
                f"warning: the bundle of the result {result_id} cannot be read: who signed it, and "
                "its attestation, are not shown"
            )
        say("the database has the schema of this release")
        return EXIT_OK
