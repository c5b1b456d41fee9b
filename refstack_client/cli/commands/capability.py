"""``capability list|show|explain``: one capability, over all guidelines."""

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator

from capabilities import catalogue, process_rules, programme
from capabilities.errors import UnknownNameError
from capabilities.guideline import Capability, Guideline
from capabilities.programme import Programme
from refstack_client.cli.command import Command, Lister
from refstack_client.cli.exit_codes import EXIT_OK
from refstack_client.cli.options import guideline as guideline_options


class List(Lister):
    """List every capability of the shipped guidelines, first and last seen."""

    def take_action(self, args: Namespace):
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
    def get_parser(self, prog_name: str) -> ArgumentParser:
        parser = super().get_parser(prog_name)  # type: ignore[misc]
        parser.add_argument("capability", metavar="CAPABILITY")
        guideline_options.add_guideline(parser)
        return parser


class Show(_Named, Lister):
    """List the tests of a capability in one guideline."""

    def take_action(self, args: Namespace):
        name = args.guideline or catalogue.default()
        found = guideline_options.load_programme(name, args.programme).guideline
        if args.capability not in found.capabilities:
            raise UnknownNameError(
                f"guideline {found.id} has no capability called {args.capability}",
                hint="refstack-client capability list shows all and where they stand",
            )
        return ("Test", "Id", "Aliases", "Flag"), (
            (
                test.name,
                test.idempotent_id or "",
                " ".join(test.aliases),
                f"{test.flag.reason} ({test.flag.date})" if test.flag else "",
            )
            for test in found.capabilities[args.capability].tests
        )


class Explain(Command):
    """Tell what a capability is, how it stood in each guideline, and why it is required or not."""

    def get_parser(self, prog_name: str) -> ArgumentParser:
        parser = super().get_parser(prog_name)
        parser.add_argument("capability", metavar="CAPABILITY")
        return parser

    def take_action(self, args: Namespace) -> int:
        history = [each for each in _all() if args.capability in each.capabilities]
        if not history:
            raise UnknownNameError(
                f"no shipped guideline has a capability called {args.capability}",
                hint="refstack-client capability list shows all",
            )
        print("\n".join(_lines(args.capability, history)))
        return EXIT_OK


def _lines(name: str, history: list[Guideline]) -> Iterator[str]:
    latest = history[-1].capabilities[name]
    yield f"{name}: {latest.description}"
    yield f"project {latest.project}" + (", needs admin rights" if latest.admin else "")
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
        each.key: str(each.statuses[name])
        for each in _own_programmes(guideline)
        if name in each.statuses
    }
    return ", ".join(f"{status} in {key}" for key, status in parts.items()) or "in no programme"


def _own_programmes(guideline: Guideline) -> tuple[Programme, ...]:
    """Return the programmes that are not made of others: platform says what they say."""
    found = programme.programmes(guideline)
    return found if len(found) == 1 else tuple(each for each in found if each.key != "platform")


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
