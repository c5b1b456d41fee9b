"""The selection criteria and their weights, as they stood from time to time.

Twelve criteria in four groups, and a gate: a capability that needs an admin is never must-have,
whatever its score. The gate was the thirteenth criterion in 2014.
"""

import functools
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import Any

from capabilities.guideline import Guideline
from capabilities.json_document import JsonDocument
from scoring.errors import ScoringError

GATE = "non-admin"
FULL = 100
"""What the weights of all twelve criteria add up to."""


class NotConsidered(StrEnum):
    """What a cell marked ``*`` counts under a criterion that has a weight."""

    ZERO = "zero"
    """Nothing: the cutoff stays, as in the add-on worksheets."""
    OPEN = "open"
    """Anything, as if undecided: whoever set the weight did consider the criterion."""


@dataclass(frozen=True)
class Criterion:
    """``names`` are the ones it went by elsewhere (worksheet headings, JSON, documents)."""

    id: str
    name: str
    group: str
    definition: str
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
    not_considered: NotConsidered = NotConsidered.ZERO
    definitions: Mapping[str, str] = field(default_factory=dict)
    """Of the criteria that meant something else then."""

    @property
    def most(self) -> int:
        """The total of a capability that meets everything."""
        return sum(self.weights.values())

    def listed(self) -> Iterator[Criterion]:
        """Return the criteria this set considers, and the gate, as they were defined then."""
        for each in (*criteria(), gate()):
            if each.id in self.weights or each.id == GATE:
                yield replace(each, definition=self.definitions.get(each.id, each.definition))


@functools.cache
def criteria() -> tuple[Criterion, ...]:
    """Return the twelve criteria in the order of the worksheet's slots."""
    return tuple(each for each in _every() if each.id != GATE)


@functools.cache
def gate() -> Criterion:
    """Return Non-Admin."""
    return next(each for each in _every() if each.id == GATE)


@functools.cache
def names() -> Mapping[str, str]:
    """Return the names of the criteria and of Non-Admin by their ids, in the worksheet's order."""
    return MappingProxyType({each.id: each.name for each in (*criteria(), gate())})


@functools.cache
def sets() -> Mapping[str, CriteriaSet]:
    """Return every set of weights by its id."""
    return MappingProxyType({each["id"]: _set(each) for each in _data()["sets"]})


def find(name: str) -> CriteriaSet:
    """Return the set called ``name``, or the one in the file of that name.

    :raises ScoringError: there is neither; the file's fault
    """
    if name in sets():
        return sets()[name]
    if Path(name).suffix == ".json":
        return read(Path(name))
    raise ScoringError(
        f"there is no set of criteria called {name}",
        hint=f"choose from {', '.join(sets())}, or give the path of a .json file",
    )


def read(path: Path) -> CriteriaSet:
    """Read a set from a file: an object with ``weights``, ``cutoff`` and perhaps ``highest``.

    :raises ScoringError: it cannot be read, or the weights do not hold together
    :raises GuidelineError: it is not JSON
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ScoringError(f"{path}: {error.strerror}") from error
    raw = JsonDocument(str(path)).json(content)
    unknown = raw.keys() - {"id", "weights", "cutoff", "highest", "note"}
    if unknown:
        raise ScoringError(f"{path}: /{min(unknown)}: a set of criteria has no such key")
    if not isinstance(raw.get("weights"), dict):
        raise ScoringError(
            f"{path}: /weights: expected an object of weights by criterion",
            hint='as in {"weights": {"deployed": 8, ...}, "cutoff": 74, "highest": 1}',
        )
    highest = _whole(raw.get("highest", 1), f"{path}: /highest")
    if not 1 <= highest <= 9:
        raise ScoringError(f"{path}: /highest: {highest} is not from 1 to 9")
    weights = {
        name: _whole(weight, f"{path}: /weights/{name}") for name, weight in raw["weights"].items()
    }
    cutoff = _whole(raw.get("cutoff"), f"{path}: /cutoff")
    check(weights, cutoff, f"{path}: /weights")
    name, note = str(raw.get("id", path.stem)), str(raw.get("note", ""))
    return CriteriaSet(name, MappingProxyType(weights), cutoff, highest, note)


def of_guideline(guideline: Guideline) -> CriteriaSet:
    """Return the weights and cutoff that ``guideline`` itself carries.

    :raises ScoringError: it has none, or they do not hold together
    """
    where = f"{guideline.id}: /metadata/scoring/criteria"
    if not guideline.weights:
        raise ScoringError(
            f"{where}: this guideline has no weights",
            hint=f"name a set with --criteria: {', '.join(sets())}",
        )
    check(guideline.weights, guideline.cutoff, where)
    return CriteriaSet(guideline.id, MappingProxyType(dict(guideline.weights)), guideline.cutoff)


def check(weights: Mapping[str, int], cutoff: int | None, where: str) -> None:
    """Check that weights are for known criteria, add up, and that the cutoff can be reached.

    All twelve add up to 100; where some are not considered the rest add up to less.

    :raises ScoringError: they do not; ``where`` says where they stand
    """
    known = {each.id for each in criteria()}
    for name, weight in weights.items():
        if name not in known:
            raise ScoringError(
                f"{where}/{name}: there is no criterion called {name}",
                hint=f"criteria are {', '.join(sorted(known))}",
            )
        if weight < 0:
            raise ScoringError(f"{where}/{name}: a weight cannot be {weight}")
    total = sum(weights.values())
    if known == weights.keys() and total != FULL:
        raise ScoringError(
            f"{where}: the weights add up to {total}, not to {FULL}",
            hint="all twelve criteria share 100 points",
        )
    if total > FULL:
        raise ScoringError(f"{where}: the weights add up to {total}, more than {FULL}")
    if cutoff is not None and not 0 < cutoff <= total:
        raise ScoringError(f"{where}: the cutoff {cutoff} is not from 1 to their sum, {total}")


def by_heading(heading: str) -> str | None:
    """Return the id of the criterion (or the gate) that ``heading`` names, by any of its names."""
    wanted = heading.strip().strip('"').lower()
    for each in _every():
        if wanted in {each.id, each.name.lower(), *(name.lower() for name in each.names)}:
            return each.id
    return None


def _whole(value: Any, where: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise ScoringError(f"{where}: expected a whole number, found {json.dumps(value)}")
    return value


@functools.cache
def _every() -> tuple[Criterion, ...]:
    return tuple(
        Criterion(**{**each, "names": tuple(each["names"])}) for each in _data()["criteria"]
    )


def _set(raw: Mapping[str, Any]) -> CriteriaSet:
    return CriteriaSet(
        id=raw["id"],
        weights=MappingProxyType(raw["weights"]),
        cutoff=raw["cutoff"],
        highest=raw["highest"],
        note=raw["note"],
        definitions=MappingProxyType(raw["definitions"]),
    )


@functools.cache
def _data() -> dict:
    return json.loads((resources.files("scoring") / "data" / "criteria.json").read_text())
