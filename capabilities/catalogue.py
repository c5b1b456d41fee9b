"""The guidelines shipped with this package, and how to name one."""

import difflib
import functools
import re
from dataclasses import replace
from importlib import resources
from pathlib import Path

from capabilities import programme, reader
from capabilities.errors import UnknownNameError
from capabilities.finding import Finding
from capabilities.guideline import Guideline
from capabilities.programme import Programme

_DATA = resources.files("capabilities") / "data" / "guidelines"
_POWERED = re.compile(r"\d{4}\.\d{2}")


@functools.cache
def _files() -> dict[str, str]:
    names = sorted(entry.name for entry in _DATA.iterdir())
    return {Path(name).stem: name for name in names if name.endswith((".json", ".txt"))}


def shipped() -> tuple[str, ...]:
    """Return the ids of the shipped guidelines: by date first, then add-ons and others."""
    return tuple(_files())


def file_name(guideline: str) -> str:
    """Return the name of the file of a shipped guideline."""
    return _files()[guideline]


def default() -> str:
    """Return the id of the newest approved guideline that is shipped (add-ons do not count)."""
    powered = (each for each in reversed(shipped()) if _POWERED.fullmatch(each))
    return next(each for each in powered if load(each)[0].status == "approved")


def content(name: str) -> bytes:
    """Return the file of the guideline ``name``, byte for byte; errors as for :func:`load`."""
    if name in _files():
        return (_DATA / _files()[name]).read_bytes()
    path = Path(name)
    if path.suffix == ".json" or path.exists():
        return reader.content(path)
    near = difflib.get_close_matches(name, shipped(), n=1)
    raise UnknownNameError(
        f"there is no guideline called {name}" + (f"; did you mean {near[0]}?" if near else ""),
        hint=f"shipped are {', '.join(shipped())}; the path of a guideline file does too",
    )


def with_bases(found: Programme) -> Programme:
    """Return an add-on's programme with the shipped programmes it must stand on.

    A required platform component names its guideline by the file it is taken from.

    :raises UnknownNameError: such a guideline is not shipped, or has no programme of that component
    """
    platform = next(each for each in found.guideline.platforms if each.name == found.name)
    return replace(found, bases=tuple(_base(*each) for each in platform.requires))


def _base(component: str, source: str) -> Programme:
    guideline, _ = load(Path(source).stem)
    for platform in guideline.platforms:
        if platform.components == (component,):
            return programme.find(guideline, platform.name)
    raise UnknownNameError(f"guideline {guideline.id} has no programme of {component} alone")


def load(name: str) -> tuple[Guideline, tuple[Finding, ...]]:
    """Return the guideline ``name``: the id of a shipped one, or the path of a file.

    :raises UnknownNameError: no guideline of that id is shipped and there is no such file
    :raises GuidelineError: the file cannot be read
    """
    return reader.parse(content(name), _files().get(name, name))
