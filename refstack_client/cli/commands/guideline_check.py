"""``guideline check|drift|diff``: what is wrong with guidelines, and how they changed."""

import dataclasses
from argparse import ArgumentParser, Namespace
from collections import Counter
from pathlib import Path

from capabilities import catalogue, diff, drift, locks, process_rules, programme
from capabilities.errors import GuidelineError
from capabilities.finding import Finding, Severity
from capabilities.guideline import Guideline
from capabilities.matching import Index
from capabilities.programme import Programme
from refstack_client.cli.command import Lister, say
from refstack_client.cli.exit_codes import EXIT_BAD_INPUT
from refstack_client.cli.options import guideline as guideline_options
from refstack_client.cli.options.tempest import add_tempest, installed, listed, load_index
from refstack_client.errors import UsageError
from refstack_client.files import write_json
from refstack_client.outcomes import subunit_stream
from refstack_client.planning import guideline_source
from refstack_client.report import junit
from scoring.conformance.verdict import judge


class Check(Lister):
    """List what is wrong with guidelines; exit code 4 if anything is an error.

    What the reader had to repair and which rules of the process are broken, each with its clause.
    With --tempest or --tempest-list instead: which required tests a Tempest has renamed or lost.
    """

    def get_parser(self, prog_name: str) -> ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument("guideline", metavar="ID|FILE|URL", nargs="+", help="which guidelines")
        parser.add_argument(
            "--since", metavar="ID|FILE|URL", help="an earlier version: what was frozen then?"
        )
        parser.add_argument("--summary", action="store_true", help="one line per guideline")
        parser.add_argument("--junit", metavar="FILE", type=Path, help="also as JUnit XML, for CI")
        parser.add_argument(
            "--alias-patch",
            metavar="FILE",
            type=Path,
            help="write the aliases that are missing as a JSON Patch (RFC 6902)",
        )
        add_tempest(parser)
        return parser

    def take_action(self, args: Namespace):
        index = load_index(args)
        checked = self._check(args, index)
        if args.junit:
            junit.write(args.junit, checked)
        if args.alias_patch:
            _write_alias_patch(args, index)
        if args.summary:
            columns = ("Guideline", "Errors", "Warnings", "Notes", "Codes")
            return columns, (_summary(name, found) for name, found in checked.items())
        heads = ("Guideline", "Severity", "Code", "Clause", "Pointer", "Finding")
        return heads, (
            (name, str(each.severity), each.code, each.clause, each.pointer, each.message)
            for name, found in checked.items()
            for each in found
        )

    def _check(self, args: Namespace, index: Index | None) -> dict[str, tuple[Finding, ...]]:
        checked = {}
        for name in args.guideline:
            try:
                findings = _findings(name, args.since, index)
            except GuidelineError as error:
                findings = (Finding("refused", Severity.ERROR, "", str(error)),)
            if any(each.severity is Severity.ERROR for each in findings):
                self.exit_code = EXIT_BAD_INPUT
            checked[name] = findings
        return checked


def _write_alias_patch(args: Namespace, index: Index | None) -> None:
    if index is None or len(args.guideline) != 1:
        raise UsageError("--alias-patch takes one guideline, and --tempest or --tempest-list")
    found = _programme(guideline_source.load(args.guideline[0])[0])
    write_json(args.alias_patch, drift.alias_patch(found, index))


def _programme(guideline: Guideline) -> Programme:
    return programme.default(guideline, guideline_options.PLATFORM)


def _summary(name: str, findings: tuple[Finding, ...]) -> tuple[str | int, ...]:
    counts = Counter(each.severity for each in findings)
    codes = Counter(each.code for each in findings)
    return (
        name,
        *(counts[severity] for severity in Severity),
        ", ".join(f"{code} {number}" for code, number in sorted(codes.items())),
    )


def _findings(name: str, since: str | None, index: Index | None) -> tuple[Finding, ...]:
    guideline, findings = guideline_source.load(name)
    if index:
        return drift.check(_programme(guideline), index)
    findings += process_rules.check(guideline) + locks.check(guideline)
    if guideline.replaces in catalogue.shipped():
        findings += process_rules.check_change(guideline, catalogue.load(guideline.replaces)[0])
    if since:
        findings += process_rules.check_revision(guideline, guideline_source.load(since)[0])
    return findings


class Drift(Lister):
    """Count, per guideline, how its required tests stand against a Tempest."""

    def get_parser(self, prog_name: str) -> ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument(
            "guideline", metavar="ID|FILE|URL", nargs="*", help="default: all that are shipped"
        )
        parser.add_argument(
            "--tempest-list", metavar="FILE", type=Path, help="default: the installed Tempest"
        )
        return parser

    def take_action(self, args: Namespace):
        index = listed(args.tempest_list) if args.tempest_list else installed()
        columns = [field.name for field in dataclasses.fields(drift.Drift)]
        rows = []
        for name in args.guideline or catalogue.shipped():
            measured = drift.measure(_programme(guideline_source.load(name)[0]), index)
            rows.append((name, *dataclasses.astuple(measured), measured.unflagged_vanished))
        heads = (*(name.replace("_", " ") for name in columns), "unflagged vanished")
        return ("guideline", *heads), rows


class Diff(Lister):
    """List what changed from one guideline to another, by capability."""

    def get_parser(self, prog_name: str) -> ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument("before", metavar="ID|FILE|URL")
        parser.add_argument("after", metavar="ID|FILE|URL")
        parser.add_argument("--programme", metavar="NAME", help="default: platform, or the only")
        parser.add_argument(
            "--results",
            metavar="RUN|FILE",
            type=Path,
            nargs="+",
            default=[],
            help="say which of these runs would gain or lose the verdict",
        )
        return parser

    def take_action(self, args: Namespace):
        before, after = (
            guideline_options.load_programme(name, args.programme)
            for name in (args.before, args.after)
        )
        changes = diff.between(before, after)
        say(f"{len(changes)} changes from {before.guideline.id} to {after.guideline.id}")
        for path in args.results:
            outcomes = subunit_stream.read(path / "stream.subunit" if path.is_dir() else path)
            was, now = (judge(each, outcomes).conformance for each in (before, after))
            say(f"{path}: {was}" + (f" -> {now}" if was is not now else " as before"))
        return ("Capability", "Change", "What"), (
            (each.capability, each.kind, each.what) for each in changes
        )
