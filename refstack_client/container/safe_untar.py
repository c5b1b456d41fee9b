"""Unpack an archive that may come from elsewhere: plain files and directories, inside one place.

tarfile's own filters are not in the Python 3.11 that Debian 12 has.
"""

import shutil
import tarfile
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from refstack_client.errors import InputError


def unpack(archive: tarfile.TarFile, place: Path, names: Iterable[str] = ()) -> None:
    """Write the files of ``archive`` to ``place``, as the caller's own.

    :param names: only these; all where none is named
    :raises InputError: something in it is no plain file, or would lie elsewhere
    """
    wanted = set(names)
    for entry in archive:
        if wanted and entry.name not in wanted:
            continue
        path = PurePosixPath(entry.name.lstrip("/"))  # as podman has them; tar does the same
        if ".." in path.parts or not (entry.isfile() or entry.isdir()):
            raise InputError(f"{entry.name} in the archive is not a plain file inside it")
        target = place / path
        if entry.isdir():
            target.mkdir(parents=True, exist_ok=True)
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        content = archive.extractfile(entry)
        with target.open("wb") as out:
            target.chmod(entry.mode & 0o755 | 0o600)
            if content:
                shutil.copyfileobj(content, out)
