"""Read a private key, in OpenSSH's format or PEM; ask for its passphrase on the terminal."""

import getpass
import sys
from collections.abc import Callable
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

from refstack_client.errors import InputError
from refstack_client.files import read_bytes

_Loader = Callable[[bytes, bytes | None], PrivateKeyTypes]


def load(path: Path, hint: str) -> PrivateKeyTypes:
    """Return the private key in a file.

    :param hint: what to do if it is not one
    :raises InputError: the file is not a private key, or cannot be opened
    """
    content = read_bytes(path)
    is_openssh = b"BEGIN OPENSSH PRIVATE KEY" in content
    read = serialization.load_ssh_private_key if is_openssh else serialization.load_pem_private_key
    try:
        return _opened(read, content, path)
    except (ValueError, UnsupportedAlgorithm) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"{path} is not a valid private key: {reason}", hint=hint) from error


def _opened(read: _Loader, content: bytes, path: Path) -> PrivateKeyTypes:
    try:
        return read(content, None)
    except TypeError as error:  # The key is encrypted.
        if not sys.stdin.isatty():
            raise InputError(
                f"{path} is encrypted, and there is no terminal to ask for its passphrase on",
                hint="run this on a terminal, or use a key without a passphrase",
            ) from error
    except ValueError as error:
        if "encrypted" not in str(error) or not sys.stdin.isatty():
            raise
    try:
        return read(content, getpass.getpass(f"passphrase of {path}: ").encode())
    except (EOFError, ValueError) as error:
        raise InputError(
            f"{path} cannot be opened with this passphrase", hint="enter the passphrase of the key"
        ) from error
