"""``attest``: write a vendor's attestation."""

import datetime
import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

from capabilities import catalogue
from refstack_client.bundle import contents as bundle_contents
from refstack_client.bundle import ssh_signature
from refstack_client.cli.command import Command, say
from refstack_client.cli.exit_codes import EXIT_OK
from refstack_client.cli.options import files as file_options
from refstack_client.cli.options import guideline as guideline_options
from refstack_client.errors import UsageError
from refstack_client.files import read_bytes, write_over
from refstack_client.outcomes import attestation
from refstack_client.outcomes.attestation import NO, YES, Attestation, Statement


class Attest(Command):
    """Write a vendor's attestation of the designated sections of a programme, and sign it."""

    def get_parser(self, prog_name: str) -> ArgumentParser:
        """Add the options."""
        parser = super().get_parser(prog_name)
        guideline_options.add_guideline(parser)
        parser.add_argument("--product", required=True, help="name and version of the product")
        parser.add_argument(
            "--by", required=True, metavar="NAME", help="name of the attesting person"
        )
        parser.add_argument(
            "--answers",
            metavar="FILE",
            type=Path,
            help="YAML file with yes or no for each component (default: ask on the terminal)",
        )
        file_options.add_key(parser)
        parser.add_argument(
            *("-o", "--output"),
            metavar="FILE",
            type=Path,
            default=Path(bundle_contents.ATTESTATION),
            help="file to write; the signature is FILE.sig (default: %(default)s)",
        )
        return parser

    def take_action(self, args: Namespace) -> int:
        """Ask, or read the answers, and write the attestation."""
        name = args.guideline or catalogue.default(args.programme)
        chosen = guideline_options.load_programme(name, args.programme)
        sections = chosen.designated_sections
        if not sections:
            raise UsageError(f"{chosen.name} {chosen.guideline.id} has no designated sections")
        document = Attestation(
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
        content = document.content()
        signature = (
            ssh_signature.sign(content, args.key, attestation.NAMESPACE) if args.key else None
        )
        write_over(args.output, content)
        if signature:
            write_over(args.output.with_name(f"{args.output.name}.sig"), signature)
        say(f"written: {args.output}" + ("" if signature else ", not signed (use --key KEY)"))
        return EXIT_OK


def _ask(section: str) -> Statement:
    if not sys.stdin.isatty():
        raise UsageError(
            f"cannot ask about the designated sections of {section}: no terminal",
            hint="give the answers in a file: --answers FILE",
        )
    while True:
        say(f"Does the product run the upstream code of the designated sections of {section}?")
        answer = input("yes or no: ").strip().lower()
        if answer in (YES, NO):
            return Statement(section, answer, input("note (may be empty): ").strip())
