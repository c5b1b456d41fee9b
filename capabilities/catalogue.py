"""The guidelines shipped with this package, by id."""

import difflib
import functools
import re
from collections.abc import Mapping
from dataclasses import replace
from importlib import resources
from pathlib import Path

from capabilities import programme, reader, timeline
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


def previous(guideline: str) -> str | None:
    """Return the id of the shipped guideline before another one in its series, None for the first.

    :param guideline: the id of a shipped guideline
    """
    own = timeline.series(guideline)
    names = [name for name in shipped() if timeline.series(name) == own]
    place = names.index(guideline)
    return names[place - 1] if place else None


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


@functools.cache
def ids_by_name() -> Mapping[str, str]:
    """Return the idempotent ids of the tests of all shipped guidelines by each of their names.

    Of a name with several ids, which tests before the first guideline with ids could have, the
    newest guideline has the right one.
    """
    tests = (
        test
        for name in shipped()
        for capability in load(name)[0].capabilities.values()
        for test in capability.tests
    )
    return {name: test.idempotent_id for test in tests if test.idempotent_id for name in test.names}


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
    """Return the programme of an add-on with the programmes that it requires.

    A required platform component names its guideline by the name of that guideline's file. It is
    the shipped guideline of that name, else the file of that name beside the add-on's or in the
    directory above, as in the interop repository.

    :raises UnknownNameError: there is no such guideline, or it has no programme of that component
    :raises GuidelineError: its file cannot be read
    """
    return replace(add_on, bases=tuple(_base(add_on, *required) for required in _required(add_on)))


def base_files(add_on: Programme) -> tuple[Path, ...]:
    """Return the files of the required guidelines that are not shipped, each once."""
    names = (source for _, source in _required(add_on))
    found = (_base_file(add_on.guideline, source) for source in names)
    return tuple(dict.fromkeys(path for path in found if path))


def _required(add_on: Programme) -> tuple[tuple[str, str], ...]:
    """Return component and source of what an add-on requires."""
    platforms = add_on.guideline.platforms
    return next(platform for platform in platforms if platform.name == add_on.name).requires


def _base_file(guideline: Guideline, source: str) -> Path | None:
    """Return the file of a required guideline; None if it is shipped, or not found."""
    name = Path(source).name
    if guideline.file is None or Path(name).stem in shipped():
        return None
    here = guideline.file.absolute().parent
    return next((path for path in (here / name, here.parent / name) if path.is_file()), None)


def _base(add_on: Programme, component: str, source: str) -> Programme:
    path = _base_file(add_on.guideline, source)
    name = str(path or Path(source).stem)
    if path is None and name not in shipped():
        raise UnknownNameError(
            f"{add_on.guideline.id} requires {component} of {source}, which is not shipped",
            hint=f"put {Path(source).name} beside the file of the add-on or into the directory "
            "above, as in the interop repository",
        )
    guideline, _ = load(name)
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
    guideline, findings = reader.parse(content(name), _files().get(name.lower(), name))
    is_file = name.lower() not in _files()
    return replace(guideline, file=Path(name) if is_file else None), findings
