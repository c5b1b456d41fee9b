"""``guideline check|drift|diff``: check and compare guidelines."""

import dataclasses
import functools
from argparse import ArgumentParser, Namespace
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from capabilities import catalogue, diff, drift, flat_list, locks, process_rules, programme
from capabilities.errors import GuidelineError
from capabilities.finding import Finding, Severity
from capabilities.guideline import Guideline
from capabilities.matching import Index
from capabilities.programme import Programme
from refstack_client.cli.command import Lister, Table, say
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
    """Check guideline files; exit code 4 if there are errors.

    Lists what is not valid in a file and which rules of the process it breaks, with their clauses.
    With --tempest or --tempest-list, lists instead the required tests that a Tempest has renamed or
    removed.
    """

    def get_parser(self, prog_name: str) -> ArgumentParser:
        """Add the options."""
        parser = super().get_parser(prog_name)
        parser.add_argument(
            "guideline", metavar="ID|FILE|URL", nargs="+", help="guidelines to check"
        )
        parser.add_argument(
            "--since",
            metavar="ID|FILE|URL",
            help="earlier version of the guideline: also list changes of what was frozen in it",
        )
        parser.add_argument("--summary", action="store_true", help="print one line per guideline")
        parser.add_argument(
            "--junit",
            metavar="FILE",
            type=Path,
            help="also write the findings as JUnit XML, for CI",
        )
        parser.add_argument(
            "--alias-patch",
            metavar="FILE",
            type=Path,
            help="write the missing aliases of one guideline as a JSON Patch (RFC 6902)",
        )
        add_tempest(parser)
        return parser

    def take_action(self, args: Namespace) -> Table:
        """Return the columns and rows to list."""
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
            (
                name,
                str(finding.severity),
                finding.code,
                finding.clause,
                finding.pointer,
                finding.message,
            )
            for name, found in checked.items()
            for finding in found
        )

    def _check(self, args: Namespace, index: Index | None) -> dict[str, tuple[Finding, ...]]:
        checked = {}
        for name in args.guideline:
            try:
                findings = _findings(name, args.since, index)
            except GuidelineError as error:
                findings = (Finding("refused", Severity.ERROR, "", str(error)),)
            if any(finding.severity is Severity.ERROR for finding in findings):
                self.exit_code = EXIT_BAD_INPUT
            checked[name] = findings
        return checked


def _write_alias_patch(args: Namespace, index: Index | None) -> None:
    if index is None or len(args.guideline) != 1:
        raise UsageError("--alias-patch needs one guideline, and --tempest or --tempest-list")
    found = _programme(guideline_source.load(args.guideline[0])[0])
    write_json(args.alias_patch, drift.alias_patch(found, index))


def _programme(guideline: Guideline) -> Programme:
    return programme.default(guideline, guideline_options.PLATFORM)


def _summary(name: str, findings: tuple[Finding, ...]) -> tuple[str | int, ...]:
    counts = Counter(finding.severity for finding in findings)
    codes = Counter(finding.code for finding in findings)
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
    """Count the required tests of guidelines that a Tempest has, has renamed or lacks."""

    def get_parser(self, prog_name: str) -> ArgumentParser:
        """Add the options."""
        parser = super().get_parser(prog_name)
        parser.add_argument(
            "guideline",
            metavar="ID|FILE|URL",
            nargs="*",
            help="guidelines to measure (default: all shipped)",
        )
        parser.add_argument(
            "--tempest-list",
            metavar="FILE",
            type=Path,
            help="list of tests, one per line (default: those of the installed Tempest)",
        )
        return parser

    def take_action(self, args: Namespace) -> Table:
        """Return the columns and rows to list."""
        index = listed(args.tempest_list) if args.tempest_list else installed()
        columns = [field.name for field in dataclasses.fields(drift.Drift)]
        rows = []
        for name in args.guideline or catalogue.shipped():
            measured = drift.measure(_programme(guideline_source.load(name)[0]), index)
            rows.append((name, *dataclasses.astuple(measured), measured.unflagged_vanished))
        heads = (*(name.replace("_", " ") for name in columns), "unflagged vanished")
        return ("guideline", *heads), rows


class _Ids:
    """The idempotent ids of tests that a list has by name only."""

    def __init__(self, args: Namespace):
        self._args = args

    @functools.cached_property
    def _by_name(self) -> Mapping[str, str]:
        """Those of the shipped guidelines, and of the Tempest that the options select."""
        index = load_index(self._args)
        tests = index.tests if index else ()
        found = {test.name: test.idempotent_id for test in tests if test.idempotent_id}
        return {**found, **catalogue.ids_by_name()}

    def added_to(self, found: Programme) -> Programme:
        """Return a programme with ids where its guideline is a list without them."""
        guideline = found.guideline
        if guideline.schema != flat_list.SCHEMA:
            return found
        if all(test.idempotent_id for test in found.required_tests()):
            return found
        return dataclasses.replace(found, guideline=flat_list.identified(guideline, self._by_name))


class Diff(Lister):
    """List the changes from one guideline to another, by capability.

    Tests that a list has by name only have the ids that the shipped guidelines give them, or the
    Tempest of --tempest or --tempest-list.
    """

    def get_parser(self, prog_name: str) -> ArgumentParser:
        """Add the options."""
        parser = super().get_parser(prog_name)
        for name in ("before", "after"):
            parser.add_argument(name, metavar="ID|FILE|URL", help="shipped ID, path or URL")
        guideline_options.add_programme(parser)
        parser.add_argument(
            "--results",
            metavar="RUN|FILE",
            type=Path,
            nargs="+",
            default=[],
            help="results to judge by both, to show whose verdict changes",
        )
        add_tempest(parser)
        return parser

    def take_action(self, args: Namespace) -> Table:
        """Return the columns and rows to list."""
        before, after = (
            guideline_options.load_programme(name, args.programme)
            for name in (args.before, args.after)
        )
        ids = _Ids(args)
        changes = diff.between(ids.added_to(before), ids.added_to(after))
        say(f"{len(changes)} changes from {before.guideline.id} to {after.guideline.id}")
        for path in args.results:
            outcomes = subunit_stream.read(path / "stream.subunit" if path.is_dir() else path)
            was, now = (judge(each, outcomes).conformance for each in (before, after))
            say(f"{path}: {was}" + (f" -> {now}" if was is not now else " as before"))
        return ("Capability", "Change", "What"), (
            (change.capability, change.kind, change.what) for change in changes
        )
