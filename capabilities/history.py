"""The history of a capability: its status and its tests in each guideline that has it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from capabilities import programme
from capabilities.errors import UnknownNameError
from capabilities.guideline import Capability, Guideline, Status


@dataclass(frozen=True)
class Entry:
    """A capability in one guideline.

    ``statuses`` are by key of the programme. Programmes that combine others, and those without the
    capability, are left out.
    """

    guideline: Guideline
    capability: Capability
    statuses: Mapping[str, Status]

    @property
    def flagged(self) -> int:
        """The number of its tests that are flagged."""
        return sum(test.flag is not None for test in self.capability.tests)


def of(capability: str, guidelines: Iterable[Guideline]) -> tuple[Entry, ...]:
    """Return the history of a capability in the order of the guidelines.

    :param capability: its id
    :raises UnknownNameError: no guideline has the capability
    """
    found = tuple(
        Entry(guideline, guideline.capabilities[capability], _statuses(capability, guideline))
        for guideline in guidelines
        if capability in guideline.capabilities
    )
    if not found:
        raise UnknownNameError(
            f"no shipped guideline has a capability {capability}",
            hint="list all: refstack-client capability list",
        )
    return found


def _statuses(capability: str, guideline: Guideline) -> Mapping[str, Status]:
    return {
        one.key: one.statuses[capability]
        for one in programme.separate(guideline)
        if capability in one.statuses
    }
