"""Challenges that this server issues: it signs them with a key of its own."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives import serialization

from refstack_client.bundle import ssh_signature
from refstack_client.bundle.ssh_public_key import PublicKey
from refstack_client.files import write_private
from refstack_client.outcomes import challenge
from refstack_server.settings import CHALLENGE_KEY, Settings
from refstack_server.store import signing_keys

VALID = timedelta(days=30)
_SIGNERS = "challenge_signers"


def issue(settings: Settings, vendor: PublicKey) -> bytes:
    """Return a challenge for the owner of a key: the content of its file."""
    new = challenge.new(settings.public_url, vendor.fingerprint, datetime.now(UTC), VALID)
    key = signing_keys.file(settings.data, CHALLENGE_KEY)
    return new.content + ssh_signature.sign(new.content, key, challenge.NAMESPACE)


def signers(settings: Settings) -> Path:
    """Return the file of allowed signers with the public half of the key, as ssh-keygen(1) has it.

    It is written anew: the URL of the server may have changed.
    """
    key = signing_keys.read(settings.data, CHALLENGE_KEY)
    line = (
        key.public_key()
        .public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
        .decode()
    )
    path = settings.data / _SIGNERS
    write_private(path, f'{settings.public_url} namespaces="{challenge.NAMESPACE}" {line}\n')
    return path
