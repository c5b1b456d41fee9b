"""A zip file with one form for one content: members are stored, sorted, and without times.

The same members give the same bytes with any compression library, and no member expands when it is
read. A file that differs from what packing its own members gives is refused, so a change of any
byte is noticed.
"""

import io
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from capabilities import file_content
from refstack_client.errors import InputError

MOST_BYTES = 512 * 1024 * 1024
MOST_MEMBERS = 64
_FIRST_DATE = (1980, 1, 1, 0, 0, 0)
_FILE_OF_0644 = 0o100644 << 16


class ArchiveError(InputError):
    """A file is not a valid archive of a bundle."""


def pack(members: Mapping[str, bytes]) -> bytes:
    """Return the zip file of ``members``, sorted by name."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as packed:
        for name in sorted(members):
            info = zipfile.ZipInfo(name, _FIRST_DATE)
            info.create_system = 3
            info.external_attr = _FILE_OF_0644
            packed.writestr(info, members[name])
    return out.getvalue()


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
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            entries = packed.infolist()
            for problem in _problems(entries):
                raise ArchiveError(f"{source}: {problem}")
            members = {entry.filename: packed.read(entry) for entry in entries}
    except (
        zipfile.BadZipFile,
        EOFError,
        NotImplementedError,
        OSError,
        RuntimeError,
        UnicodeDecodeError,
        ValueError,
    ) as error:
        raise ArchiveError(f"{source} is not a complete zip file: {error}") from error
    if pack(members) != content:
        raise ArchiveError(f"{source} was changed after it was packed")
    return members


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
