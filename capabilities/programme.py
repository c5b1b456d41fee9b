"""A trademark programme: the capabilities of a guideline that a product must have."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from capabilities.errors import UnknownNameError
from capabilities.guideline import Capability, Guideline, Platform, Rule, Status, Test

_COMBINED = "platform"


@dataclass(frozen=True)
class Programme:
    """A platform of a guideline with its components merged.

    ``statuses`` maps capability ids to their status. Where components differ, the first of
    required, advisory, deprecated, removed takes precedence.
    """

    key: str
    name: str
    guideline: Guideline
    statuses: Mapping[str, Status]
    designated_sections: tuple[str, ...]
    rule: Rule = Rule.ALL_PASSED
    bases: tuple["Programme", ...] = ()
    """Of an add-on: the programmes a product must conform to as well."""

    def capabilities(self, status: Status) -> Iterator[Capability]:
        """Yield the capabilities with that status."""
        for capability, its_status in self.statuses.items():
            if its_status is status:
                yield self.guideline.capabilities[capability]

    def required_tests(self) -> tuple[Test, ...]:
        """Return the tests of the required capabilities, one per idempotent id.

        A test in several capabilities keeps every name. It is flagged only if it is flagged in
        each of them.
        """
        merged: dict[str, Test] = {}
        for capability in self.capabilities(Status.REQUIRED):
            for test in capability.tests:
                merged[test.key] = _merge(merged[test.key], test) if test.key in merged else test
        return tuple(merged.values())

    def counted_tests(self) -> tuple[Test, ...]:
        """Return the required tests that decide the verdict: those that are not flagged."""
        return tuple(test for test in self.required_tests() if test.flag is None)

    def with_bases(self) -> tuple["Programme", ...]:
        """Return the programme and its base programmes."""
        return (self, *self.bases)

    def wanted_tests(self) -> tuple[Test, ...]:
        """Return the counted tests of the programme and of its base programmes, each once."""
        tests = (test for programme in self.with_bases() for test in programme.counted_tests())
        return tuple({test.key: test for test in tests}.values())


def _merge(one: Test, other: Test) -> Test:
    aliases = dict.fromkeys((*one.aliases, *other.names))
    aliases.pop(one.name, None)
    return replace(one, aliases=tuple(aliases), flag=one.flag if one.flag and other.flag else None)


def key_of(platform: Platform) -> str:
    """Return the short name of a platform: "OpenStack Powered Storage" is ``storage``."""
    return platform.name.split()[-1].lower()


def programmes(guideline: Guideline) -> tuple[Programme, ...]:
    """Return the programmes of ``guideline`` in the order of its file."""
    return tuple(_programme(guideline, platform) for platform in guideline.platforms)


def separate(guideline: Guideline) -> tuple[Programme, ...]:
    """Return the programmes of a guideline, except one that combines others, as platform does."""
    found = programmes(guideline)
    return found if len(found) == 1 else tuple(one for one in found if one.key != _COMBINED)


def find(guideline: Guideline, name: str) -> Programme:
    """Return the programme with the short or full name ``name``; case does not matter.

    :raises UnknownNameError: the guideline has no such programme
    """
    for programme in programmes(guideline):
        if name.lower() in (programme.key, programme.name.lower()):
            return programme
    known = ", ".join(programme.key for programme in programmes(guideline))
    raise UnknownNameError(
        f"guideline {guideline.id} has no programme called {name}", hint=f"choose from {known}"
    )


def default(guideline: Guideline, preferred: str) -> Programme:
    """Return the only programme of ``guideline``, or where it has several the ``preferred`` one.

    :raises UnknownNameError: the guideline has several programmes and none of that name
    """
    known = programmes(guideline)
    return known[0] if len(known) == 1 else find(guideline, preferred)


def _programme(guideline: Guideline, platform: Platform) -> Programme:
    components = [guideline.components[name] for name in platform.components]
    statuses: dict[str, Status] = {}
    for status in Status:
        for component in components:
            for capability in component.capabilities.get(status, ()):
                statuses.setdefault(capability, status)
    sections = (
        project
        for component in components
        for project in component.designated_sections.get(Status.REQUIRED, ())
    )
    return Programme(
        key=key_of(platform),
        name=platform.name,
        guideline=guideline,
        statuses=statuses,
        designated_sections=tuple(dict.fromkeys(sections)),
        rule=platform.rule,
    )
