"""Bundles and streams as they were sent, by their SHA-256: written once, never changed."""

import os
from pathlib import Path

from refstack_client.files import write_bytes

_DIRECTORY = "uploads"


def path(data: Path, sha256: str) -> Path:
    return data / _DIRECTORY / sha256[:2] / sha256


def keep(data: Path, sha256: str, content: bytes) -> None:
    """Write what was sent, and have it on the disk before anybody is told that it is kept."""
    target = path(data, sha256)
    if target.exists():
        return
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_bytes(target, content, mode=0o600)
    for each in (target, target.parent, target.parent.parent):
        _flush(each)


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def read(data: Path, sha256: str) -> bytes:
    return path(data, sha256).read_bytes()
