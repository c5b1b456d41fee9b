"""The tests of the installed Tempest and its plugins."""

import configparser
import contextlib
import hashlib
import io
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping
from importlib import metadata
from pathlib import Path

import platformdirs
import subunit
import testtools

from capabilities import tempest_id
from capabilities.matching import Index
from refstack_client.errors import MachineError
from refstack_client.files import IMAGE_DATA, write_text
from refstack_client.tempest.listing import Listing
from refstack_client.tempest.workspace import RUNNER, Workspace, workspace

# What differs from run to run and decides nothing about which tests there are.
_OF_THE_RUN = {
    *("log_file", "lock_path", "resource_name_prefix", "test_accounts_file", "uri", "uri_v3"),
    *("admin_username", "admin_password", "admin_project_name", "admin_project_id"),
}
# What is known to change a test's attributes, and what it is where it is not set.
_TELLING = (("validation", "run_validation", "true"),)


def load(space: Workspace, *, fresh: bool = False) -> Listing:
    """Return what Tempest lists under the workspace's tempest.conf.

    The attributes in a test's brackets may depend on the configuration. Asking Tempest takes a
    second, so a list that was made before for the same versions is taken, and is ``assumed`` where
    the configuration was another one: what proves wrong about it is made good with ``fresh``. A
    list from which modules are missing because they cannot be imported is not kept.

    :raises MachineError: Tempest cannot be loaded at all
    """
    settings = _settings(space)
    name, digest = _name(settings), _digest(settings)
    kept = platformdirs.user_cache_path("refstack-client") / name
    for place in () if fresh else (kept, IMAGE_DATA / name):
        with contextlib.suppress(OSError):
            made_with, *lines = place.read_text(encoding="utf-8").splitlines()
            return _listing(lines, {}, assumed=made_with != digest)
    lines, broken = _list(space)
    if not broken:
        _keep(kept, [digest, *lines])
    return _listing(lines, broken, assumed=False)


def prepare() -> None:
    """Make the lists an image comes with."""
    ((section, option, _),) = _TELLING
    for value in ("true", "false"):
        with workspace() as space:
            write_text(space.tempest_conf, f"[{section}]\n{option} = {value}\n")
            settings = _settings(space)
            _keep(IMAGE_DATA / _name(settings), [_digest(settings), *_list(space)[0]])


def _listing(lines: Iterable[str], broken: Mapping[str, str], *, assumed: bool) -> Listing:
    index = Index.of(test for line in lines if (test := tempest_id.parse(line)))
    return Listing(index, versions(), broken, assumed)


def versions() -> dict[str, str]:
    """Return the versions of Tempest and of every installed plugin, by distribution."""
    plugins = metadata.entry_points(group="tempest.test_plugins")
    names = {entry.dist.name for entry in plugins if entry.dist}
    return {name: metadata.version(name) for name in sorted({"tempest"} | names)}


def _list(space: Workspace) -> tuple[list[str], dict[str, str]]:
    """Ask stestr's runner, which goes on where ``stestr list`` gives up: after an import error."""
    outcome = subprocess.run(
        [*RUNNER, "discover", "-t", str(space.top), str(space.test_path), "--list"],
        cwd=space.directory,
        env=space.environ(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    listed = _Listed()
    events = subunit.ByteStreamToStreamResult(io.BytesIO(outcome.stdout), non_subunit_name="stdout")
    events.run(listed)
    if not listed.tests:
        said = (outcome.stderr or outcome.stdout).decode(errors="replace").strip().splitlines()
        raise MachineError(
            f"Tempest cannot list its tests: {said[-1] if said else 'it said nothing'}",
            hint="a Tempest plugin that does not fit this Tempest is the usual reason; pip list "
            "shows what is installed",
        )
    return listed.tests, _broken(listed.errors.decode(errors="replace"))


class _Listed(testtools.StreamResult):
    def __init__(self) -> None:
        super().__init__()
        self.tests: list[str] = []
        self.errors = b""

    def status(self, test_id=None, test_status=None, file_name=None, file_bytes=None, **event):
        if test_status == "exists":
            self.tests.append(test_id)
        if file_name == "import errors":
            self.errors += bytes(file_bytes)


def _broken(errors: str) -> dict[str, str]:
    """Return the modules unittest could not import, each with the last line of its traceback."""
    found = {}
    for part in re.split(r"^Failed to import test module: ", errors, flags=re.MULTILINE)[1:]:
        module, _, traceback = part.partition("\n")
        found[module.strip()] = traceback.strip().splitlines()[-1] if traceback.strip() else ""
    return found


def _keep(path: Path, lines: list[str]) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, "\n".join(lines) + "\n")
    except OSError:
        pass  # a home that cannot be written costs time, nothing else


Settings = dict[tuple[str, str], str]


def _settings(space: Workspace) -> Settings:
    """Return what a list may depend on, by section and option."""
    conf = configparser.ConfigParser(interpolation=None, strict=False)
    conf.read(space.tempest_conf, encoding="utf-8")
    return {
        # Tempest's lists come in any order.
        (section, option): ",".join(sorted(value.split(",")))
        for section in ("DEFAULT", *conf.sections())
        for option, value in conf[section].items()
        if option not in _OF_THE_RUN
    }


def _name(settings: Settings) -> str:
    """Return the name of the file for lists of these versions."""
    telling = [settings.get((section, option), usual) for section, option, usual in _TELLING]
    facts = repr((sys.version, versions(), [each.lower() for each in telling]))
    return f"tests-{hashlib.sha256(facts.encode()).hexdigest()[:16]}.txt"


def _digest(settings: Settings) -> str:
    return hashlib.sha256(repr(sorted(settings.items())).encode()).hexdigest()
