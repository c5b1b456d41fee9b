"""``capability list|show|explain``: show capabilities in all guidelines."""

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator

from capabilities import catalogue, process_rules, programme
from capabilities.errors import UnknownNameError
from capabilities.guideline import Capability, Guideline
from capabilities.programme import Programme
from refstack_client.cli.command import Command, Lister, Table, show_lines
from refstack_client.cli.exit_codes import EXIT_OK
from refstack_client.cli.options import guideline as guideline_options


class List(Lister):
    """List all capabilities, with the first and last shipped guideline of each."""

    def take_action(self, args: Namespace) -> Table:
        """Return the columns and rows to list."""
        seen: dict[str, list[str]] = {}
        facts: dict[str, Capability] = {}
        for guideline in _all():
            for capability in guideline.capabilities.values():
                seen.setdefault(capability.id, []).append(guideline.id)
                facts[capability.id] = capability
        return ("Capability", "Project", "First", "Last", "Description"), (
            (name, facts[name].project, where[0], where[-1], facts[name].description)
            for name, where in sorted(seen.items())
        )


class _Named:
    """Have a capability and a guideline as arguments."""

    def get_parser(self, prog_name: str) -> ArgumentParser:
        """Add the options."""
        parser = super().get_parser(prog_name)  # type: ignore[misc]
        parser.add_argument("capability", metavar="CAPABILITY", help="id of the capability")
        guideline_options.add_guideline(parser)
        return parser


class Show(_Named, Lister):
    """List the tests of a capability in one guideline."""

    def take_action(self, args: Namespace) -> Table:
        """Return the columns and rows to list."""
        name = args.guideline or catalogue.default(args.programme)
        guideline = guideline_options.load_programme(name, args.programme).guideline
        if args.capability not in guideline.capabilities:
            raise UnknownNameError(
                f"guideline {guideline.id} has no capability {args.capability}",
                hint="list all: refstack-client capability list",
            )
        return ("Test", "Id", "Aliases", "Flag"), (
            (
                test.name,
                test.idempotent_id or "",
                " ".join(test.aliases),
                f"{test.flag.reason} ({test.flag.date})" if test.flag else "",
            )
            for test in guideline.capabilities[args.capability].tests
        )


class Explain(Command):
    """Show what a capability is, its status in each guideline, and the reasons."""

    def get_parser(self, prog_name: str) -> ArgumentParser:
        """Add the options."""
        parser = super().get_parser(prog_name)
        parser.add_argument("capability", metavar="CAPABILITY", help="id of the capability")
        return parser

    def take_action(self, args: Namespace) -> int:
        """Run the command; return its exit code."""
        history = [guideline for guideline in _all() if args.capability in guideline.capabilities]
        if not history:
            raise UnknownNameError(
                f"no shipped guideline has a capability {args.capability}",
                hint="list all: refstack-client capability list",
            )
        show_lines(_lines(args.capability, history))
        return EXIT_OK


def _lines(name: str, history: list[Guideline]) -> Iterator[str]:
    latest = history[-1].capabilities[name]
    yield f"{name}: {latest.description}"
    yield f"project {latest.project}" + (", needs admin credentials" if latest.admin else "")
    yield ""
    for guideline in history:
        capability = guideline.capabilities[name]
        flagged = sum(test.flag is not None for test in capability.tests)
        total = process_rules.recorded_score(capability, guideline)
        points = f", {total} points" if total is not None else ""
        cutoff = f" of {guideline.cutoff} needed" if total is not None and guideline.cutoff else ""
        yield (
            f"{guideline.id:<24}{_standing(name, guideline):<34}"
            f"{len(capability.tests)} tests, {flagged} flagged{points}{cutoff}"
        )
    yield ""
    yield from _why(name, history[-1])
    for test in latest.tests:
        flag = f"  flagged: {test.flag.reason}" if test.flag else ""
        yield f"  {test.name}{flag}"


def _standing(name: str, guideline: Guideline) -> str:
    parts = {
        own.key: str(own.statuses[name])
        for own in _own_programmes(guideline)
        if name in own.statuses
    }
    return ", ".join(f"{status} in {key}" for key, status in parts.items()) or "in no programme"


def _own_programmes(guideline: Guideline) -> tuple[Programme, ...]:
    """Return the programmes that are not a combination of others, as platform is."""
    found = programme.programmes(guideline)
    return found if len(found) == 1 else tuple(one for one in found if one.key != "platform")


def _why(name: str, guideline: Guideline) -> Iterator[str]:
    yield f"In {guideline.id} it is {_standing(name, guideline)}."
    achieved = guideline.capabilities[name].achievements
    if achieved:
        missing = sorted(set(guideline.weights) - set(achieved))
        yield f"Criteria met: {', '.join(achieved)}; not met: {', '.join(missing) or 'none'}."
    for finding in process_rules.check(guideline):
        if finding.pointer.startswith(f"/capabilities/{name}/") and finding.clause:
            yield f"Against the process ({finding.clause}): {finding.message}."


def _all() -> tuple[Guideline, ...]:
    return tuple(catalogue.load(name)[0] for name in catalogue.shipped())
