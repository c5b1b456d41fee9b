"""The selection criteria and their weights, as they stood from time to time.

Twelve criteria in four groups, and a gate: a capability that needs an admin is never must-have,
whatever its score. The gate was the thirteenth criterion in 2014.
"""

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from types import MappingProxyType

from scoring.errors import ScoringError

GATE = "non-admin"


@dataclass(frozen=True)
class Criterion:
    """``names`` are the ones it went by elsewhere (worksheet headings, JSON, documents)."""

    id: str
    name: str
    group: str
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class CriteriaSet:
    """Weights and cutoff of an era.

    ``highest`` is the best score a cell can have: a cell counts score / highest x weight, so that
    totals on a finer scale compare. A criterion without a weight is not considered.
    """

    id: str
    weights: Mapping[str, int]
    cutoff: int | None
    highest: int = 1
    note: str = ""

    @property
    def most(self) -> int:
        """The total of a capability that meets everything."""
        return sum(self.weights.values())


@functools.cache
def criteria() -> tuple[Criterion, ...]:
    """Return the twelve criteria in the order of the worksheet's slots."""
    return tuple(
        Criterion(each["id"], each["name"], each["group"], tuple(each["names"]))
        for each in _data()["criteria"]
    )


@functools.cache
def sets() -> Mapping[str, CriteriaSet]:
    """Return every set of weights by its id."""
    return MappingProxyType(
        {
            each["id"]: CriteriaSet(
                each["id"],
                MappingProxyType(each["weights"]),
                each["cutoff"],
                each["highest"],
                each["note"],
            )
            for each in _data()["sets"]
        }
    )


def find(name: str) -> CriteriaSet:
    """Return the set called ``name``.

    :raises ScoringError: there is none
    """
    if name not in sets():
        raise ScoringError(
            f"there is no set of criteria called {name}", hint=f"choose from {', '.join(sets())}"
        )
    return sets()[name]


def by_heading(heading: str) -> str | None:
    """Return the id of the criterion that ``heading`` names, by id or any display name."""
    wanted = heading.strip().strip('"').lower()
    for each in criteria():
        if wanted in {each.id, each.name.lower(), *(name.lower() for name in each.names)}:
            return each.id
    return GATE if wanted in (GATE, "nonadmin", "admin") else None


def _data() -> dict:
    return json.loads((resources.files("scoring") / "data" / "criteria.json").read_text())
