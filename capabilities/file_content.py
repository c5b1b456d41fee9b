"""The content of files that users name, in bounded memory."""

import errno
import os
from pathlib import Path

MOST_BYTES = 64 * 1024 * 1024
"""More than a hundred times the size of the largest published guideline or worksheet."""


_PIECE = 1024 * 1024
"""A single read would reserve memory for the largest size."""


def read(path: Path, most: int = MOST_BYTES) -> bytes:
    """Return the content of a file. Devices such as /dev/zero have no end.

    :param most: the largest size in bytes
    :raises OSError: it cannot be read, or is larger
    """
    content = bytearray()
    with path.open("rb") as stream:
        while piece := stream.read(_PIECE):
            content += piece
            if len(content) > most:
                reason = f"{os.strerror(errno.EFBIG)} (more than {most} bytes)"
                raise OSError(errno.EFBIG, reason, path)
    return bytes(content)
