"""Find the tests of a guideline among the tests of a Tempest."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from capabilities.guideline import Test
from capabilities.tempest_id import TestId


class MatchKind(StrEnum):
    """How a test of a guideline was found."""

    EXACT = "exact"
    """Under the name in the guideline."""
    ALIAS = "alias"
    """Under an alias in the guideline."""
    RENAMED = "renamed"
    """By its id, under a name that the guideline does not list."""
    AMBIGUOUS = "ambiguous"
    """By its id, under several names, none of which the guideline lists: all count."""
    MISSING = "missing"
    """Not found."""


@dataclass(frozen=True)
class Match:
    """A test of a guideline and the tests found for it.

    Several are found where it has scenarios or its id is ambiguous.
    """

    test: Test
    kind: MatchKind
    found: tuple[TestId, ...]


@dataclass(frozen=True)
class Index:
    """Tests by idempotent ID and by name."""

    by_id: Mapping[str, tuple[TestId, ...]]
    by_name: Mapping[str, tuple[TestId, ...]]

    @property
    def tests(self) -> tuple[TestId, ...]:
        """All tests."""
        return tuple(test for same_name in self.by_name.values() for test in same_name)

    @classmethod
    def of(cls, tests: Iterable[TestId]) -> "Index":
        """Return an index of ``tests``, each once."""
        by_id = defaultdict(list)
        by_name = defaultdict(list)
        for test in dict.fromkeys(tests):
            by_name[test.name].append(test)
            if test.idempotent_id:
                by_id[test.idempotent_id].append(test)
        return cls(
            {key: tuple(value) for key, value in by_id.items()},
            {key: tuple(value) for key, value in by_name.items()},
        )


def match(test: Test, index: Index) -> Match:
    """Find ``test`` by its id, else by its name, else by an alias.

    63 of the ids of 2020.06 belong to several tests of Tempest 47, where subclasses inherit them:
    the test with the name in the guideline takes precedence.
    """
    same_id = index.by_id.get(test.idempotent_id, ()) if test.idempotent_id else ()
    for kind, names in ((MatchKind.EXACT, (test.name,)), (MatchKind.ALIAS, test.aliases)):
        found = tuple(candidate for candidate in same_id if candidate.name in names)
        if found:
            return Match(test, kind, found)
    if same_id:
        several = len({candidate.name for candidate in same_id}) > 1
        return Match(test, MatchKind.AMBIGUOUS if several else MatchKind.RENAMED, same_id)
    for kind, names in ((MatchKind.EXACT, (test.name,)), (MatchKind.ALIAS, test.aliases)):
        for name in names:
            if name in index.by_name:
                return Match(test, kind, index.by_name[name])
    return Match(test, MatchKind.MISSING, ())
