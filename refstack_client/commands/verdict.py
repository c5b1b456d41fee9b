"""``verdict`` and ``report``: judge what a run left behind."""

import json
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from capabilities import catalogue, programme
from capabilities.guideline import Guideline
from refstack_client import report, stream
from refstack_client.command import Command, say
from refstack_client.commands import arguments
from refstack_client.errors import EXIT_OK, UsageError
from refstack_client.files import write_text
from refstack_client.plan import read_matches
from refstack_client.run import Run, read_plan
from scoring.outcome import Outcome, Outcomes
from scoring.verdict import Verdict, judge

ALL = "all"


@dataclass(frozen=True)
class Results:
    """What a run or a stream left: a run's own guideline and plan come with it."""

    outcomes: Outcomes
    guideline: Guideline | None = None
    plan: Mapping[str, Any] | None = None


class _Results:
    def get_parser(self, prog_name: str) -> ArgumentParser:
        parser = super().get_parser(prog_name)  # type: ignore[misc]
        parser.add_argument(
            "results", metavar="RUN|FILE", type=Path, help="a run directory or a subunit stream"
        )
        arguments.add_guideline(parser)
        parser.add_argument(
            "--strict",
            action="store_true",
            help="a required capability without a test that counts makes the verdict incomplete",
        )
        return parser


class ShowVerdict(_Results, Command):
    """Say whether the results conform, with every reason; the exit code is the verdict."""

    def get_parser(self, prog_name: str) -> ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument(
            "-f", "--format", choices=("text", "json"), default="text", help="default: text"
        )
        return parser

    def take_action(self, args: Namespace) -> int:
        results = _read(args.results)
        if args.guideline == ALL:
            return _show_all(results, args)
        verdict = _judge(results, args.guideline, args)
        if args.format == "json":
            print(json.dumps(report.as_json(verdict), indent=2, ensure_ascii=False))
        else:
            print("\n".join(report.text(verdict)))
        return report.EXIT_CODES[verdict.conformance]


def _show_all(results: Results, args: Namespace) -> int:
    """Judge one run by every shipped guideline; the exit code is the newest approved one's."""
    verdicts = {}
    for name in catalogue.shipped():
        known = {each.key for each in programme.programmes(catalogue.load(name)[0])}
        if not args.programme or args.programme in known:
            verdicts[name] = _judge(results, name, args)
    if not verdicts:
        raise UsageError(f"no shipped guideline has a programme called {args.programme}")
    if args.format == "json":
        documents = [report.as_json(verdict) for verdict in verdicts.values()]
        print(json.dumps(documents, indent=2, ensure_ascii=False))
    else:
        for verdict in verdicts.values():
            short = len(verdict.required) - verdict.count(Outcome.PASS)
            print(report.headline(verdict) + (f", {short} short" if short else ""))
    newest = verdicts.get(catalogue.default()) or list(verdicts.values())[-1]
    return report.EXIT_CODES[newest.conformance]


class Report(_Results, Command):
    """Write the results as one self-contained HTML page."""

    def get_parser(self, prog_name: str) -> ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument(
            "-o", "--output", metavar="FILE", type=Path, required=True, help="the page to write"
        )
        return parser

    def take_action(self, args: Namespace) -> int:
        results = _read(args.results)
        verdict = _judge(results, args.guideline, args)
        write_text(args.output, report.html(verdict, results.plan))
        say(f"written: {args.output}")
        return EXIT_OK


def _read(path: Path) -> Results:
    if not path.is_dir():
        return Results(stream.read(path))
    run = Run(path)
    guideline, plan = read_plan(run)
    return Results(stream.read_appended(run.stream), guideline, plan)


def _judge(results: Results, name: str | None, args: Namespace) -> Verdict:
    """Judge results by their own guideline and programme unless others are named."""
    planned = results.plan["programme"] if results.plan else arguments.PLATFORM
    if results.guideline and not name:
        own = programme.find(results.guideline, args.programme or planned)
        chosen = catalogue.with_bases(own)
    else:
        chosen = arguments.load_programme(name or catalogue.default(), args.programme, planned)
    matches = read_matches(results.plan, chosen) if results.plan else None
    return judge(chosen, results.outcomes, matches, strict=args.strict)
