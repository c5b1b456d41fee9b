"""The model of an interoperability guideline, whatever schema it was published in."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Status(StrEnum):
    """What a component says of a capability, best first: where several differ, the best wins."""

    REQUIRED = "required"
    ADVISORY = "advisory"
    DEPRECATED = "deprecated"
    REMOVED = "removed"


class Rule(StrEnum):
    """When a programme's tests make it conformant."""

    ALL_PASSED = "all passed"
    NONE_FAILED = "none failed"
    """Skips are listed and do no harm (SCS-0128)."""


@dataclass(frozen=True)
class Flag:
    """Why a test does not count in a guideline, since when (ISO date) and what should follow."""

    reason: str
    action: str = ""
    date: str = ""


@dataclass(frozen=True)
class Test:
    """A test as a guideline lists it: the name at approval, later names, the id that stays.

    ``idempotent_id`` has the form ``id-<uuid>``; guidelines before 2015.07 have none.
    """

    __test__ = False  # pytest takes any class called Test… for one of its own

    name: str
    idempotent_id: str | None = None
    aliases: tuple[str, ...] = ()
    flag: Flag | None = None

    @property
    def key(self) -> str:
        """What the test is counted by: its id, or its name where it has none."""
        return self.idempotent_id or self.name

    @property
    def names(self) -> tuple[str, ...]:
        return (self.name, *self.aliases)


@dataclass(frozen=True)
class Capability:
    """A group of tests that stand for one thing a cloud can do."""

    id: str
    description: str = ""
    project: str = ""
    admin: bool = False
    achievements: tuple[str, ...] = ()
    required_since: str = ""
    tests: tuple[Test, ...] = ()


@dataclass(frozen=True)
class Component:
    """A set of capabilities, each with a status, and the designated sections that go with it."""

    id: str
    capabilities: Mapping[Status, tuple[str, ...]] = field(default_factory=dict)
    designated_sections: Mapping[Status, tuple[str, ...]] = field(default_factory=dict)
    """Projects by status."""


@dataclass(frozen=True)
class Platform:
    """A trademark programme as the guideline names it, made of components."""

    name: str
    description: str
    components: tuple[str, ...]
    requires: tuple[tuple[str, str], ...] = ()
    """Of an add-on: name and source of the platform components it stands on."""
    rule: Rule = Rule.ALL_PASSED


@dataclass(frozen=True)
class Guideline:
    """A whole guideline. ``digest`` is the SHA-256 of the file it was read from."""

    id: str
    schema: str
    status: str
    releases: tuple[str, ...]
    platforms: tuple[Platform, ...]
    components: Mapping[str, Component]
    capabilities: Mapping[str, Capability]
    digest: str = ""
    replaces: str = ""
    weights: Mapping[str, int] = field(default_factory=dict)
    """Of the criteria; empty where the file has none."""
    cutoff: int | None = None
    note: str = ""
    """Of a guideline whose own file is lost: from what it was made, and what is certain."""
