"""``bundle sign|show|verify|upload``, ``attest``: results to be checked, and the vendor's word."""

import datetime
import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

from capabilities import catalogue
from refstack_client.bundle import archive, pack, ssh_signature
from refstack_client.bundle import contents as bundle_contents
from refstack_client.bundle import verify as bundle_verify
from refstack_client.bundle.contents import Bundle
from refstack_client.bundle.manifest import UNOFFICIAL
from refstack_client.cli.command import Command, Lister, say
from refstack_client.cli.commands import refstack_v1
from refstack_client.cli.exit_codes import EXIT_BAD_INPUT, EXIT_OK, OF_CONFORMANCE
from refstack_client.cli.options import guideline as guideline_options
from refstack_client.errors import InputError, UsageError
from refstack_client.files import read_bytes, write_over
from refstack_client.outcomes import attestation
from refstack_client.outcomes import run_directory as runs
from refstack_client.outcomes.attestation import NO, YES, Attestation, Statement
from refstack_client.planning import guideline_source
from refstack_client.report import text as report_text
from refstack_client.upload import refstack_api


def add_key(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--key",
        metavar="KEY",
        type=Path,
        help="sign with this OpenSSH key (or the .pub of one in the agent)",
    )


class Sign(Command):
    """Put a run, or a stream, into one file that anyone can check, signed with an SSH key."""

    def get_parser(self, prog_name: str) -> ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument("results", metavar="RUN|FILE", type=Path)
        guideline_options.add_guideline(parser)
        add_key(parser)
        parser.add_argument("-o", "--output", metavar="FILE.zip", type=Path, required=True)
        parser.add_argument(
            "--anonymous", action="store_true", help="placeholders for host names and addresses"
        )
        parser.add_argument(
            "--attestation", metavar="FILE", type=Path, help="what refstack-client attest wrote"
        )
        return parser

    def take_action(self, args: Namespace) -> int:
        source = _source(args)
        attested = _attested(args, source)
        members = pack.make(source, anonymous=args.anonymous, attested=attested)
        if args.key:
            members = pack.signed(members, args.key)
        else:
            say("not signed: --key KEY signs it")
        write_over(args.output, archive.pack(members))
        say(f"written: {args.output}")
        say(UNOFFICIAL)
        return EXIT_OK


def _source(args: Namespace) -> pack.Source:
    if args.results.is_dir():
        if args.guideline or args.programme:
            raise UsageError("a run has its own guideline and programme: leave both out")
        return pack.of_run(runs.Run(args.results))
    if not args.guideline:
        raise UsageError(
            "a stream does not say by what it is to be judged", hint="name it with --guideline"
        )
    chosen = guideline_options.load_programme(args.guideline, args.programme)
    return pack.of_stream(args.results, chosen, guideline_source.content(args.guideline))


def _attested(args: Namespace, source: pack.Source) -> dict[str, bytes]:
    if not args.attestation:
        return {}
    content = read_bytes(args.attestation)
    found = attestation.read(content, str(args.attestation))
    attestation.check_of(found, source.programme.guideline, source.programme.key)
    signature = args.attestation.with_name(f"{args.attestation.name}.sig")
    attested = {bundle_contents.ATTESTATION: content}
    if signature.exists():
        attested[bundle_contents.ATTESTATION_SIGNATURE] = read_bytes(signature)
    return attested


class Verify(Lister):
    """Check everything in a bundle, offline; the exit code is the verdict's if all holds or 4."""

    def get_parser(self, prog_name: str) -> ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument("bundle", metavar="BUNDLE", type=Path)
        parser.add_argument(
            "--signers",
            metavar="ALLOWED_SIGNERS",
            type=Path,
            help="whom you trust, as ssh-keygen(1) describes the file",
        )
        parser.add_argument(
            "--any-signer", action="store_true", help="it may be unsigned, or signed by anybody"
        )
        return parser

    def take_action(self, args: Namespace):
        found = bundle_verify.verify(args.bundle, args.signers, any_signer=args.any_signer)
        if found.is_valid and found.verdict:
            self.exit_code = OF_CONFORMANCE[found.verdict.conformance]
            say(UNOFFICIAL)
            say(report_text.headline(found.verdict))
        else:
            self.exit_code = EXIT_BAD_INPUT
            failed = ", ".join(each.name for each in found.checks if not each.passed)
            say(f"the bundle does not hold: {failed}")
        return ("check", "holds", "found"), (
            (each.name, "yes" if each.passed else "NO", each.found) for each in found.checks
        )


class Show(Lister):
    """List what a bundle says of itself; nothing of it is checked but its form."""

    def get_parser(self, prog_name: str) -> ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument("bundle", metavar="BUNDLE", type=Path)
        return parser

    def take_action(self, args: Namespace):
        bundle = Bundle.read(args.bundle)
        try:
            stated = bundle.manifest.as_json()
        except InputError as error:
            raise InputError(f"{args.bundle} is not a bundle: {error}") from error
        signed = "yes, unchecked" if bundle.has(bundle_contents.SIGNATURE) else "no"
        return ("what", "stated"), (("signed", signed), *stated.items())


class Upload(Command):
    """Send a bundle to a server, where it belongs to whoever signed it, and is private."""

    def get_parser(self, prog_name: str) -> ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument("bundle", metavar="FILE.zip", type=Path)
        refstack_v1.add_server(parser)
        return parser

    def take_action(self, args: Namespace) -> int:
        archive.read(args.bundle)  # what is none is not sent
        done = refstack_api.upload_bundle(refstack_v1.server(args), read_bytes(args.bundle), say)
        print(done.get("url", ""))
        say(str(done.get("verdict", "")))
        return EXIT_OK


class Attest(Command):
    """Write the vendor's statement on each designated section of a programme, and sign it."""

    def get_parser(self, prog_name: str) -> ArgumentParser:
        parser = super().get_parser(prog_name)
        guideline_options.add_guideline(parser)
        parser.add_argument("--product", required=True, help="name and version of the product")
        parser.add_argument("--by", required=True, help="who attests it")
        parser.add_argument(
            "--answers",
            metavar="FILE",
            type=Path,
            help="YAML with yes or no per section (default: asks on the terminal)",
        )
        add_key(parser)
        parser.add_argument(
            "-o", "--output", metavar="FILE", type=Path, default=Path(bundle_contents.ATTESTATION)
        )
        return parser

    def take_action(self, args: Namespace) -> int:
        name = args.guideline or catalogue.default()
        chosen = guideline_options.load_programme(name, args.programme)
        sections = chosen.designated_sections
        if not sections:
            raise UsageError(f"{chosen.name} {chosen.guideline.id} designates no sections")
        found = Attestation(
            guideline=chosen.guideline.id,
            sha256=chosen.guideline.digest,
            programme=chosen.key,
            product=args.product,
            by=args.by,
            date=datetime.datetime.now(datetime.UTC).date().isoformat(),
            sections=attestation.answers(read_bytes(args.answers), str(args.answers), sections)
            if args.answers
            else tuple(map(_ask, sections)),
        )
        content = found.content()
        signature = (
            ssh_signature.sign(content, args.key, attestation.NAMESPACE) if args.key else None
        )
        write_over(args.output, content)
        if signature:
            write_over(args.output.with_name(f"{args.output.name}.sig"), signature)
        say(f"written: {args.output}" + ("" if signature else ", not signed: --key KEY signs it"))
        return EXIT_OK


def _ask(section: str) -> Statement:
    if not sys.stdin.isatty():
        raise UsageError(
            f"nobody to ask about the designated sections of {section}",
            hint="answer in a file: --answers FILE",
        )
    while True:
        say(f"Does the product run the upstream code of the designated sections of {section}?")
        answer = input("yes or no: ").strip().lower()
        if answer in (YES, NO):
            return Statement(section, answer, input("note (may be empty): ").strip())
