"""RSA keys as RefStack v1 wants them: PKCS#1 v1.5 signatures, and nothing but RSA."""

import getpass
import sys
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from refstack_client.errors import InputError
from refstack_client.files import read_bytes

_HINT = "ssh-keygen -t rsa -b 4096 makes one (RefStack v1 takes no other kind)"


def load(path: Path) -> rsa.RSAPrivateKey:
    """Return the private key in ``path``, of OpenSSH's or PEM form; asks for a passphrase.

    :raises InputError: it is no RSA key, or cannot be opened
    """
    content = read_bytes(path)
    is_openssh = b"BEGIN OPENSSH PRIVATE KEY" in content
    read = serialization.load_ssh_private_key if is_openssh else serialization.load_pem_private_key
    try:
        key = _opened(read, content, path)
    except (ValueError, UnsupportedAlgorithm) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"{path} is no private key: {reason}", hint=_HINT) from error
    if not isinstance(key, rsa.RSAPrivateKey):
        raise InputError(f"{path} is no RSA key", hint=_HINT)
    return key


def _opened(read, content: bytes, path: Path):
    try:
        return read(content, None)
    except TypeError as error:  # it is encrypted
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
