"""The private directory Tempest works in: readable by its owner alone, removed at the end.

Everything with a secret in it is here and nowhere else: the tempest.conf that Tempest reads, the
accounts file, Tempest's own log.
"""

import contextlib
import os
import shutil
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from stestr.repository import file as stestr_repository

from refstack_client.files import write_text
from refstack_client.tempest.load_tests import LOAD_LIST, MODULE

STESTR = (sys.executable, "-m", "stestr")
_PREFIX = "refstack-client-"
RUNNER = (sys.executable, "-m", "stestr.subunit_runner.run")


@dataclass(frozen=True)
class Workspace:
    """A directory with a ``.stestr.conf`` that finds the wanted tests."""

    directory: Path

    @property
    def top(self) -> Path:
        return Path(str(resources.files("tempest"))).parent

    @property
    def test_path(self) -> Path:
        return self.top / "tempest" / "test_discover"

    @property
    def wanted(self) -> Path:
        """The directory in which stestr finds the wanted tests."""
        return self.directory / "wanted"

    @property
    def load_list(self) -> Path:
        return self.directory / LOAD_LIST

    @property
    def tempest_conf(self) -> Path:
        return self.directory / "tempest.conf"

    @property
    def accounts(self) -> Path:
        return self.directory / "accounts.yaml"

    @property
    def log(self) -> Path:
        return self.directory / "tempest.log"

    def environ(self) -> dict[str, str]:
        """What Tempest's processes get: nothing of the caller's credentials (``OS_PASSWORD``)."""
        scripts = sysconfig.get_path("scripts")
        kept = {
            key: value
            for key, value in os.environ.items()
            if not key.startswith(("OS_", "TEMPEST_")) and "PASSWORD" not in key
        }
        return {
            **kept,
            "PATH": os.pathsep.join((scripts, kept.get("PATH", os.defpath))),
            # stestr puts the interpreter into a shell command unquoted; a bare name has no spaces.
            "PYTHON": Path(sys.executable).name,
            "TEMPEST_CONFIG_DIR": str(self.directory),
            "TEMPEST_CONFIG": self.tempest_conf.name,
            "PYTHONWARNINGS": "ignore",
            # Killed workers do not tidy up; what is in the workspace goes with it.
            "TMPDIR": str(self.directory),
        }


def _temporary() -> str:
    """stestr puts paths below this into a shell command unquoted, so it must have no spaces."""
    usual = tempfile.gettempdir()
    return usual if usual.split() == [usual] else "/tmp"  # noqa: S108 - mkdtemp is safe there


def reserve() -> Workspace:
    """Make the directory of a workspace, empty, under a name nobody else has."""
    return Workspace(Path(tempfile.mkdtemp(prefix=_PREFIX, dir=_temporary())))


@contextlib.contextmanager
def workspace(reserved: Workspace | None = None) -> Iterator[Workspace]:
    """Fill a workspace, with an empty tempest.conf, and remove it whatever happens."""
    made = reserved or reserve()
    try:
        _fill(made)
        yield made
    finally:
        remove(made)


def beside(space: Workspace) -> Workspace:
    """Return a second workspace in the first, with which it is removed."""
    other = Workspace(space.directory / "beside")
    if not other.directory.exists():
        other.directory.mkdir(mode=0o700)
        _fill(other)
    return other


def _fill(space: Workspace) -> None:
    write_text(
        space.directory / ".stestr.conf",
        "[DEFAULT]\n"
        f"test_path = {space.wanted}\n"
        f"top_dir = {space.wanted}\n"
        # Tests of one class run in one worker, so that its set-up happens once.
        "group_regex = ([^\\.]*\\.)*\n",
    )
    space.wanted.mkdir()
    write_text(space.wanted / "test_wanted.py", MODULE)
    stestr_repository.RepositoryFactory().initialise(str(space.directory))
    space.tempest_conf.touch(mode=0o600)


def remove(space: Workspace) -> None:
    shutil.rmtree(space.directory, ignore_errors=True)


def is_workspace(directory: Path) -> bool:
    """Return whether a directory looks like one of ours: what names it may come from elsewhere."""
    try:
        entries = {each.name for each in directory.iterdir()}
        ours = directory.stat().st_uid == os.getuid()
    except OSError:
        return False
    return (
        ours and directory.name.startswith(_PREFIX) and (not entries or ".stestr.conf" in entries)
    )
