"""Uploaded bundles and streams as files named by their SHA-256, written once, never changed."""

import contextlib
import hashlib
import os
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import mkstemp
from typing import IO

_DIRECTORY = "uploads"
_PARTIAL = ".coming-"
"""The prefix of the name of a file that is still being received."""
_SECONDS_TO_RECEIVE = 24 * 3600
IN_MEMORY = 64 * 1024
"""The size up to which an upload is received in memory, in bytes."""


class IncomingUpload:
    """An upload that is received and hashed: in memory while it is small, otherwise on disk."""

    def __init__(self, directory: Path):
        self._directory = directory
        self._memory = bytearray()
        self._file: IO[bytes] | None = None
        self._path = directory
        self._hash = hashlib.sha256()
        self.size = 0

    def write(self, chunk: bytes) -> None:
        """Append a chunk."""
        self._hash.update(chunk)
        self.size += len(chunk)
        if self._file is None:
            self._memory += chunk
        else:
            self._file.write(chunk)
        if self.size > IN_MEMORY:
            self._on_disk()

    def _on_disk(self) -> IO[bytes]:
        if self._file is None:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle, name = mkstemp(dir=self._directory, prefix=_PARTIAL)
            self._file, self._path = os.fdopen(handle, "wb"), Path(name)
            self._file.write(self._memory)
            self._memory.clear()
        return self._file

    @property
    def sha256(self) -> str:
        """The SHA-256 of the chunks so far, in hexadecimal."""
        return self._hash.hexdigest()

    def content(self) -> bytes:
        """Return all bytes of a small upload."""
        return self.complete().read_bytes() if self._file else bytes(self._memory)

    def complete(self) -> Path:
        """Return a file with all bytes, for other processes to read."""
        self._on_disk().flush()
        return self._path

    def sync(self) -> Path:
        """Return a file with all bytes, which are on the disk and not only in its cache."""
        path = self.complete()
        os.fsync(self._on_disk().fileno())
        return path

    def remove(self) -> None:
        """Remove the file, if there is one and nothing else took it."""
        if self._file:
            self._path.unlink(missing_ok=True)
            with contextlib.suppress(OSError):  # What a full disk did not take.
                self._file.close()


@contextlib.contextmanager
def incoming(data: Path) -> Iterator[IncomingUpload]:
    """Receive an upload; its file is removed afterwards unless :func:`keep` kept it."""
    upload = IncomingUpload(data / _DIRECTORY)
    try:
        yield upload
    finally:
        upload.remove()


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
    target = path_of(data, upload.sha256)
    if target.exists():
        return
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    upload.sync().replace(target)
    for directory in (target.parent, target.parent.parent):
        _sync_directory(directory)


def _sync_directory(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def stored(data: Path) -> Iterator[str]:
    """Yield the SHA-256 of each upload in order, without partial uploads."""
    for directory in sorted((data / _DIRECTORY).glob("??")):
        yield from sorted(path.name for path in directory.iterdir() if path.is_file())


def is_whole(data: Path, sha256: str) -> bool:
    """Return whether an upload is there and its content has this SHA-256."""
    try:
        with path_of(data, sha256).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == sha256
    except FileNotFoundError:
        return False


def remove(data: Path, sha256: str) -> None:
    """Remove an upload if it is there."""
    path_of(data, sha256).unlink(missing_ok=True)


def read(data: Path, sha256: str) -> bytes:
    """Return an upload by its SHA-256."""
    return path_of(data, sha256).read_bytes()


def path_of(data: Path, sha256: str) -> Path:
    """Return the file of an upload by its SHA-256."""
    return data / _DIRECTORY / sha256[:2] / sha256
