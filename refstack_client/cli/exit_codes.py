"""Map errors and verdicts to exit codes, which are part of the interface (README, Exit codes)."""

import signal

from capabilities.errors import GuidelineError, ProblemError
from refstack_client import interruption
from refstack_client.errors import InputError, UsageError
from scoring.errors import ScoringError

EXIT_OK = 0
EXIT_NOT_CONFORMANT = 1
EXIT_USAGE = 2
EXIT_INCOMPLETE = 3
EXIT_BAD_INPUT = 4
EXIT_UNUSABLE = 5
EXIT_INTERRUPTED = interruption.EXIT_STATUS
EXIT_BROKEN_PIPE = 128 + signal.SIGPIPE

_OF_ERROR: dict[type[ProblemError], int] = {
    UsageError: EXIT_USAGE,
    InputError: EXIT_BAD_INPUT,
    GuidelineError: EXIT_BAD_INPUT,
    ScoringError: EXIT_BAD_INPUT,
    ProblemError: EXIT_UNUSABLE,
}

# Keys are the values of scoring's Conformance: importing it would cost every command its time.
OF_CONFORMANCE: dict[str, int] = {
    "conformant": EXIT_OK,
    "not-conformant": EXIT_NOT_CONFORMANT,
    "incomplete": EXIT_INCOMPLETE,
}
"""The exit code of a whole verdict."""


def of_error(error: ProblemError) -> int:
    """Return the exit code of the nearest class of ``error`` that has one."""
    return next(_OF_ERROR[kind] for kind in type(error).__mro__ if kind in _OF_ERROR)
