"""Find a guideline's tests among those a Tempest has."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from capabilities.guideline import Test
from capabilities.tempest_id import TestId


class MatchKind(StrEnum):
    """How a wanted test was found."""

    EXACT = "exact"
    """Under the name the guideline gives it."""
    ALIAS = "alias"
    """Under another name the guideline lists."""
    RENAMED = "renamed"
    """By its id, under a name the guideline does not list."""
    AMBIGUOUS = "ambiguous"
    """By its id, under several names, none of them listed: all count."""
    MISSING = "missing"
    """Not at all."""


@dataclass(frozen=True)
class Match:
    """A wanted test and what stands for it; several when it has scenarios or is ambiguous."""

    test: Test
    kind: MatchKind
    found: tuple[TestId, ...]


@dataclass(frozen=True)
class Index:
    """Tests by id and by name."""

    by_id: Mapping[str, tuple[TestId, ...]]
    by_name: Mapping[str, tuple[TestId, ...]]

    @property
    def tests(self) -> tuple[TestId, ...]:
        return tuple(each for same in self.by_name.values() for each in same)

    @classmethod
    def of(cls, tests: Iterable[TestId]) -> "Index":
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
    """Find ``test``: by id (the listed name first), else by name, else by alias.

    63 of the ids of 2020.06 stand on several tests of Tempest 47, whose subclasses inherit them;
    the one the guideline names is the wanted one.
    """
    same_id = index.by_id.get(test.idempotent_id, ()) if test.idempotent_id else ()
    for kind, names in ((MatchKind.EXACT, (test.name,)), (MatchKind.ALIAS, test.aliases)):
        found = tuple(each for each in same_id if each.name in names)
        if found:
            return Match(test, kind, found)
    if same_id:
        several = len({each.name for each in same_id}) > 1
        return Match(test, MatchKind.AMBIGUOUS if several else MatchKind.RENAMED, same_id)
    for kind, names in ((MatchKind.EXACT, (test.name,)), (MatchKind.ALIAS, test.aliases)):
        for name in names:
            if name in index.by_name:
                return Match(test, kind, index.by_name[name])
    return Match(test, MatchKind.MISSING, ())
