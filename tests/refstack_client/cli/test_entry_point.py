"""The program as a process: no signal and no lost output ends in a traceback."""

import random
import signal
import subprocess
import sys
import time
from collections.abc import Sequence

import pytest
from support.certifying import CLIENT

SEED = 20261126
PACKAGE = "refstack_client/"
"""In a traceback: the project's own code runs. Before it, Python starts, which shows its own."""
MODULE = (sys.executable, "-m", "refstack_client")
LISTINGS = (
    ("--help",),
    ("--version",),
    ("help", "plan"),
    ("guideline", "list", "-f", "csv"),
    ("guideline", "tests", "2020.06"),
    ("guideline", "show", "2020.06"),
    ("capability", "list"),
    ("score", "criteria"),
)


@pytest.mark.parametrize("arguments", LISTINGS, ids=" ".join)
def test_a_full_output_is_reported_once(arguments):
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = subprocess.run(
            [CLIENT, *arguments], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == 5
    assert done.stderr.splitlines()[-2:] == [
        "error: cannot write to standard output: No space left on device",
        "hint:  free some space, or redirect the output to another place",
    ]
    assert done.stderr.count("error:") == 1
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("redirection", ["| head -1", ">&-", "| true"])
def test_an_output_without_a_reader_is_no_error(redirection):
    command = f"{CLIENT} guideline tests 2020.06 {redirection}"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_log_file_that_cannot_be_written_is_no_verdict(tmp_path):
    done = subprocess.run(
        [CLIENT, "--log-file", str(tmp_path / "absent" / "log"), "guideline", "list"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 5
    assert done.stderr.startswith("error: --log-file ")
    assert "No such file or directory" in done.stderr


@pytest.mark.parametrize("command", ["guideline check", "bundle verify", "verdict"])
def test_a_name_that_is_no_text_is_shown_escaped(command):
    done = subprocess.run(
        [CLIENT, *command.split(), b"absent-\xff"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 4
    assert "absent-\\udcff" in done.stdout + done.stderr
    assert "bug" not in done.stderr


def test_the_package_can_be_run():
    done = subprocess.run([*MODULE, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("refstack")


def interrupted(command: Sequence[str], delay: float) -> None:
    """Run a command, send SIGINT after a delay, and check how it ends."""
    started = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    time.sleep(delay)
    started.send_signal(signal.SIGINT)
    _, output = started.communicate(timeout=120)
    if "Traceback" in output:
        assert PACKAGE not in output, (delay, output)
    else:
        # Before and after its own code, Python ends by the signal, which shells show as 130.
        assert started.returncode in {0, 130, -signal.SIGINT}, (delay, output)


@pytest.mark.parametrize("times", [5, pytest.param(50, marks=pytest.mark.long)])
@pytest.mark.parametrize("command", [(CLIENT, "--help"), (*MODULE, "--help")], ids=["", "-m"])
def test_ctrl_c_while_python_imports(command, times):
    rng = random.Random(SEED)
    for _ in range(times):
        interrupted(command, rng.uniform(0.02, 0.4))


@pytest.mark.parametrize("times", [3, pytest.param(20, marks=pytest.mark.long)])
def test_ctrl_c_while_tests_are_listed(times, tmp_path, monkeypatch):
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    rng = random.Random(SEED)
    for _ in range(times):
        interrupted((CLIENT, "plan", "--programme", "storage"), rng.uniform(0.1, 3))
    assert list(temporary.iterdir()) == []
