"""Declare the options about the challenge of a certifier."""

import contextlib
from argparse import ArgumentParser, Namespace
from datetime import UTC, datetime
from pathlib import Path

from refstack_client.bundle import ssh_signature
from refstack_client.cli.command import say
from refstack_client.errors import MachineError, UsageError
from refstack_client.files import read_bytes, write_over
from refstack_client.outcomes import challenge
from refstack_client.outcomes.challenge import SignedChallenge


def add_challenge(parser: ArgumentParser) -> None:
    """Add --challenge to a command that starts a run."""
    parser.add_argument(
        "--challenge",
        metavar="FILE",
        type=Path,
        help="challenge of a certifier that the run answers: it shows that the tests ran after the "
        "challenge was issued",
    )


def add_new(parser: ArgumentParser) -> None:
    """Add the options of a command that writes a new challenge."""
    parser.add_argument(
        "--for",
        dest="vendor",
        metavar="KEY.pub",
        type=Path,
        required=True,
        help="public key of the vendor, who signs the bundle with the private key",
    )
    parser.add_argument(
        *("-o", "--output"),
        metavar="FILE",
        type=Path,
        default=Path("challenge.txt"),
        help="file to write (default: %(default)s); an earlier one is kept as FILE~",
    )


def write_new(args: Namespace, content: bytes) -> None:
    """Write a new challenge.

    :raises InputError: it is not a valid challenge, or cannot be written
    """
    new = challenge.parse(content, "the new challenge").challenge
    write_over(args.output, content)
    say(f"written: {args.output}, valid until {new.expires}")


def read_to_answer(args: Namespace) -> SignedChallenge | None:
    """Return the challenge that a new run answers, None without one.

    :raises InputError: it has another form or another signature, or is not valid now
    :raises UsageError: no new run is started
    """
    if args.challenge is None:
        return None
    if args.resume:
        raise UsageError(
            "--challenge cannot be used with --resume: a run answers the challenge that it was "
            "started with",
            hint="leave it out, or start a new run",
        )
    found = read(args.challenge)
    challenge.check_valid(found.challenge, datetime.now(UTC))
    # A container has no ssh-keygen: the launcher has checked the signature before.
    with contextlib.suppress(MachineError):
        ssh_signature.check(found.content, found.signature, challenge.NAMESPACE)
    return found


def read(path: Path) -> SignedChallenge:
    """Return a challenge.

    :raises InputError: it has another form
    """
    return challenge.parse(read_bytes(path), str(path))
