"""The private directory in which Tempest works: readable by its owner only, removed at the end.

All files with secrets are in it: the tempest.conf that Tempest reads, the accounts file and the log
of Tempest.
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

from refstack_client import interruption
from refstack_client.errors import MachineError
from refstack_client.files import write_text
from refstack_client.tempest.load_tests import LOAD_LIST, MODULE

STESTR = (sys.executable, "-m", "stestr")
_PREFIX = "refstack-client-"
RUNNER = (sys.executable, "-m", "stestr.subunit_runner.run")


@dataclass(frozen=True)
class Workspace:
    """A directory with a ``.stestr.conf`` that discovers the wanted tests."""

    directory: Path

    @property
    def top(self) -> Path:
        """Return the directory that contains the package ``tempest``."""
        return Path(str(resources.files("tempest"))).parent

    @property
    def test_path(self) -> Path:
        """Return the directory from which all tests of Tempest and its plugins are discovered."""
        return self.top / "tempest" / "test_discover"

    @property
    def wanted(self) -> Path:
        """Return the directory in which stestr discovers the wanted tests."""
        return self.directory / "wanted"

    @property
    def load_list(self) -> Path:
        """Return the file with the full ids of the tests to run."""
        return self.directory / LOAD_LIST

    @property
    def tempest_conf(self) -> Path:
        """Return the tempest.conf that Tempest reads; it holds secrets."""
        return self.directory / "tempest.conf"

    @property
    def accounts(self) -> Path:
        """Return the accounts file that Tempest reads; it holds secrets."""
        return self.directory / "accounts.yaml"

    @property
    def log(self) -> Path:
        """Return the log of Tempest; it holds secrets."""
        return self.directory / "tempest.log"

    def environ(self) -> dict[str, str]:
        """Return the environment of Tempest's processes, without passwords."""
        scripts = sysconfig.get_path("scripts")
        kept = {
            key: value
            for key, value in os.environ.items()
            if not key.startswith(("OS_", "TEMPEST_"))
            and "PASSWORD" not in key
            and not (key.lower().endswith("_proxy") and "@" in value)  # the relay signs in at it
        }
        return {
            **kept,
            "PATH": os.pathsep.join((scripts, kept.get("PATH", os.defpath))),
            # stestr does not quote the interpreter in a shell command; a bare name has no spaces.
            "PYTHON": Path(sys.executable).name,
            "TEMPEST_CONFIG_DIR": str(self.directory),
            "TEMPEST_CONFIG": self.tempest_conf.name,
            "PYTHONWARNINGS": "ignore",
            # Killed workers leave temporary files, which are removed with the workspace.
            "TMPDIR": str(self.directory),
        }


def _temporary() -> str:
    """Return a directory without spaces: stestr does not quote paths in a shell command."""
    usual = tempfile.gettempdir()
    return usual if usual.split() == [usual] else "/tmp"  # noqa: S108 - mkdtemp is safe there


def reserve() -> Workspace:
    """Create the directory of a workspace, empty, under a unique name.

    :raises MachineError: there is no place for temporary files
    """
    try:
        return Workspace(Path(tempfile.mkdtemp(prefix=_PREFIX, dir=_temporary())))
    except OSError as error:
        raise MachineError(
            f"cannot create a directory for temporary files: {error.strerror}",
            hint="name a directory that can be written with the environment variable TMPDIR",
        ) from error


@contextlib.contextmanager
def workspace(reserved: Workspace | None = None) -> Iterator[Workspace]:
    """Fill a workspace, with an empty tempest.conf, and remove it when the block ends.

    :param reserved: from :func:`reserve`; None creates one
    """
    space = reserved or reserve()
    try:
        _fill(space)
        yield space
    finally:
        remove(space)


def beside(space: Workspace) -> Workspace:
    """Return a second workspace inside the first, with which it is removed."""
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
        # Tests of one class run in one worker, so that the class is set up once.
        "group_regex = ([^\\.]*\\.)*\n",
    )
    space.wanted.mkdir()
    write_text(space.wanted / "test_wanted.py", MODULE)
    stestr_repository.RepositoryFactory().initialise(str(space.directory))
    space.tempest_conf.touch(mode=0o600)


def remove(space: Workspace) -> None:
    """Remove the directory of a workspace, also when interrupted; errors are ignored."""
    with interruption.postponed():
        shutil.rmtree(space.directory, ignore_errors=True)


def is_workspace(directory: Path) -> bool:
    """Return whether a directory is a workspace of this user.

    A record that names a directory to be removed may have been written by anyone.
    """
    try:
        entries = {path.name for path in directory.iterdir()}
        is_own = directory.stat().st_uid == os.getuid()
    except OSError:
        return False
    return (
        is_own and directory.name.startswith(_PREFIX) and (not entries or ".stestr.conf" in entries)
    )
