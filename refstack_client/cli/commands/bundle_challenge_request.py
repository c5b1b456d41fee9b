"""``bundle challenge request``: get a challenge from a collector."""

from argparse import ArgumentParser, Namespace

from refstack_client.bundle import ssh_public_key
from refstack_client.cli.command import Command, say
from refstack_client.cli.exit_codes import EXIT_OK
from refstack_client.cli.options import challenge as challenge_options
from refstack_client.cli.options import server as server_options
from refstack_client.errors import InputError
from refstack_client.outcomes import challenge
from refstack_client.upload import refstack_api


class Request(Command):
    """Request a challenge from a collector, for certify --challenge."""

    def get_parser(self, prog_name: str) -> ArgumentParser:
        """Add the options."""
        parser = super().get_parser(prog_name)
        challenge_options.add_new(parser)
        server_options.add_collector(parser)
        return parser

    def take_action(self, args: Namespace) -> int:
        """Write the challenge."""
        vendor = ssh_public_key.read(args.vendor)
        server = server_options.server(args)
        content = refstack_api.request_challenge(server, vendor.line, say)
        try:
            new = challenge.parse(content, "its response")
        except InputError as error:
            raise InputError(
                f"{server.url} did not send a challenge: {error}",
                hint="check --url: the server must be a collector of this project",
            ) from error
        challenge_options.write_new(args, new, vendor)
        return EXIT_OK
