"""The guidelines shipped with this package, and how to name one."""

import re
from importlib import resources
from pathlib import Path

from capabilities import reader
from capabilities.errors import UnknownNameError
from capabilities.finding import Finding
from capabilities.guideline import Guideline

_DATA = resources.files("capabilities") / "data"
_GUIDELINE_FILE = re.compile(r"(\d{4}\.\d{2})\.json")


def shipped() -> tuple[str, ...]:
    """Return the ids of the shipped guidelines, oldest first."""
    names = (_GUIDELINE_FILE.fullmatch(entry.name) for entry in _DATA.iterdir())
    return tuple(sorted(match[1] for match in names if match))


def default() -> str:
    """Return the id of the newest approved guideline that is shipped."""
    approved = (each for each in reversed(shipped()) if load(each)[0].status == "approved")
    return next(approved)


def content(name: str) -> bytes:
    """Return the file of the guideline ``name``, byte for byte; errors as for :func:`load`."""
    if name in shipped():
        return (_DATA / f"{name}.json").read_bytes()
    path = Path(name)
    if path.suffix == ".json" or path.exists():
        return reader.content(path)
    raise UnknownNameError(
        f"there is no guideline called {name}",
        hint=f"shipped are {', '.join(shipped())}; the path of a guideline file does too",
    )


def load(name: str) -> tuple[Guideline, tuple[Finding, ...]]:
    """Return the guideline ``name``: the id of a shipped one, or the path of a file.

    :raises UnknownNameError: no guideline of that id is shipped and there is no such file
    :raises GuidelineError: the file cannot be read
    """
    source = f"guideline {name}" if name in shipped() else name
    return reader.parse(content(name), source)
