"""Processes that outlive the command that started them, identified by pid file and by a mark.

The mark is an environment variable that holds the state directory of the sandbox. It identifies
also a process whose pid file is missing because the command that started it was killed.
"""

import contextlib
import json
import os
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
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
    temporary = pid_file.with_suffix(".new")
    temporary.write_text(json.dumps(record))
    os.replace(temporary, pid_file)
    return process


def running(pid_file: Path) -> psutil.Process | None:
    """Return the process of ``pid_file``; None if it ended, or another process has its pid."""
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
    return [process for process, mark in _marks() if mark == str(state)]


def states() -> set[Path]:
    """Return the state directory of every sandbox, under any root, that has a process."""
    return {Path(mark) for _, mark in _marks()}


def _marks() -> Iterator[tuple[psutil.Process, str]]:
    """Yield the processes that carry a mark; those of other users are not seen."""
    for process in psutil.process_iter():
        try:
            mark = process.environ().get(MARK)
        except psutil.Error:
            continue
        if mark:
            yield process, mark


def stop(processes: Iterable[psutil.Process], timeout: float = 5) -> None:
    """Terminate ``processes``, and kill those that still run after ``timeout`` seconds."""
    processes = list(processes)
    for process in processes:
        _signal(process.terminate)
    _, survivors = psutil.wait_procs(processes, timeout=timeout)
    for process in survivors:
        _signal(process.kill)
    psutil.wait_procs(survivors, timeout=timeout)


def _signal(action: Callable[[], None]) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        action()
