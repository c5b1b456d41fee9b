"""Writing files so that a reader, or a crash, never sees half of one."""

import json
import os
import tempfile
from pathlib import Path
from typing import Any


def write_text(path: Path, text: str, mode: int = 0o644) -> None:
    """As :func:`write_bytes`, for a text in UTF-8 with its line ends as they are."""
    write_bytes(path, text.encode("utf-8"), mode)


def write_bytes(path: Path, content: bytes, mode: int = 0o644) -> None:
    """Write ``content`` to a temporary file beside ``path`` and rename it into place."""
    handle, fresh = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
        os.chmod(fresh, mode)
        os.replace(fresh, path)
    except BaseException:
        os.unlink(fresh)
        raise


def write_private(path: Path, text: str) -> None:
    """As :func:`write_text`, readable by its owner alone from the first byte."""
    write_text(path, text, mode=0o600)


def write_json(path: Path, document: Any) -> None:
    """As :func:`write_text`, for a JSON document in a stable, readable form."""
    write_text(path, json.dumps(document, indent=2, ensure_ascii=False) + "\n")


def read_json(path: Path, default: Any) -> Any:
    """Return the document in ``path``, or ``default`` where there is no such file."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return default
