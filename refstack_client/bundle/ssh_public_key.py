"""Public keys in OpenSSH's one-line format."""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_ssh_public_key

from refstack_client.errors import InputError
from refstack_client.files import read_bytes

TYPES = (
    "ssh-rsa",
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
)
LONGEST = 16 * 1024


@dataclass(frozen=True)
class PublicKey:
    """A public key as OpenSSH writes it in one line: type, base64 text, comment."""

    type: str
    text: str
    comment: str

    @property
    def fingerprint(self) -> str:
        """The fingerprint as OpenSSH prints it: ``SHA256:…``."""
        digest = hashlib.sha256(base64.b64decode(self.text)).digest()
        return f"SHA256:{base64.b64encode(digest).decode().rstrip('=')}"

    @property
    def line(self) -> str:
        """The key without its comment."""
        return f"{self.type} {self.text}"


def parse(raw: str, types: Sequence[str] = TYPES) -> PublicKey:
    """Read a line with a public key.

    :param types: the accepted types of keys
    :raises InputError: it is not one line with a public key of an accepted type
    """
    line = raw.strip()
    type_, _, rest = line.partition(" ")
    text, _, comment = rest.strip().partition(" ")
    if type_ not in types:
        raise InputError(f"Public key has unsupported format: accepted types: {', '.join(types)}")
    if len(line.splitlines()) != 1 or len(raw) > LONGEST:
        raise InputError("Malformed public key: it is not one line as ssh-keygen writes it")
    try:
        load_ssh_public_key(f"{type_} {text}".encode())
    except (ValueError, UnsupportedAlgorithm) as error:
        raise InputError(f"Malformed public key: {error}") from error
    return PublicKey(type_, text, comment.strip())


def read(path: Path) -> PublicKey:
    """Read the file of a public key.

    :raises InputError: it is anything else, such as the private key
    """
    try:
        return parse(read_bytes(path).decode())
    except (InputError, UnicodeDecodeError) as error:
        raise InputError(
            f"{path} is not the public key of OpenSSH: {error}",
            hint="give the .pub file of the key",
        ) from error
