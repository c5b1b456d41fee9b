"""How long tests take, from what they took in real runs: for estimates and for even parts."""

import functools
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

from capabilities.tempest_id import class_of
from refstack_client.tempest.concurrency import Workers


@dataclass(frozen=True)
class _Length:
    """How long something takes: seconds of its own, more for each worker, and for each answer."""

    seconds: float
    each_worker: float = 0.0
    answers: float = 0.0

    def of(self, workers: Workers) -> float:
        return self.seconds + self.each_worker * workers.count + self.answers * workers.away


_AROUND = (
    # Signing in, making tenants, asking what the cloud offers, until Tempest is started.
    _Length(2.0, each_worker=0.25, answers=40),
    # Until Tempest runs the first test.
    _Length(0.3, each_worker=0.3, answers=10),
    # Removing the tenants, judging.
    _Length(2.0, each_worker=1.0, answers=40),
)


def estimate(names: Iterable[str], workers: Workers) -> float:
    """Return about how many seconds a certification by tests takes."""
    classes = by_class(names, workers.away)
    if not classes:
        return 0.0
    longest = max(spread(classes, max(1, workers.count))[1])
    return longest + sum(each.of(workers) for each in _AROUND)


def by_class(names: Iterable[str], away: float = 0.0) -> Mapping[str, float]:
    """Return about how many seconds the tests of each class take, its set-up and tear-down too."""
    seconds: dict[str, float] = defaultdict(float)
    for name, took in by_test(names, away).items():
        seconds[class_of(name)] += took
    # Whoever adds up in another order is to come to the same parts.
    return {name: round(total, 3) for name, total in seconds.items()}


def by_test(names: Iterable[str], away: float = 0.0) -> Mapping[str, float]:
    """Return about how many seconds each test takes; the first of a class also sets it up.

    :param away: how many seconds an answer of the cloud takes longer than from the next machine
    """
    known = _known()
    seconds = {}
    begun = set()
    for name in dict.fromkeys(names):
        class_name = class_of(name)
        took = known["tests"].get(name, known["test"])
        seconds[name] = _with_answers(took, away)
        if class_name not in begun:
            begun.add(class_name)
            areas = known["areas"]
            other = areas.get(area(class_name), max(areas.values()))
            seconds[name] += _with_answers(known["classes"].get(class_name, other), away)
    return seconds


def _with_answers(took: Sequence[float], away: float) -> float:
    """Return a length of those measured: seconds of its own, answers it waits for."""
    seconds, answers = took
    return seconds + answers * away


def spread(seconds: Mapping[str, float], parts: int) -> tuple[dict[str, int], list[float]]:
    """Deal things of known length to parts as even as can be: the longest first, to the emptiest.

    :return: by name its part, counted from 0; and the length of each part
    """
    loads = [0.0] * parts
    part: dict[str, int] = {}
    for name in sorted(seconds, key=lambda each: (-seconds[each], each)):
        least = loads.index(min(loads))
        part[name] = least
        loads[least] += seconds[name]
    return part, loads


def area(class_name: str) -> str:
    """Return what of a cloud a class tests, as Tempest's modules are called: ``volume``, …."""
    parts = class_name.split(".")
    return parts[2] if len(parts) > 2 else ""


@functools.cache
def _known() -> dict[str, Any]:
    return json.loads((resources.files("refstack_client") / "data" / "durations.json").read_text())
