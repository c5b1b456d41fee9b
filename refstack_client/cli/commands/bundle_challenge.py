"""``bundle challenge``: issue a challenge that a run of a vendor answers."""

from argparse import ArgumentParser, Namespace
from datetime import UTC, datetime, timedelta

from refstack_client.bundle import ssh_public_key, ssh_signature
from refstack_client.cli.command import Command
from refstack_client.cli.exit_codes import EXIT_OK
from refstack_client.cli.options import challenge as challenge_options
from refstack_client.cli.options import files as file_options
from refstack_client.cli.options import results as results_options
from refstack_client.errors import UsageError
from refstack_client.outcomes import challenge

_DAYS, _MOST_DAYS = 30, 365


class Issue(Command):
    """Issue a challenge: a run that answers it took place after it was issued.

    A certifier signs the challenge and sends it to the vendor, who names it with certify
    --challenge.
    """

    def get_parser(self, prog_name: str) -> ArgumentParser:
        """Add the options."""
        parser = super().get_parser(prog_name)
        challenge_options.add_new(parser)
        file_options.add_key(parser, required=True)
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
        if not 1 <= args.days <= _MOST_DAYS:
            raise UsageError(f"--days must be 1 to {_MOST_DAYS}")
        vendor = ssh_public_key.read(args.vendor)
        valid = timedelta(days=args.days)
        new = challenge.new(args.certifier, vendor.fingerprint, datetime.now(UTC), valid)
        signature = ssh_signature.sign(new.content, args.key, challenge.NAMESPACE)
        signed = challenge.parse(new.content + signature, "the new challenge")
        challenge_options.write_new(args, signed, vendor)
        return EXIT_OK
