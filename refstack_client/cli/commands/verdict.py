"""``verdict``: judge results by a guideline."""

import json
from argparse import ArgumentParser, Namespace
from pathlib import Path

from capabilities import catalogue, programme
from refstack_client.bundle.open_results import Results
from refstack_client.cli.command import Command, show_lines
from refstack_client.cli.exit_codes import OF_CONFORMANCE
from refstack_client.cli.options import formats
from refstack_client.cli.options import results as results_options
from refstack_client.errors import UsageError
from refstack_client.files import json_text, read_bytes
from refstack_client.outcomes import attestation
from refstack_client.report import document as report_document
from refstack_client.report import text as report_text
from scoring.conformance.outcomes import Outcome

ALL = "all"


class ShowVerdict(Command):
    """Judge results by a guideline, and show the verdict with its reasons.

    Exit code 0 means conformant, 1 not conformant, 3 incomplete.
    """

    def get_parser(self, prog_name: str) -> ArgumentParser:
        """Add the options."""
        parser = super().get_parser(prog_name)
        results_options.add_results(parser)
        formats.add_format(parser)
        parser.add_argument(
            "--attestation",
            metavar="FILE",
            type=Path,
            help="vendor's attestation of designated sections, which OpenStack Powered requires",
        )
        return parser

    def take_action(self, args: Namespace) -> int:
        """Run the command; return its exit code."""
        found = results_options.read(args.results)
        if args.guideline == ALL:
            return _show_all(found, args)
        verdict = results_options.judge(found, args.guideline, args)
        attested = results_options.attested(found, verdict)
        if args.attestation:
            attested = attestation.read(read_bytes(args.attestation), str(args.attestation))
            attestation.check_of(attested, verdict.programme.guideline, verdict.programme.key)
        if args.format == "json":
            print(json_text(report_document.as_json(verdict)), end="")
        else:
            show_lines(report_text.lines(verdict, found.retries, attested))
        return OF_CONFORMANCE[verdict.conformance]


def _show_all(found: Results, args: Namespace) -> int:
    """Judge one run by every shipped guideline; return the exit code of the newest approved one."""
    verdicts = {}
    for name in catalogue.shipped():
        known = {one.key for one in programme.programmes(catalogue.load(name)[0])}
        if not args.programme or args.programme.lower() in known:
            verdicts[name] = results_options.judge(found, name, args)
    if not verdicts:
        raise UsageError(f"no shipped guideline has a programme {args.programme}")
    if args.format == "json":
        documents = [report_document.as_json(verdict) for verdict in verdicts.values()]
        print(json.dumps(documents, indent=2, ensure_ascii=False))
    else:
        for verdict in verdicts.values():
            short = len(verdict.required) - verdict.count(Outcome.PASS)
            is_short = short and not report_text.is_list(verdict)
            show_lines([report_text.headline(verdict) + (f", {short} short" if is_short else "")])
    newest = verdicts.get(catalogue.default()) or list(verdicts.values())[-1]
    return OF_CONFORMANCE[newest.conformance]
