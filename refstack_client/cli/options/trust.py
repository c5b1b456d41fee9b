"""Declare the options about what a certifier trusts, for commands that verify a bundle."""

import dataclasses
from argparse import ArgumentParser, Namespace
from pathlib import Path

from refstack_client.bundle import policy as bundle_policy
from refstack_client.bundle.policy import Policy
from refstack_client.bundle.verify import Trust
from refstack_client.cli.options import challenge as challenge_options
from refstack_client.cli.options import results as results_options
from refstack_client.files import read_bytes
from refstack_client.outcomes.run_attempts import RETRY_BUDGET
from refstack_client.planning import guideline_source


def add_trust(parser: ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument(
        "--signers",
        metavar="ALLOWED_SIGNERS",
        type=Path,
        help="file of trusted signers, in the format of ALLOWED SIGNERS in ssh-keygen(1)",
    )
    parser.add_argument(
        "--any-signer",
        action="store_true",
        help="accept any signature, or none",
    )
    parser.add_argument(
        "--guideline",
        metavar="FILE",
        help="a guideline to trust that is not shipped with this release: id, file or URL",
    )
    parser.add_argument(
        "--policy",
        metavar="FILE",
        type=Path,
        help="what is required beside the verdict, as YAML",
    )
    parser.add_argument(
        "--challenge",
        metavar="FILE",
        type=Path,
        help="the challenge that you issued: the run must answer this one",
    )
    parser.add_argument(
        "--max-retries",
        metavar="N",
        type=results_options.number,
        help="how often a failed test may be run again (default: what the run allowed, and at "
        f"most {RETRY_BUDGET})",
    )


def trust(args: Namespace) -> Trust:
    """Return what the options trust.

    :raises InputError: a file that they name has another form
    """
    return Trust(
        signers=args.signers,
        any_signer=args.any_signer,
        guideline=guideline_source.load(args.guideline)[0] if args.guideline else None,
        policy=_policy(args),
        challenge=challenge_options.read(args.challenge) if args.challenge else None,
    )


def _policy(args: Namespace) -> Policy:
    """Return what --policy and --max-retries require."""
    found = Policy()
    if args.policy:
        found = bundle_policy.parse(read_bytes(args.policy), str(args.policy))
    if args.max_retries is not None:
        found = dataclasses.replace(found, max_retries=args.max_retries)
    return found
