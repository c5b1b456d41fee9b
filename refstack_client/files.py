"""Writing files so that a reader, or a crash, never sees half of one."""

import contextlib
import errno
import json
import os
import stat
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from capabilities import file_content
from refstack_client.errors import InputError

IMAGE_DATA = Path(sys.prefix) / "share" / "refstack-client"
"""Where the build of a container image keeps what it prepares."""


def write_text(path: Path, text: str, mode: int = 0o644) -> None:
    """As :func:`write_bytes`, for a text in UTF-8 with its line ends as they are."""
    write_bytes(path, text.encode("utf-8"), mode)


def write_bytes(path: Path, content: bytes, mode: int = 0o644) -> None:
    """Write ``content`` to a temporary file beside ``path`` and rename it into place.

    :raises OSError: it cannot be written; names ``path``
    """
    handle, fresh = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
        os.chmod(fresh, mode)
        os.replace(fresh, path)
    except BaseException as error:
        os.unlink(fresh)
        if isinstance(error, OSError):  # the failure of a write names no file
            error.filename = str(path)
        raise


@contextlib.contextmanager
def new_private(path: Path) -> Iterator[IO[bytes]]:
    """Yield a new file, readable by its owner alone, that appears at ``path`` once it is complete.

    Where the file system can, it has no name until then: even a killed process leaves nothing.

    :raises InputError: ``path`` exists
    """
    exists = InputError(f"{path} exists", hint="name another file: no file is overwritten")
    if os.path.lexists(path):
        raise exists
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with _without_name(path) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
            # With a directory, Python calls linkat(2), which follows the link of /proc.
            source = f"/proc/self/fd/{file.fileno()}"
            os.link(source, path, src_dir_fd=directory, follow_symlinks=True)
        os.fsync(directory)
    except FileExistsError as error:
        raise exists from error
    finally:
        os.close(directory)


@contextlib.contextmanager
def _without_name(path: Path) -> Iterator[IO[bytes]]:
    """Yield a file in the directory of ``path``, or one with a temporary name there."""
    fresh = None
    try:
        handle = os.open(path.parent, os.O_TMPFILE | os.O_RDWR, 0o600)
    except OSError as error:
        if error.errno not in (errno.EOPNOTSUPP, errno.EISDIR):
            raise
        handle, fresh = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
    finally:
        if fresh:
            os.unlink(fresh)


def write_over(path: Path, content: bytes) -> None:
    """Write a file the user named; what stood there before is kept beside it as ``path~``.

    A link is followed and the mode of the file kept.

    :raises InputError: it cannot be written
    """
    target = path.resolve()
    try:
        if not target.exists():
            write_bytes(target, content)
            return
        before = target.read_bytes()
        mode = stat.S_IMODE(target.stat().st_mode)
        if before != content:
            write_bytes(target.with_name(f"{target.name}~"), before, mode)
            write_bytes(target, content, mode)
    except OSError as error:
        raise InputError(
            f"{path} cannot be written: {error.strerror}", hint="name another file"
        ) from error


def write_private(path: Path, text: str) -> None:
    """As :func:`write_text`, readable by its owner alone from the first byte."""
    write_text(path, text, mode=0o600)


def write_json(path: Path, document: Any) -> None:
    """As :func:`write_text`, for a JSON document in a stable, readable form."""
    write_text(path, json_text(document))


def json_text(document: Any) -> str:
    """Return a JSON document as indented text that ends with a newline."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def write_private_json(path: Path, document: Any) -> None:
    """As :func:`write_json`, readable by its owner alone."""
    write_private(path, json_text(document))


def read_bytes(path: Path) -> bytes:
    """Return the content of a file the user named.

    :raises InputError: it cannot be read, or is too large
    """
    try:
        return file_content.read(path)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from error


def read_json(path: Path, default: Any) -> Any:
    """Return the document in ``path``, or ``default`` where there is no such file."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return default
