"""RSA keys and PKCS#1 v1.5 signatures, the only ones that RefStack v1 accepts."""

from pathlib import Path

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from refstack_client import private_key
from refstack_client.errors import InputError

_HINT = "create one: ssh-keygen -t rsa -b 4096 (RefStack v1 accepts no other kind)"


def load(path: Path) -> rsa.RSAPrivateKey:
    """Return the private key in ``path`` (OpenSSH or PEM); ask for its passphrase.

    :raises InputError: the file is not a private RSA key, or cannot be opened
    """
    key = private_key.load(path, _HINT)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise InputError(f"{path} is not an RSA key", hint=_HINT)
    return key


def sign(key: rsa.RSAPrivateKey, content: bytes) -> str:
    """Return the hexadecimal RSASSA-PKCS1-v1_5 signature with SHA-256."""
    return key.sign(content, padding.PKCS1v15(), hashes.SHA256()).hex()


def public_line(key: rsa.RSAPrivateKey) -> str:
    """Return the public half in one line, as OpenSSH writes it."""
    line = key.public_key().public_bytes(
        serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
    )
    return line.decode()
