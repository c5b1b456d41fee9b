"""How long tests take, from what they took in real runs: for estimates and for even parts."""

import functools
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from importlib import resources
from typing import Any

from capabilities.testid import class_of

SECONDS_BEFORE = 2.5
"""Signing in, making tenants, asking what the cloud offers, until Tempest is started."""
SECONDS_TO_START = 1.0
SECONDS_AFTER = 4.0
"""Removing the tenants, judging."""


def estimate(names: Iterable[str], concurrency: int, passes: int = 1) -> float:
    """Return about how many seconds tests take, ``concurrency`` classes at a time.

    :param passes: how often stestr is started for them
    """
    classes = by_class(names)
    if not classes:
        return 0.0
    longest = max(spread(classes, max(1, concurrency))[1])
    return SECONDS_BEFORE + passes * SECONDS_TO_START + longest + SECONDS_AFTER


def by_class(names: Iterable[str]) -> Mapping[str, float]:
    """Return about how many seconds the tests of each class take, its set-up and tear-down too."""
    seconds: dict[str, float] = defaultdict(float)
    for name, took in by_test(names).items():
        seconds[class_of(name)] += took
    # Whoever adds up in another order is to come to the same parts.
    return {name: round(total, 3) for name, total in seconds.items()}


def by_test(names: Iterable[str]) -> Mapping[str, float]:
    """Return about how many seconds each test takes; the first of a class also sets it up."""
    known = _known()
    seconds = {}
    begun = set()
    for name in dict.fromkeys(names):
        class_name = class_of(name)
        seconds[name] = known["tests"].get(name, known["test"])
        if class_name not in begun:
            begun.add(class_name)
            areas = known["areas"]
            other = areas.get(area(class_name), max(areas.values()))
            seconds[name] += known["classes"].get(class_name, other)
    return seconds


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
