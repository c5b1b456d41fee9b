"""``bundle challenge request``: get a challenge from a collector."""

from argparse import ArgumentParser, Namespace

from refstack_client.bundle import ssh_signature
from refstack_client.cli.command import Command, say
from refstack_client.cli.exit_codes import EXIT_OK
from refstack_client.cli.options import challenge as challenge_options
from refstack_client.cli.options import server as server_options
from refstack_client.files import read_bytes
from refstack_client.upload import refstack_api


class Request(Command):
    """Request a challenge from a collector, for certify --challenge."""

    def get_parser(self, prog_name: str) -> ArgumentParser:
        """Add the options."""
        parser = super().get_parser(prog_name)
        challenge_options.add_new(parser)
        server_options.add_server(parser)
        return parser

    def take_action(self, args: Namespace) -> int:
        """Write the challenge."""
        ssh_signature.fingerprint(args.vendor)  # anything else is refused before it is sent
        key = read_bytes(args.vendor).decode(errors="replace")
        content = refstack_api.request_challenge(server_options.server(args), key, say)
        challenge_options.write_new(args, content)
        return EXIT_OK
