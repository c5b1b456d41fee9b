"""``bundle statement``: state the results of a bundle for tools that read in-toto statements."""

import re
from argparse import ArgumentParser, Namespace
from datetime import UTC, datetime
from pathlib import Path

from refstack_client.bundle import archive, envelope, statement
from refstack_client.bundle.contents import Bundle
from refstack_client.bundle.statement import Subject, Verifier
from refstack_client.bundle.verify import Trust, Verification, verify_bundle
from refstack_client.cli.command import Command, say
from refstack_client.cli.exit_codes import EXIT_OK
from refstack_client.cli.options import files as file_options
from refstack_client.cli.options import trust as trust_options
from refstack_client.errors import InputError, UsageError
from refstack_client.files import read_bytes, write_over

_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[!-~]+")
_TEST_RESULT, _SUMMARY = "test-result", "verification-summary"


class State(Command):
    """Write an in-toto statement about a bundle, in a signed DSSE envelope.

    The bundle is verified first, with the options of bundle verify.
    """

    def get_parser(self, prog_name: str) -> ArgumentParser:
        """Add the options."""
        parser = super().get_parser(prog_name)
        file_options.add_bundle(parser)
        trust_options.add_trust(parser)
        parser.add_argument(
            "--predicate",
            choices=(_TEST_RESULT, _SUMMARY),
            default=_TEST_RESULT,
            help="what to state: the results, of a bundle that is valid, or the result of its "
            "verification (default: %(default)s)",
        )
        parser.add_argument(
            "--verifier",
            metavar="URI",
            help="who verified the bundle, for a verification summary",
        )
        parser.add_argument(
            "--key",
            metavar="KEY",
            type=Path,
            required=True,
            help="private key to sign the envelope with, in OpenSSH's format or PEM",
        )
        parser.add_argument(
            *("-o", "--output"),
            metavar="FILE.json",
            type=Path,
            required=True,
            help="envelope to write; an earlier one is kept as FILE.json~",
        )
        parser.add_argument(
            "--public-key",
            metavar="FILE.pem",
            type=Path,
            help="also write the public key in PEM, with which other tools verify the envelope",
        )
        return parser

    def take_action(self, args: Namespace) -> int:
        """Verify the bundle and write the envelope."""
        _check(args)
        bundle = Bundle.read(args.bundle)
        # A bundle that can be read is byte for byte what its members are packed to.
        subject = Subject(args.bundle.name, archive.pack(bundle.members))
        trust = trust_options.trust(args)
        found = verify_bundle(bundle, trust)
        if args.predicate == _SUMMARY:
            policy = Subject(args.policy.name, read_bytes(args.policy)) if args.policy else None
            verifier = Verifier(args.verifier, datetime.now(UTC), policy, _options(args, trust))
            payload = statement.verification_summary(subject, bundle, found, verifier)
            for check in found.checks:
                if not check.passed:
                    say(f"failed: {check.name}: {check.found}")
        else:
            payload = _test_result(subject, bundle, found)
        signed = envelope.sign(payload, envelope.IN_TOTO, args.key)
        write_over(args.output, signed.content)
        say(f"written: {args.output}")
        if args.public_key:
            write_over(args.public_key, signed.public_key)
            say(f"written: {args.public_key}")
        return EXIT_OK


def _check(args: Namespace) -> None:
    """Check that the options fit together.

    :raises UsageError: they do not
    """
    is_summary = args.predicate == _SUMMARY
    hint = "give a URI that names you, such as --verifier https://example.org/certifier"
    if is_summary and not args.verifier:
        raise UsageError(f"--predicate {_SUMMARY} needs --verifier URI", hint=hint)
    if args.verifier and not is_summary:
        raise UsageError(f"--verifier can only be used with --predicate {_SUMMARY}")
    if args.verifier and not _URI.fullmatch(args.verifier):
        raise UsageError(f"{args.verifier} is not a URI", hint=hint)
    files = [args.bundle, args.key, args.output, args.public_key, args.policy, args.challenge]
    written = [path.resolve() for path in (args.output, args.public_key) if path]
    given = [path.resolve() for path in files if path]
    for path in written:
        if given.count(path) > 1:
            raise UsageError(f"{path} is named twice, and would be overwritten")


def _options(args: Namespace, trust: Trust) -> dict[str, str]:
    """Return the options that decided on a verification, besides the policy."""
    found = {}
    if args.any_signer:
        found["any-signer"] = "true"
    if args.max_retries is not None:
        found["max-retries"] = str(args.max_retries)
    if args.guideline:
        found["guideline"] = args.guideline
    if trust.challenge:
        found["challenge"] = trust.challenge.digest
    return found


def _test_result(subject: Subject, bundle: Bundle, found: Verification) -> bytes:
    """Return the statement of the results.

    :raises InputError: a check failed
    """
    failed = [check for check in found.checks if not check.passed]
    if failed or found.verdict is None:
        raise InputError(
            f"the bundle is not valid: {failed[0].name}: {failed[0].found}",
            hint="refstack-client bundle verify shows all checks; --any-signer accepts any key",
        )
    return statement.test_result(subject, bundle, found.verdict)
