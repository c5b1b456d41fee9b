"""What every program of this package has around it: interrupts and lost output."""

import contextlib
import os
import sys
from collections.abc import Callable

from refstack_client import interruption


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
    from refstack_client.cli import standard_output  # noqa: PLC0415 - interrupts come first

    output = standard_output.install()
    try:
        code = run()
    except BrokenPipeError:
        code = 0
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else int(bool(error.code))
    # A pager has closed it.
    with contextlib.suppress(BrokenPipeError, ValueError):
        sys.stdout.flush()
    return output.exit_code or code
