"""How long tests take, from what they took in a real run: for estimates and for even parts."""

import functools
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from importlib import resources
from typing import Any

from capabilities.testid import class_of


def estimate(names: Iterable[str], concurrency: int) -> float:
    """Return about how many seconds tests take."""
    classes = by_class(names)
    start: float = _known()["start"]
    return start + sum(classes.values()) / max(1, concurrency) if classes else 0.0


def by_class(names: Iterable[str]) -> Mapping[str, float]:
    """Return about how many seconds the tests of each class take, its set-up and tear-down too."""
    known = _known()
    seconds: dict[str, float] = defaultdict(float)
    for name in names:
        class_name = class_of(name)
        if class_name not in seconds:
            fixtures = known["class"]
            seconds[class_name] = fixtures.get(_area(class_name), fixtures["identity"])
        seconds[class_name] += known["tests"].get(name, known["test"])
    return seconds


def _area(class_name: str) -> str:
    parts = class_name.split(".")
    return parts[2] if len(parts) > 2 else ""


@functools.cache
def _known() -> dict[str, Any]:
    return json.loads((resources.files("refstack_client") / "data" / "durations.json").read_text())
