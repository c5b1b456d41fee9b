"""The selection criteria and the sets of weights that guidelines have used.

Twelve criteria in four groups, and a gate: a capability that needs an admin is never must-have,
whatever its score. In 2014 the gate was the thirteenth criterion.
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

from capabilities import file_content
from capabilities.guideline import Guideline
from capabilities.json_document import Json, JsonDocument
from scoring.errors import ScoringError

GATE = "non-admin"
FULL = 100
"""The sum of the weights of all twelve criteria."""


class NotConsidered(StrEnum):
    """How a cell marked ``*`` counts under a criterion that has a weight."""

    ZERO = "zero"
    """As 0, with the same cutoff, as in the add-on worksheets."""
    OPEN = "open"
    """As undecided: a criterion with a weight is a considered one."""


@dataclass(frozen=True)
class Criterion:
    """A selection criterion; ``names`` are its other names in worksheets, JSON and documents."""

    id: str
    name: str
    group: str
    definition: str
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class CriteriaSet:
    """The weights and the cutoff of an era.

    ``highest`` is the highest score a cell can have. A cell counts score / highest x weight, so
    totals are comparable on a finer scale. A criterion without a weight is not considered.
    """

    id: str
    weights: Mapping[str, int]
    cutoff: int | None
    highest: int = 1
    note: str = ""
    not_considered: NotConsidered = NotConsidered.ZERO
    definitions: Mapping[str, str] = field(default_factory=dict)
    """Definitions by criterion id, where they differ from today's."""

    @property
    def most(self) -> int:
        """The total of a capability with the highest score in every cell."""
        return sum(self.weights.values())

    def listed(self) -> Iterator[Criterion]:
        """Yield the criteria this set considers, and the gate, as they were defined then."""
        for criterion in (*criteria(), gate()):
            if criterion.id in self.weights or criterion.id == GATE:
                definition = self.definitions.get(criterion.id, criterion.definition)
                yield replace(criterion, definition=definition)


@functools.cache
def criteria() -> tuple[Criterion, ...]:
    """Return the twelve criteria in the order of the worksheet's slots."""
    return tuple(criterion for criterion in _with_gate() if criterion.id != GATE)


@functools.cache
def gate() -> Criterion:
    """Return the gate, Non-Admin."""
    return next(criterion for criterion in _with_gate() if criterion.id == GATE)


@functools.cache
def names() -> Mapping[str, str]:
    """Return the names of the criteria and of Non-Admin by their ids, in the worksheet's order."""
    return MappingProxyType({criterion.id: criterion.name for criterion in (*criteria(), gate())})


@functools.cache
def sets() -> Mapping[str, CriteriaSet]:
    """Return every set of weights by its id."""
    return MappingProxyType({raw["id"]: _set(raw) for raw in _data()["sets"]})


def find(name: str) -> CriteriaSet:
    """Return the set of weights ``name``: the id of a known set, or the path of a .json file.

    :raises ScoringError: there is no such set, or as for :func:`read`
    """
    if name in sets():
        return sets()[name]
    if Path(name).suffix == ".json":
        return read(Path(name))
    raise ScoringError(
        f"unknown set of criteria: {name}",
        hint=f"choose from {', '.join(sets())}, or give the path of a .json file",
    )


def read(path: Path) -> CriteriaSet:
    """Read a set from a JSON file: ``weights`` and ``cutoff``; ``highest``, id and note optional.

    :raises ScoringError: the file cannot be read, or as for :func:`check`
    :raises GuidelineError: it is not valid JSON
    """
    try:
        content = file_content.read(path)
    except OSError as error:
        raise ScoringError(f"{path}: {error.strerror}") from error
    raw = JsonDocument(str(path)).json(content)
    unknown = raw.keys() - {"id", "weights", "cutoff", "highest", "note"}
    if unknown:
        raise ScoringError(f"{path}: /{min(unknown)}: unknown key in a set of criteria")
    listed = raw.get("weights")
    if not isinstance(listed, dict):
        raise ScoringError(
            f"{path}: /weights: expected an object of weights by criterion",
            hint='as in {"weights": {"deployed": 8, ...}, "cutoff": 74, "highest": 1}',
        )
    highest = _whole(raw.get("highest", 1), f"{path}: /highest")
    if not 1 <= highest <= 9:
        raise ScoringError(f"{path}: /highest: {highest} is not a number from 1 to 9")
    weights = {name: _whole(weight, f"{path}: /weights/{name}") for name, weight in listed.items()}
    cutoff = _whole(raw.get("cutoff"), f"{path}: /cutoff")
    check(weights, cutoff, f"{path}: /weights")
    name, note = str(raw.get("id", path.stem)), str(raw.get("note", ""))
    return CriteriaSet(name, MappingProxyType(weights), cutoff, highest, note)


def of_guideline(guideline: Guideline) -> CriteriaSet:
    """Return the weights and the cutoff of ``guideline`` itself.

    :raises ScoringError: it has none, or as for :func:`check`
    """
    where = f"{guideline.id}: /metadata/scoring/criteria"
    if not guideline.weights:
        raise ScoringError(
            f"{where}: this guideline has no weights",
            hint=f"choose a set with --criteria: {', '.join(sets())}",
        )
    check(guideline.weights, guideline.cutoff, where)
    return CriteriaSet(guideline.id, MappingProxyType(dict(guideline.weights)), guideline.cutoff)


def check(weights: Mapping[str, int], cutoff: int | None, where: str) -> None:
    """Check that the weights are for known criteria, and their sum and the cutoff plausible.

    All twelve add up to 100; where some are not considered, the rest adds up to less.

    :param where: file and position of the weights, for messages
    :raises ScoringError: they are not
    """
    known = {criterion.id for criterion in criteria()}
    for name, weight in weights.items():
        if name not in known:
            raise ScoringError(
                f"{where}/{name}: unknown criterion",
                hint=f"criteria are {', '.join(sorted(known))}",
            )
        if weight < 0:
            raise ScoringError(f"{where}/{name}: a weight cannot be negative: {weight}")
    total = sum(weights.values())
    if known == weights.keys() and total != FULL:
        raise ScoringError(
            f"{where}: the weights add up to {total} instead of {FULL}",
            hint="all twelve criteria share 100 points",
        )
    if total > FULL:
        raise ScoringError(f"{where}: the weights add up to {total}, more than {FULL}")
    if cutoff is not None and not 0 < cutoff <= total:
        raise ScoringError(f"{where}: the cutoff {cutoff} is not between 1 and the sum, {total}")


def by_heading(heading: str) -> str | None:
    """Return the id of the criterion or gate with the name ``heading``, None where unknown."""
    wanted = heading.strip().strip('"').lower()
    for criterion in _with_gate():
        known = (criterion.id, criterion.name, *criterion.names)
        if wanted in {name.lower() for name in known}:
            return criterion.id
    return None


def _whole(value: Json, where: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise ScoringError(f"{where}: expected a whole number, found {json.dumps(value)}")
    return value


@functools.cache
def _with_gate() -> tuple[Criterion, ...]:
    return tuple(Criterion(**{**raw, "names": tuple(raw["names"])}) for raw in _data()["criteria"])


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
def _data() -> Mapping[str, Any]:
    return json.loads((resources.files("scoring") / "data" / "criteria.json").read_text())
