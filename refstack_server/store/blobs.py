"""Bundles and streams as they were sent, by their SHA-256: written once, never changed."""

import contextlib
import hashlib
import os
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO

_DIRECTORY = "uploads"
_COMING = ".coming-"
_SECONDS_TO_COME = 24 * 3600


class Coming:
    """What is being received: on the disk, for it may be large and slow, and hashed as it comes."""

    def __init__(self, file: IO[bytes]):
        self._file = file
        self._hash = hashlib.sha256()

    def write(self, piece: bytes) -> None:
        self._file.write(piece)
        self._hash.update(piece)

    def settle(self) -> None:
        """Have all of it on the disk."""
        self._file.flush()
        os.fsync(self._file.fileno())

    @property
    def path(self) -> Path:
        return Path(self._file.name)

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()

    def content(self) -> bytes:
        """Return all of it, once all has come."""
        self._file.flush()
        return self.path.read_bytes()


@contextlib.contextmanager
def coming(data: Path) -> Iterator[Coming]:
    """Give what is being received a place; it is gone afterwards unless :func:`keep` kept it."""
    directory = data / _DIRECTORY
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    with NamedTemporaryFile(dir=directory, prefix=_COMING, delete=False) as file:
        received = Coming(file)
        try:
            yield received
        finally:
            received.path.unlink(missing_ok=True)


def forget_halves(data: Path) -> None:
    """Remove what was being received when a server was killed."""
    for each in (data / _DIRECTORY).glob(f"{_COMING}*"):
        with contextlib.suppress(FileNotFoundError):
            if each.stat().st_mtime < time.time() - _SECONDS_TO_COME:
                each.unlink()


def keep(data: Path, received: Coming) -> None:
    """Keep what came, and have it on the disk before anybody is told that it is kept."""
    target = _path(data, received.sha256)
    if target.exists():
        return
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    received.settle()
    received.path.replace(target)
    for each in (target.parent, target.parent.parent):
        _flush(each)


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def read(data: Path, sha256: str) -> bytes:
    return _path(data, sha256).read_bytes()


def _path(data: Path, sha256: str) -> Path:
    return data / _DIRECTORY / sha256[:2] / sha256
