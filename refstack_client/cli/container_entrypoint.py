"""Inside the container: take a parcel from standard input and do what it asks for.

The launcher keeps its end open. When it dies, however it dies, that closes, and the run ends as on
Ctrl-C: what was done is kept and what was made in the cloud is removed.
"""

import os
import signal
import sys
import threading

from refstack_client.cli.exit_codes import EXIT_INTERRUPTED
from refstack_client.container import payload


def _interrupt_when_let_go() -> None:
    while os.read(sys.stdin.fileno(), 1 << 16):  # the padding of the archive comes first
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def main() -> int:
    # The first process of a container ignores what it does not handle, and imports take a second.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(EXIT_INTERRUPTED))
    from refstack_client.cli import app  # noqa: PLC0415

    with open(sys.stdin.fileno(), "rb", buffering=0, closefd=False) as stream:
        ordered = payload.unpack(stream)
    os.environ.update(ordered.environ)
    threading.Thread(target=_interrupt_when_let_go, daemon=True).start()
    return app.main(list(ordered.arguments))


if __name__ == "__main__":
    sys.exit(main())
