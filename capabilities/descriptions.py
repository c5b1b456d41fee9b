"""Our own words for what guidelines list, in one place for all of them.

A published file brings its own; the shipped ones carry facts alone and take these.
"""

import functools
import json
from importlib import resources


def of_capability(name: str) -> str:
    return _all()["capabilities"].get(name, "")


def of_platform(name: str) -> str:
    return _all()["platforms"].get(name, "")


@functools.cache
def _all() -> dict[str, dict[str, str]]:
    return json.loads((resources.files("capabilities") / "data" / "descriptions.json").read_text())
