"""Something noticed in a published file that does not stop it from being read."""

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How serious a finding is; errors make ``guideline check`` fail."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True)
class Finding:
    """One fault of a file; ``pointer`` is a JSON pointer (RFC 6901) into it.

    ``clause`` names the rule of the process that is broken, where it is one.
    """

    code: str
    severity: Severity
    pointer: str
    message: str
    clause: str = ""
