"""Directories that are built once and shared by the sandboxes of a root."""

import shutil
from collections.abc import Callable
from pathlib import Path

import fasteners


def build_once(directory: Path, build: Callable[[], None]) -> None:
    """Call ``build`` for ``directory`` unless an earlier call completed it.

    An incomplete directory is removed before. One process at a time builds.

    :param build: called when the directory does not exist
    :raises OSError: the directory cannot be written
    """
    complete = directory / "complete"
    directory.parent.mkdir(parents=True, exist_ok=True)
    with fasteners.InterProcessLock(directory.with_suffix(".lock")):
        if not complete.exists():
            shutil.rmtree(directory, ignore_errors=True)
            build()
            complete.touch()


def last_line(error: Exception) -> str:
    """Return the last line that a failed command wrote to its standard error, or ``error``."""
    output = getattr(error, "stderr", None) or b""
    lines = output.decode(errors="replace").strip().splitlines()
    return lines[-1].strip() if lines else str(error)
