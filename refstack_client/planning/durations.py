"""How long tests take, as measured in real runs: for estimates and for shards of equal length."""

import functools
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

from capabilities.tempest_id import class_of
from refstack_client.planning.workers import Workers


@dataclass(frozen=True)
class _Length:
    """A duration in seconds: a constant part, one for each worker, and one for each response.

    :param each_worker: seconds for each worker
    :param responses: number of responses of the cloud that it waits for
    """

    seconds: float
    each_worker: float = 0.0
    responses: float = 0.0

    def of(self, workers: Workers) -> float:
        return self.seconds + self.each_worker * workers.count + self.responses * workers.latency


_AROUND = (
    # Sign in, create tenants, discover what the cloud offers, until Tempest is started.
    _Length(2.0, each_worker=0.25, responses=40),
    # Until Tempest runs the first test.
    _Length(0.3, each_worker=0.3, responses=10),
    # Remove the tenants, judge.
    _Length(2.0, each_worker=1.0, responses=40),
)


def estimate(names: Iterable[str], workers: Workers) -> float:
    """Return the estimated duration in seconds of a certification with the tests ``names``."""
    classes = by_class(names, workers.latency)
    if not classes:
        return 0.0
    longest = max(spread(classes, max(1, workers.count))[1])
    return longest + sum(length.of(workers) for length in _AROUND)


def by_class(names: Iterable[str], latency: float = 0.0) -> Mapping[str, float]:
    """Return the estimated seconds of each class: its tests, set-up and tear-down."""
    seconds: dict[str, float] = defaultdict(float)
    for name, took in by_test(names, latency).items():
        seconds[class_of(name)] += took
    # Rounded, so that the order of addition does not change the shards.
    return {name: round(total, 3) for name, total in seconds.items()}


def by_test(names: Iterable[str], latency: float = 0.0) -> Mapping[str, float]:
    """Return the estimated seconds of each test; the first of a class includes its set-up.

    :param latency: API round-trip time of the cloud in seconds
    """
    measured = _measured()
    seconds = {}
    set_up: set[str] = set()
    for name in dict.fromkeys(names):
        class_name = class_of(name)
        took = measured["tests"].get(name, measured["test"])
        seconds[name] = _with_responses(took, latency)
        if class_name not in set_up:
            set_up.add(class_name)
            areas = measured["areas"]
            other = areas.get(area(class_name), max(areas.values()))
            seconds[name] += _with_responses(measured["classes"].get(class_name, other), latency)
    return seconds


def _with_responses(took: Sequence[float], latency: float) -> float:
    """Return the seconds of a measured duration: a constant part, and number of responses."""
    seconds, responses = took
    return seconds + responses * latency


def spread(seconds: Mapping[str, float], parts: int) -> tuple[dict[str, int], list[float]]:
    """Distribute classes to parts of about equal length: the longest first, to the shortest part.

    :return: the part of each class, counted from 0; and the length of each part
    """
    loads = [0.0] * parts
    part: dict[str, int] = {}
    for name in sorted(seconds, key=lambda name: (-seconds[name], name)):
        shortest = loads.index(min(loads))
        part[name] = shortest
        loads[shortest] += seconds[name]
    return part, loads


def area(class_name: str) -> str:
    """Return the area of the cloud that a class tests, by its module in Tempest: ``volume``, …."""
    parts = class_name.split(".")
    return parts[2] if len(parts) > 2 else ""


@functools.cache
def _measured() -> dict[str, Any]:
    return json.loads((resources.files("refstack_client") / "data" / "durations.json").read_text())
