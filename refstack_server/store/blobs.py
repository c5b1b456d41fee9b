"""Uploaded bundles and streams as files named by their SHA-256, written once, never changed."""

import contextlib
import hashlib
import os
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO

_DIRECTORY = "uploads"
_PARTIAL = ".coming-"
"""The prefix of the name of a file that is still being received."""
_SECONDS_TO_RECEIVE = 24 * 3600


class IncomingUpload:
    """An upload that is being received: written to disk and hashed as it arrives."""

    def __init__(self, file: IO[bytes]):
        self._file = file
        self._hash = hashlib.sha256()

    def write(self, chunk: bytes) -> None:
        """Append a chunk."""
        self._file.write(chunk)
        self._hash.update(chunk)

    def sync(self) -> None:
        """Flush all chunks to the disk."""
        self._file.flush()
        os.fsync(self._file.fileno())

    @property
    def path(self) -> Path:
        """The file that the upload is written to."""
        return Path(self._file.name)

    @property
    def sha256(self) -> str:
        """The SHA-256 of the chunks so far, in hexadecimal."""
        return self._hash.hexdigest()

    def complete(self) -> Path:
        """Return the file of a complete upload, for other processes to read."""
        self._file.flush()
        return self.path


@contextlib.contextmanager
def incoming(data: Path) -> Iterator[IncomingUpload]:
    """Receive an upload; its file is removed afterwards unless :func:`keep` kept it."""
    directory = data / _DIRECTORY
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    with NamedTemporaryFile(dir=directory, prefix=_PARTIAL, delete=False) as file:
        upload = IncomingUpload(file)
        try:
            yield upload
        finally:
            upload.path.unlink(missing_ok=True)


def remove_partial(data: Path) -> None:
    """Remove partial uploads of a server that was killed.

    Files of the last 24 hours stay: another process may still be receiving them.
    """
    for path in (data / _DIRECTORY).glob(f"{_PARTIAL}*"):
        with contextlib.suppress(FileNotFoundError):
            if path.stat().st_mtime < time.time() - _SECONDS_TO_RECEIVE:
                path.unlink()


def keep(data: Path, upload: IncomingUpload) -> None:
    """Keep a complete upload; it is on the disk when this returns."""
    target = _path(data, upload.sha256)
    if target.exists():
        return
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    upload.sync()
    upload.path.replace(target)
    for directory in (target.parent, target.parent.parent):
        _sync_directory(directory)


def _sync_directory(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def read(data: Path, sha256: str) -> bytes:
    """Return an upload by its SHA-256."""
    return _path(data, sha256).read_bytes()


def _path(data: Path, sha256: str) -> Path:
    return data / _DIRECTORY / sha256[:2] / sha256
