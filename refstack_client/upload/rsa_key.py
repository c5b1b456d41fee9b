"""RSA keys and PKCS#1 v1.5 signatures, the only ones that RefStack v1 accepts."""

import getpass
import sys
from collections.abc import Callable
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from refstack_client.errors import InputError
from refstack_client.files import read_bytes

_Loader = Callable[[bytes, bytes | None], object]
_HINT = "create one: ssh-keygen -t rsa -b 4096 (RefStack v1 accepts no other kind)"


def load(path: Path) -> rsa.RSAPrivateKey:
    """Return the private key in ``path`` (OpenSSH or PEM); ask for its passphrase.

    :raises InputError: the file is not a private RSA key, or cannot be opened
    """
    content = read_bytes(path)
    is_openssh = b"BEGIN OPENSSH PRIVATE KEY" in content
    read = serialization.load_ssh_private_key if is_openssh else serialization.load_pem_private_key
    try:
        key = _opened(read, content, path)
    except (ValueError, UnsupportedAlgorithm) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"{path} is not a valid private key: {reason}", hint=_HINT) from error
    if not isinstance(key, rsa.RSAPrivateKey):
        raise InputError(f"{path} is not an RSA key", hint=_HINT)
    return key


def _opened(read: _Loader, content: bytes, path: Path) -> object:
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
    return read(content, getpass.getpass(f"passphrase of {path}: ").encode())


def sign(key: rsa.RSAPrivateKey, content: bytes) -> str:
    """Return the hexadecimal RSASSA-PKCS1-v1_5 signature with SHA-256."""
    return key.sign(content, padding.PKCS1v15(), hashes.SHA256()).hex()


def public_line(key: rsa.RSAPrivateKey) -> str:
    """Return the public half in one line, as OpenSSH writes it."""
    line = key.public_key().public_bytes(
        serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
    )
    return line.decode()
