"""The content of files that users name, in bounded memory."""

import errno
import os
from pathlib import Path

MOST_BYTES = 64 * 1024 * 1024
"""More than a hundred times the size of the largest published guideline or worksheet."""


def read(path: Path, most: int = MOST_BYTES) -> bytes:
    """Return the content of a file. Devices such as /dev/zero have no end.

    :param most: the largest size in bytes
    :raises OSError: it cannot be read, or is larger
    """
    with path.open("rb") as stream:
        content = stream.read(most + 1)
    if len(content) > most:
        raise OSError(errno.EFBIG, f"{os.strerror(errno.EFBIG)} (more than {most} bytes)", path)
    return content
