"""Find in the output of python-tempestconf why it failed."""

import itertools
import re
import textwrap
from collections.abc import Iterable

from refstack_client.outcomes.redaction import hide

_MESSAGES = 2
_MOST_CHARACTERS = 800
_PREFIX = re.compile(r"\d{4}-\d\d-\d\d \S+ \d+ [A-Z]+ \S+ (?:\[.*?\] )?")
"""Start of a line that Tempest logs: date, time, process, level, module and request."""


def reason(output: bytes, secrets: Iterable[str]) -> str:
    """Return the exception at the end of ``output`` and the last log messages, secrets hidden.

    :param secrets: are hidden, and so is what looks like a token or a password
    """
    lines = hide(output, secrets).decode(errors="replace").splitlines()
    logged = [_PREFIX.sub("", line).strip() for line in lines if _PREFIX.match(line)]
    # Frames of a traceback, and details that belong to the line before, are indented.
    exception = " ".join(
        line
        for line in _after_the_log(lines)
        if not line[:1].isspace() and not line.startswith("Traceback (")
    )
    before = (f"after: {message}" for message in logged[-_MESSAGES:])
    found = (exception.strip(), *before)
    return "\n       ".join(
        textwrap.shorten(message, _MOST_CHARACTERS) for message in found if message
    )


def _after_the_log(lines: Iterable[str]) -> list[str]:
    """Return the lines that follow the last one that Tempest logs."""
    backwards = itertools.takewhile(lambda line: not _PREFIX.match(line), reversed(list(lines)))
    return list(backwards)[::-1]
