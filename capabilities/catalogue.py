"""The guidelines shipped with this package, by id."""

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
    """Return the ids of the shipped guidelines, dated ones first, then add-ons and lists."""
    return tuple(_files())


def file_name(guideline: str) -> str:
    """Return the file name of the shipped guideline with the id ``guideline``, in any case."""
    return _files()[guideline.lower()]


def default(programme_name: str | None = None) -> str:
    """Return the id of the newest approved guideline that is shipped, add-ons excluded.

    :param programme_name: if that guideline has no such programme, as for add-ons and lists, the
        newest shipped guideline that has one is returned instead, an approved one if possible
    """
    powered = (name for name in reversed(shipped()) if _POWERED.fullmatch(name))
    newest = next(name for name in powered if load(name)[0].status == "approved")
    if programme_name is None or _has(load(newest)[0], programme_name):
        return newest
    others = (load(name)[0] for name in reversed(shipped()))
    having = [guideline for guideline in others if _has(guideline, programme_name)]
    approved = [guideline for guideline in having if guideline.status == "approved"]
    return next((guideline.id for guideline in (*approved, *having)), newest)


def _has(guideline: Guideline, programme_name: str) -> bool:
    try:
        return bool(programme.find(guideline, programme_name))
    except UnknownNameError:
        return False


def content(name: str) -> bytes:
    """Return the bytes of the file of the guideline ``name``.

    :raises UnknownNameError, GuidelineError: as for :func:`load`
    """
    if name.lower() in _files():
        return (_DATA / file_name(name)).read_bytes()
    path = Path(name)
    if path.suffix == ".json" or path.exists():
        return reader.content(path)
    near = difflib.get_close_matches(name, shipped(), n=1)
    raise UnknownNameError(
        f"there is no guideline called {name}" + (f"; did you mean {near[0]}?" if near else ""),
        hint=f"give the path of a guideline file or one of {', '.join(shipped())}",
    )


def with_bases(add_on: Programme) -> Programme:
    """Return the programme of an add-on with the shipped programmes that it requires.

    A required platform component names its guideline by the name of that guideline's file.

    :raises UnknownNameError: such a guideline is not shipped, or has no programme of that component
    """
    platform = next(
        platform for platform in add_on.guideline.platforms if platform.name == add_on.name
    )
    bases = tuple(_base(component, source) for component, source in platform.requires)
    return replace(add_on, bases=bases)


def _base(component: str, source: str) -> Programme:
    guideline, _ = load(Path(source).stem)
    for platform in guideline.platforms:
        if platform.components == (component,):
            return programme.find(guideline, platform.name)
    raise UnknownNameError(
        f"guideline {guideline.id} has no programme of the component {component} alone"
    )


def load(name: str) -> tuple[Guideline, tuple[Finding, ...]]:
    """Return the guideline ``name``, with the findings of the reader.

    :param name: the id of a shipped guideline in any case, or the path of a file
    :raises UnknownNameError: no guideline of that id is shipped and there is no such file
    :raises GuidelineError: the file cannot be read
    """
    return reader.parse(content(name), _files().get(name.lower(), name))
