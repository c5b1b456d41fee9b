"""Run a command that must not outlive its caller.

Run as ``python -m refstack_client.tempest.supervisor COMMAND``.

The caller holds the other end of standard input. When it dies, however it dies, that closes, and
the command is killed with all it started: its process group, which this leads.
"""

import os
import signal
import subprocess
import sys
import threading


def _kill_when_let_go() -> None:
    os.read(sys.stdin.fileno(), 1)
    os.killpg(0, signal.SIGKILL)


def main(command: list[str]) -> int:
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    threading.Thread(target=_kill_when_let_go, daemon=True).start()
    status = process.wait()
    return status if status >= 0 else 128 - status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
