"""``bundle challenge``: issue a challenge that a run of a vendor answers."""

from argparse import ArgumentParser, Namespace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from refstack_client.bundle import ssh_signature
from refstack_client.cli.command import Command
from refstack_client.cli.exit_codes import EXIT_OK
from refstack_client.cli.options import challenge as challenge_options
from refstack_client.cli.options import results as results_options
from refstack_client.outcomes import challenge

_DAYS = 30


class Issue(Command):
    """Issue a challenge: a run that answers it took place after it was issued.

    A certifier signs the challenge and sends it to the vendor, who names it with certify
    --challenge.
    """

    def get_parser(self, prog_name: str) -> ArgumentParser:
        """Add the options."""
        parser = super().get_parser(prog_name)
        challenge_options.add_new(parser)
        parser.add_argument(
            "--key",
            metavar="KEY",
            type=Path,
            required=True,
            help="OpenSSH private key of the certifier, or the .pub file of a key in the SSH agent",
        )
        parser.add_argument(
            "--certifier", metavar="NAME", required=True, help="name of the certifier"
        )
        parser.add_argument(
            "--days",
            metavar="N",
            type=results_options.number,
            default=_DAYS,
            help="days for which the challenge is valid (default: %(default)s)",
        )
        return parser

    def take_action(self, args: Namespace) -> int:
        """Write the challenge."""
        vendor = ssh_signature.fingerprint(args.vendor)
        valid = timedelta(days=args.days)
        text = challenge.new(args.certifier, vendor, datetime.now(UTC), valid).content
        signature = ssh_signature.sign(text, args.key, challenge.NAMESPACE)
        challenge_options.write_new(args, text + signature)
        return EXIT_OK
