"""``report``: write results in other formats."""

from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from pathlib import Path

from refstack_client.bundle.open_results import Results
from refstack_client.cli.command import Command, say
from refstack_client.cli.exit_codes import EXIT_OK
from refstack_client.cli.options import results as results_options
from refstack_client.errors import UsageError
from refstack_client.files import json_text, write_over
from refstack_client.report import document as report_document
from refstack_client.report import html as report_html
from refstack_client.report import junit
from refstack_client.report import table as report_table
from refstack_client.report import text as report_text
from scoring.conformance.verdict import Verdict


def _html(verdict: Verdict, found: Results) -> bytes:
    attested = results_options.attested(found, verdict)
    return report_html.page(verdict, found.plan, found.retries, attested).encode()


def _text(verdict: Verdict, found: Results) -> bytes:
    attested = results_options.attested(found, verdict)
    lines = report_text.lines(verdict, found.retries, attested)
    return "".join(f"{line}\n" for line in lines).encode()


_FORMATS: dict[str, Callable[[Verdict, Results], bytes]] = {
    "html": _html,
    "txt": _text,
    "json": lambda verdict, _: json_text(report_document.as_json(verdict)).encode(),
    "xml": lambda verdict, _: junit.of_verdict(verdict),
    "csv": lambda verdict, _: report_table.csv_text(verdict).encode(),
    "xlsx": lambda verdict, _: report_table.xlsx(verdict),
}


class Report(Command):
    """Write a report as HTML, text, JSON, JUnit XML, CSV or spreadsheet."""

    def get_parser(self, prog_name: str) -> ArgumentParser:
        """Add the options."""
        parser = super().get_parser(prog_name)
        results_options.add_results(parser)
        parser.add_argument(
            *("-o", "--output"),
            metavar="FILE",
            dest="outputs",
            action="append",
            type=Path,
            required=True,
            help=f"file to write; its suffix selects the format: {', '.join(_FORMATS)} (xml is "
            "JUnit; may be repeated)",
        )
        return parser

    def take_action(self, args: Namespace) -> int:
        """Run the command; return its exit code."""
        for path in args.outputs:
            if path.suffix[1:] not in _FORMATS:
                raise UsageError(
                    f"{path} has no known suffix",
                    hint=f"choose from {', '.join(f'.{suffix}' for suffix in _FORMATS)}",
                )
        found = results_options.read(args.results)
        verdict = results_options.judge(found, args.guideline, args)
        for path in args.outputs:
            write_over(path, _FORMATS[path.suffix[1:]](verdict, found))
            say(f"written: {path}")
        return EXIT_OK
