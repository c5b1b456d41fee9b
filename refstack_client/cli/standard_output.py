"""Standard output that can be lost: a full disk, or a pipe whose reader has ended."""

import contextlib
import io
import os
import sys
from typing import TYPE_CHECKING

from refstack_client.cli.exit_codes import EXIT_BROKEN_PIPE, EXIT_OK, EXIT_UNUSABLE

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


class StandardOutput(io.FileIO):
    """The file of standard output. When it fails, the command ends as after a closed pipe.

    A full disk is reported once. What is written after a failure is dropped, so that Python's own
    end does not fail too.
    """

    exit_code = EXIT_OK
    """The exit code that a failure leads to."""

    def write(self, content: "ReadableBuffer") -> int:
        """Write some bytes.

        :raises BrokenPipeError: they cannot be written, for whatever reason
        """
        if self.exit_code:
            return memoryview(content).nbytes
        try:
            return super().write(content)
        except BrokenPipeError:
            self.exit_code = EXIT_BROKEN_PIPE
            raise
        except OSError as error:
            self.exit_code = EXIT_UNUSABLE
            with contextlib.suppress(OSError):
                sys.stderr.write(
                    f"error: cannot write to standard output: {error.strerror}\n"
                    "hint:  free some space, or redirect the output to another place\n"
                )
            raise BrokenPipeError from error


def install() -> StandardOutput:
    """Put a :class:`StandardOutput` in the place of ``sys.stdout``."""
    text = sys.stdout
    if not isinstance(text, io.TextIOWrapper):  # it is closed: nothing is read, nothing fails
        output = StandardOutput(os.open(os.devnull, os.O_WRONLY), "wb")
        sys.stdout = io.TextIOWrapper(io.BufferedWriter(output), encoding="utf-8")
        return output
    output = StandardOutput(text.fileno(), "wb", closefd=False)
    sys.stdout = io.TextIOWrapper(
        io.BufferedWriter(output),
        encoding=text.encoding,
        errors="backslashreplace",  # names of files may be no valid text
        line_buffering=text.line_buffering,
        write_through=text.write_through,
    )
    return output
