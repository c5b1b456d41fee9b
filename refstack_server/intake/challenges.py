"""Challenges that this server issues: it signs them with a key of its own."""

import os
import secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from refstack_client.bundle import ssh_signature
from refstack_client.bundle.ssh_public_key import PublicKey
from refstack_client.files import write_private
from refstack_client.outcomes import challenge
from refstack_server.settings import CHALLENGE_KEY, Settings

VALID = timedelta(days=30)
_KEY, _SIGNERS = CHALLENGE_KEY, "challenge_signers"


def issue(settings: Settings, vendor: PublicKey) -> bytes:
    """Return a challenge for the owner of a key: the content of its file."""
    new = challenge.new(settings.public_url, vendor.fingerprint, datetime.now(UTC), VALID)
    key = _key(settings.data)
    return new.content + ssh_signature.sign(new.content, key, challenge.NAMESPACE)


def signers(settings: Settings) -> Path:
    """Return the file of allowed signers with the public half of the key, as ssh-keygen(1) has it.

    It is written anew: the URL of the server may have changed.
    """
    key = serialization.load_ssh_private_key(_key(settings.data).read_bytes(), None).public_key()
    line = key.public_bytes(
        serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
    ).decode()
    path = settings.data / _SIGNERS
    write_private(path, f'{settings.public_url} namespaces="{challenge.NAMESPACE}" {line}\n')
    return path


def _key(data: Path) -> Path:
    """Return the file of the private key; create it if it is missing.

    Of several processes that create it at the same time, the first one wins.
    """
    path = data / _KEY
    if not path.exists():
        text = Ed25519PrivateKey.generate().private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.OpenSSH,
            serialization.NoEncryption(),
        )
        fresh = data / f"{_KEY}.{secrets.token_hex(8)}"
        write_private(fresh, text.decode())
        try:
            os.link(fresh, path)
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    return path
