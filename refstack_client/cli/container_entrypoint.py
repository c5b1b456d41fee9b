"""Run inside the container: read a payload from standard input and run its command.

The launcher keeps standard input open. When the launcher dies it is closed, and the run ends as on
Ctrl-C: results are kept and resources in the cloud are removed.
"""

import os
import signal
import sys
import threading

from refstack_client.cli.entry_point import guarded
from refstack_client.container import payload


def _interrupt_at_end_of_input() -> None:
    while os.read(sys.stdin.fileno(), 1 << 16):  # the padding of the archive comes first
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def main() -> int:
    """Run the command of the payload; return its exit code."""
    # The first process of a container ignores what it does not handle, and imports take a second.
    return guarded(_run)


def _run() -> int:
    from refstack_client.cli import app  # noqa: PLC0415

    with open(sys.stdin.fileno(), "rb", buffering=0, closefd=False) as stream:
        received = payload.unpack(stream)
    os.environ.update(received.environ)
    threading.Thread(target=_interrupt_at_end_of_input, daemon=True).start()
    return app.main(list(received.arguments))


if __name__ == "__main__":
    sys.exit(main())
