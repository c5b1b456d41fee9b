"""Define the error for a worksheet that cannot be used."""

from capabilities.errors import ProblemError


class ScoringError(ProblemError):
    """Report that a worksheet cannot be used: the message names file, line, column and reason."""
