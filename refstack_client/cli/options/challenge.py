"""Declare the options about the challenge of a certifier."""

import contextlib
from argparse import ArgumentParser, Namespace
from datetime import UTC, datetime
from pathlib import Path

from refstack_client.bundle import ssh_signature
from refstack_client.bundle.ssh_public_key import PublicKey
from refstack_client.cli.command import say
from refstack_client.errors import InputError, MachineError, UsageError
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


def write_new(args: Namespace, new: SignedChallenge, vendor: PublicKey) -> None:
    """Write a new challenge.

    :param vendor: the key for which it must be
    :raises InputError: it is not a challenge that this vendor can answer now, or cannot be written
    """
    challenge.check_valid(new.challenge, datetime.now(UTC))
    signer = ssh_signature.check(new.content, new.signature, challenge.NAMESPACE)
    if new.challenge.key != vendor.fingerprint:
        raise InputError(
            f"the new challenge is for the key {new.challenge.key}, not {vendor.fingerprint}",
            hint="report it to the operator of the server",
        )
    if new.challenge.key == signer.fingerprint:
        raise InputError(
            "the challenge is for the key that signs it, and no answer to it would be accepted",
            hint="name the public key of the vendor with --for",
        )
    write_over(args.output, new.file)
    say(f"written: {args.output}, valid until {new.challenge.expires}")


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
    found = challenge.parse(read_bytes(args.challenge), str(args.challenge))
    check_unexpired(found)
    # A container has no ssh-keygen: the launcher has checked the signature before.
    with contextlib.suppress(MachineError):
        _check_signature(found, args.challenge)
    return found


def check_unexpired(answered: SignedChallenge | None) -> None:
    """Check that tests may run now that answer a challenge, if there is one; name it.

    :raises InputError: it has expired, or was issued in the future
    """
    if answered:
        challenge.check_valid(answered.challenge, datetime.now(UTC))
        say(
            f"challenge: of {answered.challenge.certifier}, valid until "
            f"{answered.challenge.expires}"
        )


def read(path: Path) -> SignedChallenge:
    """Return a challenge that was issued.

    :raises InputError: it has another form, or its signature is not valid
    """
    found = challenge.parse(read_bytes(path), str(path))
    _check_signature(found, path)
    return found


def _check_signature(signed: SignedChallenge, path: Path) -> None:
    try:
        ssh_signature.check(signed.content, signed.signature, challenge.NAMESPACE)
    except ssh_signature.SignatureError as error:
        raise InputError(
            f"{path}: {error}", hint="the file was changed: get it from the certifier again"
        ) from error
