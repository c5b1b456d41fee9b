"""A problem in a published file that does not prevent it from being read."""

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How serious a finding is; errors make ``guideline check`` fail."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True)
class Finding:
    """One problem in a file.

    ``code`` is stable and machine-readable. ``pointer`` is a JSON pointer (RFC 6901) into the file.
    ``clause`` names the rule of the process that is broken, "" where there is none.
    """

    code: str
    severity: Severity
    pointer: str
    message: str
    clause: str = ""
