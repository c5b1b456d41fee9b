"""``bundle create|sign|show|verify``: pack results into one file, and check such a file."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from refstack_client.bundle import archive, pack
from refstack_client.bundle import contents as bundle_contents
from refstack_client.bundle import verify as bundle_verify
from refstack_client.bundle.checks import Question, State
from refstack_client.bundle.contents import Bundle
from refstack_client.bundle.manifest import UNOFFICIAL
from refstack_client.cli.command import Command, Lister, Table, say
from refstack_client.cli.exit_codes import EXIT_BAD_INPUT, EXIT_OK, OF_CONFORMANCE
from refstack_client.cli.options import files as file_options
from refstack_client.cli.options import guideline as guideline_options
from refstack_client.cli.options import trust as trust_options
from refstack_client.errors import InputError, UsageError
from refstack_client.files import read_bytes, write_over
from refstack_client.outcomes import attestation
from refstack_client.outcomes import run_directory as runs
from refstack_client.planning import guideline_source
from refstack_client.report import text as report_text

_HOLDS = {State.PASS: "yes", State.FAIL: "NO", State.UNKNOWN: "unknown"}


class _Pack(Command):
    """Have the options of a command that writes a bundle."""

    def get_parser(self, prog_name: str) -> ArgumentParser:
        """Add the options."""
        parser = super().get_parser(prog_name)
        parser.add_argument(
            "results", metavar="RUN|FILE", type=Path, help="run directory, or subunit stream"
        )
        guideline_options.add_guideline(parser)
        parser.add_argument(
            *("-o", "--output"),
            metavar="FILE.zip",
            type=Path,
            required=True,
            help="bundle to write; an earlier one is kept as FILE.zip~",
        )
        parser.add_argument(
            "--anonymous",
            action="store_true",
            help="leave out what names parts of the cloud: hosts, users, projects, ids, paths",
        )
        parser.add_argument(
            "--attestation",
            metavar="FILE",
            type=Path,
            help="attestation to add, written by refstack-client attest",
        )
        return parser

    def take_action(self, args: Namespace) -> int:
        """Write the bundle."""
        source = _source(args)
        members = pack.make(source, anonymous=args.anonymous, attested=_attested(args, source))
        write_over(args.output, archive.pack(self.signed(members, args)))
        say(f"written: {args.output}")
        say(UNOFFICIAL)
        return EXIT_OK

    def signed(self, members: dict[str, bytes], args: Namespace) -> dict[str, bytes]:
        """Return the members with a signature, if this command adds one."""
        return members


class Create(_Pack):
    """Write results into a bundle, one file that can be verified offline, without a signature.

    A bundle contains everything that its verdict follows from. See also: bundle sign.
    """


class Sign(_Pack):
    """Write results into a bundle and sign it with an SSH key.

    A bundle contains everything that its verdict follows from, and can be verified offline.
    """

    def get_parser(self, prog_name: str) -> ArgumentParser:
        """Add the options."""
        parser = super().get_parser(prog_name)
        file_options.add_key(parser)
        return parser

    def signed(self, members: dict[str, bytes], args: Namespace) -> dict[str, bytes]:
        """Return the members with the signature of the manifest."""
        if args.key:
            return pack.signed(members, args.key)
        say("warning: bundle sign without --key is deprecated and will be an error")
        say("hint:  for a bundle without a signature use: refstack-client bundle create")
        return members


class Anonymise(Command):
    """Write an anonymised copy of a bundle, which its owner can publish on a collector.

    What stays are published words and names, and numbers. The copy has the same verdict.
    """

    def get_parser(self, prog_name: str) -> ArgumentParser:
        """Add the options."""
        parser = super().get_parser(prog_name)
        file_options.add_bundle(parser)
        parser.add_argument(
            *("-o", "--output"),
            metavar="PUBLIC.zip",
            type=Path,
            required=True,
            help="bundle to write; an earlier one is kept as PUBLIC.zip~",
        )
        file_options.add_key(parser, required=True)
        return parser

    def take_action(self, args: Namespace) -> int:
        """Write the copy."""
        members = pack.anonymised(Bundle.read(args.bundle))
        write_over(args.output, archive.pack(pack.signed(members, args.key)))
        say(f"written: {args.output}")
        say(UNOFFICIAL)
        return EXIT_OK


def _source(args: Namespace) -> pack.Source:
    if args.results.is_dir():
        if args.guideline or args.programme:
            raise UsageError(
                "--guideline and --programme cannot be used with a run, which records its own",
                hint="leave them out",
            )
        return pack.of_run(runs.Run(args.results))
    if not args.guideline:
        raise UsageError(
            f"{args.results} is a stream, which does not record its guideline",
            hint="give it with --guideline",
        )
    chosen = guideline_options.load_programme(args.guideline, args.programme)
    return pack.of_stream(args.results, chosen, guideline_source.content(args.guideline))


def _attested(args: Namespace, source: pack.Source) -> dict[str, bytes]:
    if not args.attestation:
        return {}
    content = read_bytes(args.attestation)
    document = attestation.read(content, str(args.attestation))
    attestation.check_of(document, source.programme.guideline, source.programme.key)
    signature = args.attestation.with_name(f"{args.attestation.name}.sig")
    attested = {bundle_contents.ATTESTATION: content}
    if signature.exists():
        attested[bundle_contents.ATTESTATION_SIGNATURE] = read_bytes(signature)
    return attested


class Verify(Lister):
    """Verify a bundle offline, and judge its results.

    The exit code is that of the verdict, or 4 where a check failed.
    """

    def get_parser(self, prog_name: str) -> ArgumentParser:
        """Add the options."""
        parser = super().get_parser(prog_name)
        file_options.add_bundle(parser)
        trust_options.add_trust(parser)
        return parser

    def take_action(self, args: Namespace) -> Table:
        """List the checks."""
        found = bundle_verify.verify_file(args.bundle, trust_options.trust(args))
        if found.is_valid and found.verdict:
            self.exit_code = OF_CONFORMANCE[found.verdict.conformance]
            say(UNOFFICIAL)
            say(report_text.headline(found.verdict))
            if repeated := report_text.passed_when_repeated(found.verdict):
                say(repeated)
            for mark in report_text.marks(found.verdict, found.attested):
                say(mark)
            for question in Question:
                say(f"{question}: {found.state_of(question)}")
        else:
            self.exit_code = EXIT_BAD_INPUT
            failed = ", ".join(check.name for check in found.checks if not check.passed)
            say(f"verification failed: {failed}")
        return ("question", "check", "holds", "found"), (
            (check.question, check.name, _HOLDS[check.state], check.found) for check in found.checks
        )


class Show(Lister):
    """Show the manifest of a bundle, without verifying it."""

    def get_parser(self, prog_name: str) -> ArgumentParser:
        """Add the options."""
        parser = super().get_parser(prog_name)
        file_options.add_bundle(parser)
        return parser

    def take_action(self, args: Namespace) -> Table:
        """List the fields of the manifest."""
        bundle = Bundle.read(args.bundle)
        try:
            manifest = bundle.manifest.as_json()
        except InputError as error:
            raise InputError(f"{args.bundle} is not a bundle: {error}") from error
        signed = "yes, not verified" if bundle.has(bundle_contents.SIGNATURE) else "no"
        return ("what", "stated"), (("signed", signed), *manifest.items())
