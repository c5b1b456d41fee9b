"""``bundle upload``: send a bundle to a collector."""

from argparse import ArgumentParser, Namespace

from refstack_client.bundle import archive
from refstack_client.cli.command import Command, say
from refstack_client.cli.exit_codes import EXIT_OK
from refstack_client.cli.options import files as file_options
from refstack_client.cli.options import server as server_options
from refstack_client.files import read_bytes
from refstack_client.upload import refstack_api


class Upload(Command):
    """Upload a bundle to a collector; the owner of the key that signed it can see it."""

    def get_parser(self, prog_name: str) -> ArgumentParser:
        """Add the options."""
        parser = super().get_parser(prog_name)
        file_options.add_bundle(parser)
        server_options.add_collector(parser)
        return parser

    def take_action(self, args: Namespace) -> int:
        """Upload the bundle; print its URL."""
        archive.read(args.bundle)  # anything else is refused before it is sent
        done = refstack_api.upload_bundle(server_options.server(args), read_bytes(args.bundle), say)
        print(done.get("url", ""))
        say(str(done.get("verdict", "")))
        return EXIT_OK
