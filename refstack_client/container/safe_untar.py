"""Unpack an untrusted archive: plain files and directories only, inside one directory.

The filters of tarfile are not in the Python 3.11 of Debian 12.
"""

import shutil
import tarfile
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from refstack_client.errors import InputError


def unpack(archive: tarfile.TarFile, place: Path, names: Iterable[str] = ()) -> None:
    """Write the files of ``archive`` to ``place``, owned by the calling user.

    :param names: only these members; all where empty
    :raises InputError: a member is not a plain file, or has a path outside of ``place``
    """
    wanted = set(names)
    for entry in archive:
        if wanted and entry.name not in wanted:
            continue
        path = PurePosixPath(entry.name.lstrip("/"))  # podman writes absolute paths
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
