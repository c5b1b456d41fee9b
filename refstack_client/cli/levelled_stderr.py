"""Standard error of a check program of SCS: each line begins with a level."""

import contextlib
import io
import sys
from collections.abc import Iterator
from typing import TextIO

from refstack_client.report.scs_test_cases import Level, LogLine


class _Levelled(io.TextIOBase):
    """Passes on whole lines, each with a level at its start."""

    def __init__(self, target: TextIO):
        super().__init__()
        self._target = target
        self._rest = ""

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        # A carriage return only lets a terminal write over a line.
        *lines, self._rest = (self._rest + text).replace("\r", "\n").split("\n")
        for line in lines:
            if line.strip():
                self._target.write(f"{levelled(line.strip())}\n")
        self._target.flush()
        return len(text)

    def flush(self) -> None:
        self._target.flush()

    def finish(self) -> None:
        """Write the start of a line that has no end."""
        if self._rest:
            self.write("\n")


def levelled(line: str) -> LogLine:
    """Return a line with its level; one without is for information.

    A level is in capitals where the line has it, as ``error: …`` of the other commands.
    """
    start, colon, rest = line.partition(":")
    if colon and start.upper() in list(Level):
        return LogLine(Level(start.upper()), rest.strip())
    return LogLine(Level.INFO, line)


@contextlib.contextmanager
def installed() -> Iterator[None]:
    """Have a level at the start of each line on standard error until the block ends."""
    before = sys.stderr
    stream = _Levelled(before)
    sys.stderr = stream
    try:
        yield
    finally:
        sys.stderr = before
        stream.finish()
