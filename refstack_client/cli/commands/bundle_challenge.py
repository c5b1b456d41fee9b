"""``bundle challenge``: issue a challenge, or request one from a collector."""

from argparse import ArgumentParser, Namespace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from refstack_client.bundle import ssh_signature
from refstack_client.cli.command import Command, say
from refstack_client.cli.exit_codes import EXIT_OK
from refstack_client.cli.options import files as file_options
from refstack_client.cli.options import results as results_options
from refstack_client.cli.options import server as server_options
from refstack_client.errors import UsageError
from refstack_client.files import read_bytes, write_over
from refstack_client.outcomes import challenge
from refstack_client.upload import refstack_api

_DAYS = 30


class IssueChallenge(Command):
    """Issue a challenge: a run that answers it took place after it was issued.

    A certifier signs it with --key. Without --key a collector is asked for one (--url).
    """

    def get_parser(self, prog_name: str) -> ArgumentParser:
        """Add the options."""
        parser = super().get_parser(prog_name)
        parser.add_argument(
            "--for",
            dest="vendor",
            metavar="KEY.pub",
            type=Path,
            required=True,
            help="public key of the vendor, who signs the bundle with the private key",
        )
        file_options.add_key(parser)
        parser.add_argument("--certifier", metavar="NAME", help="with --key: name of the certifier")
        parser.add_argument(
            "--days",
            metavar="N",
            type=results_options.number,
            default=_DAYS,
            help="with --key: days for which the challenge is valid (default: %(default)s)",
        )
        server_options.add_server(parser)
        parser.add_argument(
            *("-o", "--output"),
            metavar="FILE",
            type=Path,
            default=Path("challenge.txt"),
            help="file to write (default: %(default)s)",
        )
        return parser

    def take_action(self, args: Namespace) -> int:
        """Write the challenge."""
        if bool(args.key) != bool(args.certifier):
            raise UsageError(
                "--key and --certifier must be used together",
                hint="leave both out to request a challenge from a collector",
            )
        content = _signed(args) if args.key else _requested(args)
        found = challenge.parse(content, "the challenge").challenge
        write_over(args.output, content)
        say(f"written: {args.output}, valid until {found.expires}")
        return EXIT_OK


def _signed(args: Namespace) -> bytes:
    """Return a challenge of the certifier who runs the command."""
    key = ssh_signature.fingerprint(args.vendor)
    valid = timedelta(days=args.days)
    text = challenge.new(args.certifier, key, datetime.now(UTC), valid).content
    return text + ssh_signature.sign(text, args.key, challenge.NAMESPACE)


def _requested(args: Namespace) -> bytes:
    """Return a challenge of a collector."""
    ssh_signature.fingerprint(args.vendor)  # anything else is refused before it is sent
    key = read_bytes(args.vendor).decode(errors="replace")
    return refstack_api.request_challenge(server_options.server(args), key, say)
