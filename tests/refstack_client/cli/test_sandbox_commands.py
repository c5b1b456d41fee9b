"""Which sandbox a command is about."""

import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from refstack_client.cli.app import main
from refstack_client.sandbox import daemon, state

SLEEP = (sys.executable, "-c", "import time; time.sleep(60)")


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Callable[[str], state.Sandbox]]:
    """Return a function that makes a sandbox in ``root`` whose only process sleeps."""
    sandboxes: list[state.Sandbox] = []

    def make(name: str) -> state.Sandbox:
        sandbox = state.find(tmp_path / "root", name, "storage")
        sandbox.state.mkdir(parents=True)
        state.create_directories(sandbox)
        state.save(sandbox, state.Settings("storage", {}, state.new_secrets()))
        daemon.start(
            SLEEP, {}, sandbox.state, sandbox.pid_file("keystone"), sandbox.log("keystone")
        )
        sandboxes.append(sandbox)
        return sandbox

    yield make
    for sandbox in sandboxes:
        daemon.stop(daemon.marked(sandbox.state))


def names(root: Path) -> list[str]:
    return [sandbox.name for sandbox in state.running(root)]


def test_down_stops_the_only_sandbox_that_runs(running, tmp_path, capsys):
    sandbox = running("mine")
    down = ["sandbox", "down", "--root", str(tmp_path / "root")]
    assert main(down) == 0
    assert "sandbox mine: stopped\n" in capsys.readouterr().err
    assert (names(tmp_path / "root"), sandbox.state.exists()) == ([], True)
    assert main(down) == 0
    assert "sandbox storage: was not running" in capsys.readouterr().err


def test_down_asks_which_of_several_and_the_commands_can_be_pasted(running, tmp_path, capsys):
    root = tmp_path / "root"
    for name in ("one", "two words"):
        running(name)
    assert main(["sandbox", "down", "--wipe", "--root", str(root)]) == 2
    assert names(root) == ["one", "two words"]
    message, hint, *commands = capsys.readouterr().err.splitlines()
    assert message == "error: 2 sandboxes are running: one, two words"
    assert hint == "hint:  select one:"
    for command in commands:
        program, *arguments = shlex.split(command)
        assert program == "refstack-client"
        assert main(arguments) == 0
    assert names(root) == []
    assert not (root / "one").exists()


def test_down_with_a_name_leaves_the_others(running, tmp_path):
    for name in ("one", "two"):
        running(name)
    assert main(["sandbox", "down", "--root", str(tmp_path / "root"), "--name", "two"]) == 0
    assert names(tmp_path / "root") == ["one"]


@pytest.mark.long
def test_make_clean_stops_every_sandbox(running, tmp_path):
    for name in ("one", "two words"):
        running(name)
    makefile = Path(__file__).parents[3] / "Makefile"
    copy = tmp_path / "Makefile"
    copy.write_text(makefile.read_text().replace("rm -rf $(VENV)", "rm -rf"))
    venv = f"VENV={Path(sys.prefix)}"
    environment = {"REFSTACK_SANDBOX_ROOT": str(tmp_path / "root"), "PATH": "/usr/bin:/bin"}
    command = ["make", "-f", copy, "clean", venv]
    subprocess.run(command, cwd=tmp_path, env=environment, check=True)
    assert names(tmp_path / "root") == []


def test_the_programme_is_checked_before_a_sandbox_starts(tmp_path, capsys):
    root = tmp_path / "root"
    arguments = ["certify", "--sandbox", "storage", "--root", str(root)]
    assert main([*arguments, "--programme", "nonsense"]) == 4
    assert "nonsense" in capsys.readouterr().err
    assert main([*arguments, "--guideline", "nonsense"]) == 4
    assert not root.exists()
