"""A zip file with one form for one content: members are stored, sorted, and without times.

The same members give the same bytes with any compression library, and no member expands when it is
read. A file that differs from what packing its own members gives is refused, so a change of any
byte is noticed.
"""

import contextlib
import io
import struct
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

from capabilities import file_content
from refstack_client.errors import InputError

MOST_BYTES = 512 * 1024 * 1024
MOST_MEMBERS = 64
SMALL = 1024 * 1024
_END, _END_SIGNATURE = struct.Struct("<4s4H2LH"), b"PK\5\6"
"""The last bytes of a zip file: among them the number of entries and the size of the directory."""
_LARGEST_ENTRY = 1024
"""The size of a member's entry in the directory, in bytes, with its name."""
_FIRST_DATE = (1980, 1, 1, 0, 0, 0)
_FILE_OF_0644 = 0o100644 << 16


class ArchiveError(InputError):
    """A file is not a valid archive of a bundle."""


def pack(members: Mapping[str, bytes]) -> bytes:
    """Return the zip file of ``members``, sorted by name."""
    return _packed(members).getvalue()


def _packed(members: Mapping[str, bytes]) -> io.BytesIO:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as packed:
        for name in sorted(members):
            info = zipfile.ZipInfo(name, _FIRST_DATE)
            info.create_system = 3
            info.external_attr = _FILE_OF_0644
            packed.writestr(info, members[name])
    return out


def read(path: Path) -> dict[str, bytes]:
    """Return the members of an archive. Nothing is unpacked to disk.

    :raises ArchiveError: the file is not a valid archive, or is larger than :data:`MOST_BYTES`
    """
    try:
        content = file_content.read(path, MOST_BYTES)
    except OSError as error:
        raise ArchiveError(f"{path}: {error.strerror}", hint="give the path of a bundle") from error
    return unpack(content, str(path))


def unpack(content: bytes, source: str) -> dict[str, bytes]:
    """As :func:`read`, from bytes; ``source`` names them in messages."""
    with _opened(io.BytesIO(content), source) as packed:
        members = {entry.filename: packed.read(entry) for entry in packed.infolist()}
    if _packed(members).getbuffer() != content:
        raise ArchiveError(f"{source} was changed after it was packed")
    return members


def small_members(path: Path, names: Iterable[str], source: str) -> dict[str, bytes]:
    """Return some members of an archive, those of at most :data:`SMALL` bytes.

    Nothing else of the archive is read, so that it takes little time whatever its size.

    :raises ArchiveError: the file is not a valid archive
    """
    with path.open("rb") as file, _opened(file, source) as packed:
        return {
            entry.filename: packed.read(entry)
            for entry in packed.infolist()
            if entry.filename in names and entry.file_size <= SMALL
        }


@contextlib.contextmanager
def _opened(file: IO[bytes], source: str) -> Iterator[zipfile.ZipFile]:
    """Yield an archive whose directory of members is valid.

    :raises ArchiveError: it is not, or a member cannot be read
    """
    try:
        file.seek(-_END.size, io.SEEK_END)
        _check_end(file.read(), source)
        with zipfile.ZipFile(file) as packed:
            for problem in _problems(packed.infolist()):
                raise ArchiveError(f"{source}: {problem}")
            yield packed
    except (
        zipfile.BadZipFile,
        EOFError,
        NotImplementedError,
        OSError,
        RuntimeError,
        UnicodeDecodeError,
        ValueError,
        struct.error,
    ) as error:
        raise ArchiveError(f"{source} is not a complete zip file: {error}") from error


def _check_end(end: bytes, source: str) -> None:
    """Check the end of an archive before its directory is read, which it may state to be huge."""
    signature, *_, number, size, _offset, comment = _END.unpack(end)
    if signature != _END_SIGNATURE or comment:
        raise ArchiveError(f"{source} is not a complete zip file: its end is missing")
    if number > MOST_MEMBERS or size > MOST_MEMBERS * _LARGEST_ENTRY:
        raise ArchiveError(f"{source}: {number} members, more than {MOST_MEMBERS}")


def _problems(entries: Sequence[zipfile.ZipInfo]) -> Iterator[str]:
    """Yield what is wrong with the entries, before the content of any is read."""
    names = [entry.filename for entry in entries]
    if len(entries) > MOST_MEMBERS:
        yield f"{len(entries)} members, more than {MOST_MEMBERS}"
    for name in names:
        if not name or name != Path(name).name or "\\" in name or "\x00" in name:
            yield f'"{name}" is not a plain file name'
        if names.count(name) > 1:
            yield f"two members are called {name}"
    for entry in entries:
        if entry.compress_type != zipfile.ZIP_STORED or entry.flag_bits & 0x1:
            yield f"{entry.filename} is compressed or encrypted, as a bundle never is"
    if sum(entry.file_size for entry in entries) > MOST_BYTES:
        yield f"the members are larger than {MOST_BYTES} bytes"
