"""Private keys of a server, each a file of the data directory in OpenSSH's format."""

import os
import secrets
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from refstack_client.files import write_private


def file(data: Path, name: str) -> Path:
    """Return the file of a key; create it if it is missing.

    Of several processes that create it at the same time, the first one wins.
    """
    path = data / name
    if not path.exists():
        text = Ed25519PrivateKey.generate().private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.OpenSSH,
            serialization.NoEncryption(),
        )
        fresh = data / f"{name}.{secrets.token_hex(8)}"
        write_private(fresh, text.decode())
        try:
            os.link(fresh, path)
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    return path


def read(data: Path, name: str) -> Ed25519PrivateKey:
    """Return a key; create it if it is missing."""
    key = serialization.load_ssh_private_key(file(data, name).read_bytes(), None)
    if not isinstance(key, Ed25519PrivateKey):
        raise TypeError(f"{name} is not an Ed25519 key")
    return key
