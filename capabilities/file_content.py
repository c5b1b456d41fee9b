"""The content of files that users name, in bounded memory."""

import errno
from pathlib import Path

MOST_BYTES = 64 * 1024 * 1024
"""More than a hundred times the size of the largest published guideline or worksheet."""

_CHUNK_BYTES = 1024 * 1024


def read(path: Path, most: int = MOST_BYTES) -> bytes:
    """Return the content of a file. Devices such as /dev/zero have no end.

    :param most: the largest size in bytes
    :raises OSError: it cannot be read, or is larger
    """
    too_large = OSError(errno.EFBIG, f"larger than {most} bytes", path)
    if path.stat().st_size > most:
        raise too_large
    chunks: list[bytes] = []
    size = 0
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            size += len(chunk)
            if size > most:
                raise too_large
            chunks.append(chunk)
    return b"".join(chunks)
