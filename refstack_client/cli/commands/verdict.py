"""``verdict``, ``report`` and ``diff``: what results come to, for people and programs."""

import json
from argparse import ArgumentParser, Namespace
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from capabilities import catalogue, programme
from refstack_client.bundle import open_results
from refstack_client.bundle.open_results import Results
from refstack_client.cli.command import Command, Lister, say
from refstack_client.cli.exit_codes import EXIT_NOT_CONFORMANT, EXIT_OK, OF_CONFORMANCE
from refstack_client.cli.options import results as results_options
from refstack_client.errors import UsageError
from refstack_client.files import json_text, read_bytes, write_over
from refstack_client.outcomes import attestation
from refstack_client.report import comparison, junit
from refstack_client.report import document as report_document
from refstack_client.report import table as report_table
from scoring.conformance.outcomes import Outcome
from scoring.conformance.verdict import Verdict

ALL = "all"


class ShowVerdict(Command):
    """Say whether the results conform, with every reason; the exit code is the verdict."""

    def get_parser(self, prog_name: str) -> ArgumentParser:
        parser = super().get_parser(prog_name)
        results_options.add_results(parser)
        parser.add_argument(
            "-f", "--format", choices=("text", "json"), default="text", help="default: text"
        )
        parser.add_argument(
            "--attestation",
            metavar="FILE",
            type=Path,
            help="the vendor's word on designated sections, which OpenStack Powered needs",
        )
        return parser

    def take_action(self, args: Namespace) -> int:
        found = open_results.read(args.results)
        if args.guideline == ALL:
            return _show_all(found, args)
        verdict = results_options.judge(found, args.guideline, args)
        attested = found.attested
        if args.attestation:
            attested = attestation.read(read_bytes(args.attestation), str(args.attestation))
        if attested:
            attestation.check_of(attested, verdict.programme.guideline, verdict.programme.key)
        if args.format == "json":
            print(json_text(report_document.as_json(verdict)), end="")
        else:
            print("\n".join(report_document.text(verdict, found.retries, attested)))
        return OF_CONFORMANCE[verdict.conformance]


def _show_all(found: Results, args: Namespace) -> int:
    """Judge one run by every shipped guideline; the exit code is the newest approved one's."""
    verdicts = {}
    for name in catalogue.shipped():
        known = {each.key for each in programme.programmes(catalogue.load(name)[0])}
        if not args.programme or args.programme in known:
            verdicts[name] = results_options.judge(found, name, args)
    if not verdicts:
        raise UsageError(f"no shipped guideline has a programme called {args.programme}")
    if args.format == "json":
        documents = [report_document.as_json(verdict) for verdict in verdicts.values()]
        print(json.dumps(documents, indent=2, ensure_ascii=False))
    else:
        for verdict in verdicts.values():
            short = len(verdict.required) - verdict.count(Outcome.PASS)
            print(report_document.headline(verdict) + (f", {short} short" if short else ""))
    newest = verdicts.get(catalogue.default()) or list(verdicts.values())[-1]
    return OF_CONFORMANCE[newest.conformance]


def _html(verdict: Verdict, found: Results) -> bytes:
    return report_document.html(verdict, found.plan, found.retries).encode()


def _text(verdict: Verdict, found: Results) -> bytes:
    return "".join(f"{line}\n" for line in report_document.text(verdict, found.retries)).encode()


_FORMATS: dict[str, Callable[[Verdict, Results], bytes]] = {
    "html": _html,
    "txt": _text,
    "json": lambda verdict, _: json_text(report_document.as_json(verdict)).encode(),
    "xml": lambda verdict, _: junit.of_verdict(verdict),
    "csv": lambda verdict, _: report_table.csv_text(verdict).encode(),
    "xlsx": lambda verdict, _: report_table.xlsx(verdict),
}


class Report(Command):
    """Write the results as a page, a text, JSON, JUnit XML, CSV or a spreadsheet."""

    def get_parser(self, prog_name: str) -> ArgumentParser:
        parser = super().get_parser(prog_name)
        results_options.add_results(parser)
        parser.add_argument(
            *("-o", "--output"),
            metavar="FILE",
            dest="outputs",
            action="append",
            type=Path,
            required=True,
            help=f"what to write; its ending chooses the form: {', '.join(_FORMATS)} (xml is JUnit;"
            " may be repeated)",
        )
        return parser

    def take_action(self, args: Namespace) -> int:
        for path in args.outputs:
            if path.suffix[1:] not in _FORMATS:
                raise UsageError(
                    f"{path}: there is no report of that ending",
                    hint=f"choose among {', '.join(f'.{each}' for each in _FORMATS)}",
                )
        found = open_results.read(args.results)
        verdict = results_options.judge(found, args.guideline, args)
        for path in args.outputs:
            write_over(path, _FORMATS[path.suffix[1:]](verdict, found))
            say(f"written: {path}")
        return EXIT_OK


class Diff(Lister):
    """List the tests that came to something else in other results; exit code 1 if any fails now.

    Both are judged by the guideline and programme of the first unless others are named.
    """

    def get_parser(self, prog_name: str) -> ArgumentParser:
        parser = super().get_parser(prog_name)
        for name in ("before", "after"):
            parser.add_argument(
                name, metavar="RUN|FILE", type=Path, help="a run directory or a subunit stream"
            )
        results_options.add_judging(parser)
        parser.add_argument("--all", action="store_true", help="those that are the same too")
        return parser

    def take_action(self, args: Namespace):
        before, after = open_results.read(args.before), open_results.read(args.after)
        old = results_options.judge(before, args.guideline, args)
        found = comparison.compare(old, after.judge(old.programme, strict=args.strict))
        counts = Counter(each.change for each in found)
        say(", ".join(f"{counts[each]} {each}" for each in comparison.Change))
        if counts[comparison.Change.NEWLY_FAILING]:
            self.exit_code = EXIT_NOT_CONFORMANT
        return ("test", "before", "after", "change", "reason"), (
            (each.test.name, str(each.before), str(each.after), str(each.change), each.reason)
            for each in found
            if args.all or each.change is not comparison.Change.SAME
        )
