"""Free space on the disk of the data directory: uploads leave a reserve for everything else."""

import errno
import shutil

from refstack_server.settings import Settings
from refstack_server.store.errors import NoSpaceError

_FULL = (errno.ENOSPC, errno.EDQUOT)


def free_bytes(settings: Settings) -> int:
    """Return the free space for this process in bytes."""
    return shutil.disk_usage(settings.data).free


def is_low(settings: Settings, size: int = 0) -> bool:
    """Return whether ``size`` more bytes would leave less than the reserve."""
    return free_bytes(settings) - size < settings.reserve_bytes


def require(settings: Settings, size: int) -> None:
    """Check that an upload of ``size`` bytes leaves the reserve.

    :raises NoSpaceError: it does not
    """
    if is_low(settings, size):
        raise NoSpaceError


def is_full(error: OSError) -> bool:
    """Return whether a write failed because a disk, or the quota of a user, is full."""
    return error.errno in _FULL
