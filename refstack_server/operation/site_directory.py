"""The directory of an export: written beside the older one, which it replaces in one step.

A file in the directory records what each file follows from and its SHA-256. What is still right is
linked and not written again, if its content is as it was recorded.
"""

import contextlib
import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from refstack_client.errors import InputError

RECORD = ".refstack-export"
"""A file that marks a directory as an export, which another export may replace, and records it."""
_FORMAT = 1


@dataclass(frozen=True)
class ResultFiles:
    """The files of a result by their paths, what they follow from, and where their links lead."""

    state: str
    files: Sequence[str]
    links: Sequence[str]


@dataclass
class Record:
    """What an export was made from, and the SHA-256 of each of its files by its path."""

    state: str = ""
    files: dict[str, str] = field(default_factory=dict)
    results: dict[str, ResultFiles] = field(default_factory=dict)

    @classmethod
    def read(cls, directory: Path) -> "Record":
        """Return the record of an export; an empty one of an earlier release, or a changed one."""
        try:
            document = json.loads((directory / RECORD).read_bytes())
            if document["format"] != _FORMAT:
                return cls()
            results = {name: ResultFiles(**of) for name, of in document["results"].items()}
            return cls(document["state"], dict(document["files"]), results)
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return cls()

    def as_json(self) -> bytes:
        """Return the content of the file."""
        return json.dumps({"format": _FORMAT, **asdict(self)}).encode()


class SiteDirectory:
    """The files of a new export, and those of the older one."""

    def __init__(self, new: Path, old: Path):
        self._new, self._old = new, old
        self.before, self.record = Record.read(old), Record()
        self.written: set[str] = set()

    def put(self, path: str, content: bytes) -> None:
        """Add a file; one with the same content is linked, so that its time stays."""
        digest = hashlib.sha256(content).hexdigest()
        self.record.files[path] = digest
        if self.before.files.get(path) == digest and self._link(path):
            return
        target = self._new / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        self.written.add(path)

    def keep(self, paths: Sequence[str]) -> bool:
        """Add files of the older export; return false if one is not as it was recorded."""
        if not all(path in self.before.files and self._link(path) for path in paths):
            return False
        self.record.files.update({path: self.before.files[path] for path in paths})
        return True

    def _link(self, path: str) -> bool:
        source, target = self._old / path, self._new / path
        if not _is_unchanged(source, self.before.files[path]):
            return False
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        try:
            os.link(source, target)
        except OSError:  # The file system has no links.
            shutil.copy2(source, target)
        return True

    def remove(self, result_id: str) -> None:
        """Remove the files of a result."""
        for path in self.record.results.pop(result_id).files:
            del self.record.files[path]
            (self._new / path).unlink(missing_ok=True)


def is_whole(directory: Path, state: str) -> bool:
    """Return whether a directory is the export of a state, with each file as it was written."""
    record = Record.read(directory)
    if not record.files or record.state != state:
        return False
    found = {str(path.relative_to(directory)) for path in directory.rglob("*") if not path.is_dir()}
    if found != {*record.files, RECORD}:
        return False
    return all(_is_unchanged(directory / path, digest) for path, digest in record.files.items())


def _is_unchanged(path: Path, digest: str) -> bool:
    try:
        if path.is_symlink():
            return False
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == digest
    except OSError:
        return False


def require_export(target: Path) -> None:
    """Check that a directory may be replaced by an export.

    :raises InputError: it exists and is not an export
    """
    if target.exists() and not (target / RECORD).is_file():
        raise InputError(
            f"{target} exists and is not an export", hint="name a directory that does not exist"
        )


@contextlib.contextmanager
def replacing(target: Path) -> Iterator[SiteDirectory]:
    """Yield a new directory, which replaces ``target`` if all goes well."""
    with TemporaryDirectory(dir=target.parent, prefix=".exporting-") as workspace:
        new, old = Path(workspace) / "new", Path(workspace) / "old"
        new.mkdir()
        site = SiteDirectory(new, target)
        yield site
        (new / RECORD).write_bytes(site.record.as_json())
        if target.exists():
            target.rename(old)
        try:
            new.rename(target)
        except BaseException:
            if old.exists():
                old.rename(target)
            raise
