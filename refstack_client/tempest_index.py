"""The tests of the installed Tempest and its plugins."""

import configparser
import hashlib
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import platformdirs

from capabilities import testid
from capabilities.matching import Index
from refstack_client.errors import MachineError
from refstack_client.files import write_text
from refstack_client.workspace import STESTR, Workspace

# What differs from run to run and decides nothing about which tests there are.
_OF_THE_RUN = {
    *("log_file", "lock_path", "resource_name_prefix", "test_accounts_file", "uri", "uri_v3"),
    *("admin_username", "admin_password", "admin_project_name", "admin_project_id"),
}


def load(workspace: Workspace) -> Index:
    """Return the tests Tempest lists under the workspace's tempest.conf.

    The attributes in a test's brackets depend on the configuration, so the list is kept per
    configuration and per version of Tempest and its plugins; the first one takes seconds.

    :raises MachineError: Tempest, or a plugin of it, cannot be loaded
    """
    kept = platformdirs.user_cache_path("refstack-client") / f"tests-{_digest(workspace)}.txt"
    try:
        lines = kept.read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = _list(workspace)
        _keep(kept, lines)
    return Index.of(test for line in lines if (test := testid.parse(line)))


def versions() -> dict[str, str]:
    """Return the versions of Tempest and of every installed plugin, by distribution."""
    plugins = metadata.entry_points(group="tempest.test_plugins")
    names = {entry.dist.name for entry in plugins if entry.dist}
    return {name: metadata.version(name) for name in sorted({"tempest"} | names)}


def _list(workspace: Workspace) -> list[str]:
    outcome = subprocess.run(
        [*STESTR, "list"],
        cwd=workspace.directory,
        env=workspace.environ(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    tests = [line for line in outcome.stdout.splitlines() if testid.parse(line)]
    if outcome.returncode or not tests:
        said = (outcome.stderr or outcome.stdout).strip().splitlines()
        raise MachineError(
            f"Tempest cannot list its tests: {said[-1] if said else 'it said nothing'}",
            hint="a Tempest plugin that does not fit this Tempest is the usual reason; pip list "
            "shows what is installed",
        )
    return tests


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
