"""Define what can be wrong with a worksheet or with what is asked of one."""

from capabilities.errors import ProblemError


class ScoringError(ProblemError):
    """Report that a worksheet cannot be used: the message names file, line, column and reason."""
