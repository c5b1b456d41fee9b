"""Run the ``refstack-client`` command, also as ``python -m refstack_client``.

Interrupts are handled before anything else is imported.
"""

import contextlib
import os
import sys
from collections.abc import Callable

from refstack_client import interruption


def main() -> int:
    """Run one command and return its exit code."""
    return guarded(_run)


def _run() -> int:
    from refstack_client.cli import app  # noqa: PLC0415

    return app.main()


def guarded(run: Callable[[], int]) -> int:
    """Run a program and return its exit code; no signal or lost output ends in a traceback."""
    try:
        interruption.install()
        code = _exit_code(run)
        interruption.end_at_once()
    except KeyboardInterrupt:
        code = interruption.EXIT_STATUS
    if interruption.count():
        # Threads may still wait for responses that no longer matter.
        os._exit(code)
    return code


def _exit_code(run: Callable[[], int]) -> int:
    """Run a program and write what it printed; return its exit code, or that of a lost output."""
    from refstack_client.cli import standard_output  # noqa: PLC0415

    output = standard_output.install()
    try:
        code = run()
    except BrokenPipeError:
        code = 0
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else int(bool(error.code))
    with contextlib.suppress(BrokenPipeError):
        sys.stdout.flush()
    return output.exit_code or code


if __name__ == "__main__":
    sys.exit(main())
