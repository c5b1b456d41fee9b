"""The tests of the installed Tempest and its plugins."""

import subprocess
from importlib import metadata

from capabilities import testid
from capabilities.matching import Index
from refstack_client.errors import MachineError
from refstack_client.workspace import STESTR, Workspace


def load(workspace: Workspace) -> Index:
    """Let Tempest list its tests under the workspace's tempest.conf (a few seconds).

    :raises MachineError: Tempest, or a plugin of it, cannot be loaded
    """
    outcome = subprocess.run(
        [*STESTR, "list"],
        cwd=workspace.directory,
        env=workspace.environ(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    tests = [test for line in outcome.stdout.splitlines() if (test := testid.parse(line))]
    if outcome.returncode or not tests:
        lines = (outcome.stderr or outcome.stdout).strip().splitlines()
        raise MachineError(
            f"Tempest cannot list its tests: {lines[-1] if lines else 'it said nothing'}",
            hint="a Tempest plugin that does not fit this Tempest is the usual reason; pip list "
            "shows what is installed",
        )
    return Index.of(tests)


def versions() -> dict[str, str]:
    """Return the versions of Tempest and of every installed plugin, by distribution."""
    plugins = metadata.entry_points(group="tempest.test_plugins")
    names = {entry.dist.name for entry in plugins if entry.dist}
    return {name: metadata.version(name) for name in sorted({"tempest"} | names)}
