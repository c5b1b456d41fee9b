"""Processes that outlive the command that started them, known by pid file and by a mark.

The mark is an environment variable naming the sandbox's state directory. A process whose pid file
was never written, because the command that started it was killed, is still found by it.
"""

import contextlib
import json
import os
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import psutil

MARK = "REFSTACK_SANDBOX"


def start(
    argv: Sequence[str],
    environ: Mapping[str, str],
    state: Path,
    pid_file: Path,
    log: Path,
) -> psutil.Process:
    """Start ``argv`` in a session of its own, output to ``log``, and write ``pid_file``."""
    with log.open("ab") as output:
        child = subprocess.Popen(
            argv,
            env={**environ, MARK: str(state)},
            cwd=state,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    process = psutil.Process(child.pid)
    record = {"pid": process.pid, "create_time": process.create_time()}
    fresh = pid_file.with_suffix(".new")
    fresh.write_text(json.dumps(record))
    os.replace(fresh, pid_file)
    return process


def running(pid_file: Path) -> psutil.Process | None:
    """Return the process ``pid_file`` speaks of; None when it is gone or the pid is another's."""
    try:
        record = json.loads(pid_file.read_text())
        process = psutil.Process(record["pid"])
        same = abs(process.create_time() - record["create_time"]) < 1
        alive = process.status() != psutil.STATUS_ZOMBIE
    except (OSError, ValueError, KeyError, psutil.Error):
        return None
    return process if same and alive else None


def marked(state: Path) -> list[psutil.Process]:
    """Return every process that carries the mark of ``state``, children of the daemons included."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == str(state):
                found.append(process)
        except psutil.Error:
            continue
    return found


def stop(processes: Iterable[psutil.Process], patience: float = 5) -> None:
    """Ask ``processes`` to end, and end those that have not after ``patience`` seconds."""
    processes = list(processes)
    for process in processes:
        _signal(process.terminate)
    _, stubborn = psutil.wait_procs(processes, timeout=patience)
    for process in stubborn:
        _signal(process.kill)
    psutil.wait_procs(stubborn, timeout=patience)


def _signal(action) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        action()
