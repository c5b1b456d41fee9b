"""Run a command that must end when its caller ends.

Run as ``python -m refstack_client.tempest.supervisor COMMAND``.

The caller holds the other end of standard input, which closes when the caller ends, even by
SIGKILL. The supervisor then kills its process group: the command and all that it started.
"""

import os
import signal
import subprocess
import sys
import threading


def _kill_when_closed() -> None:
    os.read(sys.stdin.fileno(), 1)
    os.killpg(0, signal.SIGKILL)


def main(command: list[str]) -> int:
    """Run ``command`` and return its exit code; 128 plus the number of the signal that ended it."""
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    threading.Thread(target=_kill_when_closed, daemon=True).start()
    status = process.wait()
    return status if status >= 0 else 128 - status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
