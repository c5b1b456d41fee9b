"""The file of a backup: an uncompressed tar archive of plain files, with a checksum at its end.

Any tar program can list it. It is read member by member, never by the paths of its members, and has
neither links nor extended headers, so that its content is never larger than the file. The last
member is the SHA-256 of the names and digests of all others.
"""

import hashlib
import io
import shutil
import tarfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from refstack_client.errors import InputError

_LAST = "checksum"
_CHUNK = 1024 * 1024
_ANOTHER_COPY = "use another copy of the backup"


@dataclass
class _Sum:
    """The checksum of an archive."""

    _hash: "hashlib._Hash" = field(default_factory=hashlib.sha256)

    def add(self, name: str, sha256: str) -> None:
        self._hash.update(f"{sha256}  {name}\n".encode())

    def content(self) -> bytes:
        return f"{self._hash.hexdigest()}\n".encode()


class _HashedFile(io.RawIOBase):
    """The next bytes of a file, hashed while they are read.

    :raises InputError: the file ends before; from each method that reads
    """

    def __init__(self, name: str, file: IO[bytes], size: int):
        self._name, self._file, self._left = name, file, size
        self._hash = hashlib.sha256()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "bytearray | memoryview") -> int:  # type: ignore[override]
        chunk = self._file.read(min(len(buffer), self._left, _CHUNK))
        if not chunk and self._left and len(buffer):
            raise InputError(f"{self._name} ends early", hint=_ANOTHER_COPY)
        buffer[: len(chunk)] = chunk
        self._left -= len(chunk)
        self._hash.update(chunk)
        return len(chunk)

    def drain(self) -> str:
        """Read the rest; return the SHA-256 of all bytes."""
        while self.read(_CHUNK):
            pass
        return self._hash.hexdigest()


class Writer:
    """Writes an archive to a file, one member after the other."""

    def __init__(self, file: IO[bytes]):
        self._file, self._sum = file, _Sum()

    def add(self, name: str, content: bytes) -> None:
        """Add a member."""
        self.add_file(name, io.BytesIO(content), len(content))

    def add_file(self, name: str, file: IO[bytes], size: int) -> None:
        """Add a member of ``size`` bytes, which are read from a file."""
        info = tarfile.TarInfo(name)
        info.size, info.mode, info.mtime = size, 0o600, int(time.time())
        self._file.write(info.tobuf(tarfile.USTAR_FORMAT))
        source = _HashedFile(name, file, size)
        shutil.copyfileobj(source, self._file, _CHUNK)
        self._file.write(bytes(-size % tarfile.BLOCKSIZE))
        self._sum.add(name, source.drain())

    def close(self) -> None:
        """Add the checksum and the end of the archive."""
        self.add(_LAST, self._sum.content())
        self._file.write(bytes(2 * tarfile.BLOCKSIZE))


@dataclass(frozen=True)
class Member:
    """A member of an archive: name, size in bytes, content."""

    name: str
    size: int
    content: _HashedFile

    def read(self, most: int) -> bytes:
        """Return the content.

        :raises ValueError: it has more than ``most`` bytes
        """
        if self.size > most:
            raise ValueError(f"it has more than {most} bytes")
        return self.content.readall()


def read(path: Path, file: IO[bytes]) -> Iterator[Member]:
    """Yield the members of an archive but its checksum; each is valid until the next.

    :param path: the name of the file, for messages
    :raises InputError: the file is not an archive of this format, or is damaged
    """
    checksum = _Sum()
    try:
        while True:
            member = _next(file)
            if member.name == _LAST:
                break
            yield member
            checksum.add(member.name, member.content.drain())
            file.read(-member.size % tarfile.BLOCKSIZE)
        expected = checksum.content()
        is_valid = member.size == len(expected) and member.content.readall() == expected
    except tarfile.HeaderError as error:
        raise InputError(f"{path} is not a complete backup: {error}", hint=_ANOTHER_COPY) from error
    if not is_valid:
        raise InputError(f"{path} is damaged: its checksum is wrong", hint=_ANOTHER_COPY)


def _next(file: IO[bytes]) -> Member:
    info = tarfile.TarInfo.frombuf(file.read(tarfile.BLOCKSIZE), "ascii", "replace")
    if info.type != tarfile.REGTYPE or info.size < 0:
        raise tarfile.HeaderError(f"{info.name!r} is not a plain file")
    return Member(info.name, info.size, _HashedFile(info.name, file, info.size))
