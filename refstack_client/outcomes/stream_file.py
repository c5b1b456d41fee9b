"""Open the subunit stream in a file that a user names: plain, or compressed with gzip."""

import gzip
import io
import re
import tempfile
import zlib
from pathlib import Path
from typing import BinaryIO

from refstack_client.errors import InputError

_GZIP = b"\x1f\x8b"
_MOST_BYTES = 512 * 1024**2
"""Of a stream that is unpacked: that of the largest programme has a tenth of it."""
_CHUNK_BYTES = 1024 * 1024
_GIVE = "give a run directory or a subunit file"
_WRITE = "stestr last --subunit writes a stream; so does tempest run --subunit"

_HEAD_BYTES = 64 * 1024
_NO_STREAMS = (
    (
        re.compile(rb"^(?:time: |test: |tags: |progress: )[^\n]*\r\n", re.MULTILINE),
        "has line ends of CR LF: a program for texts has changed this subunit stream",
        "give the stream as it was written, or compressed",
    ),
    (
        re.compile(rb"^\{\d+\} \S+ .*\.\.\. (?:ok|FAILED|SKIPPED)|^Ran: \d+ tests", re.MULTILINE),
        "is what stestr or Tempest printed, not the subunit stream",
        "stestr last --subunit, in the directory of that run, writes the stream",
    ),
    (
        re.compile(rb"^\s*(?:<\?xml[^>]*>\s*)?<testsuites?\b"),
        "is a JUnit report, which has no idempotent IDs, not a subunit stream",
        _WRITE,
    ),
    (re.compile(rb"^\Z"), "is empty", _WRITE),
    (re.compile(rb""), "is not a subunit stream", _WRITE),
)
"""The start of a file, what it shows, and what to do; the first that matches counts."""


def check_regular(path: Path) -> None:
    """Check that a file can be read more than once, and has an end.

    :raises InputError: it is a device, a pipe or a directory
    """
    if path.exists() and not path.is_file():
        raise InputError(f"{path} is not a regular file", hint=_GIVE)


def open_stream(path: Path) -> BinaryIO:
    """Open a stream for reading, unpacked.

    :raises InputError: the file cannot be read or unpacked
    """
    check_regular(path)
    try:
        content = path.open("rb")
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}", hint=_GIVE) from error
    if content.read(len(_GZIP)) != _GZIP:
        content.seek(0)
        return content
    with content:
        return _unpacked(path)


def _unpacked(path: Path) -> BinaryIO:
    """Return the content of a gzip file as a temporary file: it is read more than once."""
    unpacked = tempfile.TemporaryFile()  # noqa: SIM115 - the caller closes it
    try:
        with gzip.open(path) as packed:
            while chunk := packed.read(_CHUNK_BYTES):
                unpacked.write(chunk)
                if unpacked.tell() > _MOST_BYTES:
                    raise InputError(
                        f"{path} is larger than {_MOST_BYTES} bytes when unpacked", hint=_GIVE
                    )
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        unpacked.close()
        raise InputError(f"{path} is a damaged gzip file: {error}", hint=_GIVE) from error
    except BaseException:
        unpacked.close()
        raise
    unpacked.seek(0)
    return unpacked


def not_a_stream(content: BinaryIO, source: str) -> InputError:
    """Return the error that a file is not a stream, with what it is instead.

    :param source: names it in the message
    """
    content.seek(0, io.SEEK_SET)
    head = content.read(_HEAD_BYTES)
    for sign, what, hint in _NO_STREAMS:
        if sign.search(head):
            return InputError(f"{source} {what}", hint=hint)
    raise AssertionError("the last entry matches anything")
