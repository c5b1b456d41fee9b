"""The model of an interoperability guideline, whatever schema it was published in."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path


class Status(StrEnum):
    """The status of a capability in a component, in order of precedence."""

    REQUIRED = "required"
    ADVISORY = "advisory"
    DEPRECATED = "deprecated"
    REMOVED = "removed"


class Rule(StrEnum):
    """The condition on the outcomes of a programme's tests."""

    ALL_PASSED = "all passed"
    NONE_FAILED = "none failed"
    """Skipped tests are listed and do not count as failures (SCS-0128)."""


@dataclass(frozen=True)
class Flag:
    """Why a test does not count in a guideline, since when (ISO date), and the next action."""

    reason: str
    action: str = ""
    date: str = ""


@dataclass(frozen=True)
class Test:
    """A test in a guideline: its name at approval, its aliases, its idempotent ID.

    ``idempotent_id`` has the form ``id-<uuid>``; guidelines before 2015.07 have none.
    """

    __test__ = False  # pytest takes any class called Test… for one of its own

    name: str
    idempotent_id: str | None = None
    aliases: tuple[str, ...] = ()
    flag: Flag | None = None

    @property
    def key(self) -> str:
        """The idempotent ID, or the name where there is none: tests are counted by it."""
        return self.idempotent_id or self.name

    @property
    def names(self) -> tuple[str, ...]:
        """The name and the aliases."""
        return (self.name, *self.aliases)


@dataclass(frozen=True)
class Capability:
    """A group of tests that show one thing a cloud can do.

    ``achievements`` are the ids of the criteria that it meets, as recorded in the guideline.
    """

    id: str
    description: str = ""
    project: str = ""
    admin: bool = False
    achievements: tuple[str, ...] = ()
    required_since: str = ""
    tests: tuple[Test, ...] = ()


@dataclass(frozen=True)
class Component:
    """A set of capabilities by status, and its designated sections."""

    id: str
    capabilities: Mapping[Status, tuple[str, ...]] = field(default_factory=dict)
    designated_sections: Mapping[Status, tuple[str, ...]] = field(default_factory=dict)
    """Names of projects by status."""


@dataclass(frozen=True)
class Platform:
    """A trademark programme as the guideline names it, and its components."""

    name: str
    description: str
    components: tuple[str, ...]
    requires: tuple[tuple[str, str], ...] = ()
    """Of an add-on: name and source of the platform components that it requires."""
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
    """Weights by criterion id; empty where the file has none."""
    cutoff: int | None = None
    note: str = ""
    """Of a guideline whose file is lost: its sources, and which parts are certain."""
    file: Path | None = field(default=None, compare=False, repr=False)
    """The file it was read from; None for a shipped guideline and one from a URL."""
