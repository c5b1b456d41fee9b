"""A zip file with one form for one content: members stored, in order, without times.

Whoever packs the same members gets the same bytes, whatever compression library is at hand, and
nothing in it can blow up. A file that is not exactly what packing its own members gives is refused,
so no byte of it can change unnoticed.
"""

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

from refstack_client.errors import InputError

MOST_BYTES = 512 * 1024 * 1024
MOST_MEMBERS = 64
_FIRST_DATE = (1980, 1, 1, 0, 0, 0)
_FILE_OF_0644 = 0o100644 << 16


class ArchiveError(InputError):
    """A file is no archive of ours."""


def pack(members: Mapping[str, bytes]) -> bytes:
    """Return the zip file of ``members``, in their order of names."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as packed:
        for name in sorted(members):
            info = zipfile.ZipInfo(name, _FIRST_DATE)
            info.create_system = 3
            info.external_attr = _FILE_OF_0644
            packed.writestr(info, members[name])
    return out.getvalue()


def read(path: Path) -> dict[str, bytes]:
    """Return the members of an archive.

    :raises ArchiveError: it is none, or too large; nothing is ever unpacked to disk
    """
    try:
        if path.stat().st_size > MOST_BYTES:
            raise ArchiveError(f"{path} is larger than {MOST_BYTES} bytes")
        return unpack(path.read_bytes(), str(path))
    except OSError as error:
        raise ArchiveError(f"{path}: {error.strerror}", hint="give the path of a bundle") from error


def unpack(content: bytes, source: str) -> dict[str, bytes]:
    """As :func:`read`, from bytes; ``source`` names them in messages."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            entries = packed.infolist()
            for fault in _faults(entries):
                raise ArchiveError(f"{source}: {fault}")
            members = {each.filename: packed.read(each) for each in entries}
    except (
        zipfile.BadZipFile,
        EOFError,
        NotImplementedError,
        OSError,
        RuntimeError,
        UnicodeDecodeError,
        ValueError,
    ) as error:
        raise ArchiveError(f"{source} is no whole archive: {error}") from error
    if pack(members) != content:
        raise ArchiveError(f"{source} is not as it was packed: bytes of it were changed")
    return members


def _faults(entries: list[zipfile.ZipInfo]):
    """Yield what is wrong with the entries, before anything of them is read."""
    names = [each.filename for each in entries]
    if len(entries) > MOST_MEMBERS:
        yield f"{len(entries)} members, {MOST_MEMBERS} are the most"
    for name in names:
        if not name or name != Path(name).name or "\\" in name or "\x00" in name:
            yield f'"{name}" is no plain file name'
        if names.count(name) > 1:
            yield f"{name} stands in it twice"
    for each in entries:
        if each.compress_type != zipfile.ZIP_STORED or each.flag_bits & 0x1:
            yield f"{each.filename} is compressed or encrypted, which ours never are"
    if sum(each.file_size for each in entries) > MOST_BYTES:
        yield f"its members are larger than {MOST_BYTES} bytes"
