"""A digest of the source of Tempest and its plugins, as they are installed or published."""

import hashlib
from collections.abc import Callable, Iterable
from importlib import metadata
from pathlib import Path


def of_installed(name: str) -> str:
    """Return the digest of an installed distribution, "" if its list of files is missing.

    That is so for a checkout that is installed for development.
    """
    distribution = metadata.distribution(name)
    files = {str(file): file for file in distribution.files or ()}
    return of_files(files, lambda file: Path(str(files[file].locate())).read_bytes())


def of_files(names: Iterable[str], read: Callable[[str], bytes]) -> str:
    """Return the SHA-256 of the names and contents of the source files among ``names``.

    :param read: returns the content of a file; one that cannot be read counts as empty
    """
    sources = sorted(name for name in names if name.endswith(".py") and not name.startswith(".."))
    lines = []
    for name in sources:
        try:
            content = read(name)
        except OSError:
            content = b""
        lines.append(f"{name} {hashlib.sha256(content).hexdigest()}\n")
    return hashlib.sha256("".join(lines).encode()).hexdigest() if lines else ""
