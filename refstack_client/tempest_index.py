"""The tests of the installed Tempest and its plugins."""

import configparser
import hashlib
import io
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import platformdirs
import subunit
import testtools

from capabilities import testid
from capabilities.matching import Index
from refstack_client.errors import MachineError
from refstack_client.files import write_text
from refstack_client.listing import Listing
from refstack_client.workspace import RUNNER, Workspace

# What differs from run to run and decides nothing about which tests there are.
_OF_THE_RUN = {
    *("log_file", "lock_path", "resource_name_prefix", "test_accounts_file", "uri", "uri_v3"),
    *("admin_username", "admin_password", "admin_project_name", "admin_project_id"),
}


def load(workspace: Workspace) -> Listing:
    """Return what Tempest lists under the workspace's tempest.conf.

    The attributes in a test's brackets depend on the configuration, so the list is kept per
    configuration and per version of Tempest and its plugins; the first one takes seconds. A list
    from which modules are missing because they cannot be imported is not kept.

    :raises MachineError: Tempest cannot be loaded at all
    """
    kept = platformdirs.user_cache_path("refstack-client") / f"tests-{_digest(workspace)}.txt"
    broken: dict[str, str] = {}
    try:
        lines = kept.read_text(encoding="utf-8").splitlines()
    except OSError:
        lines, broken = _list(workspace)
        if not broken:
            _keep(kept, lines)
    index = Index.of(test for line in lines if (test := testid.parse(line)))
    return Listing(index, versions(), broken)


def versions() -> dict[str, str]:
    """Return the versions of Tempest and of every installed plugin, by distribution."""
    plugins = metadata.entry_points(group="tempest.test_plugins")
    names = {entry.dist.name for entry in plugins if entry.dist}
    return {name: metadata.version(name) for name in sorted({"tempest"} | names)}


def _list(workspace: Workspace) -> tuple[list[str], dict[str, str]]:
    """Ask stestr's runner, which goes on where ``stestr list`` gives up: after an import error."""
    outcome = subprocess.run(
        [*RUNNER, "discover", "-t", str(workspace.top), str(workspace.test_path), "--list"],
        cwd=workspace.directory,
        env=workspace.environ(),
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


def _digest(workspace: Workspace) -> str:
    """Return a digest of everything the list depends on."""
    conf = configparser.ConfigParser(interpolation=None, strict=False)
    conf.read(workspace.tempest_conf, encoding="utf-8")
    settings = sorted(
        # Tempest's lists come in any order.
        (section, option, ",".join(sorted(value.split(","))))
        for section in ("DEFAULT", *conf.sections())
        for option, value in conf[section].items()
        if option not in _OF_THE_RUN
    )
    facts = repr((sys.version, versions(), settings))
    return hashlib.sha256(facts.encode()).hexdigest()[:16]
