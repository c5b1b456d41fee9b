"""Access tokens for a collector: JSON Web Tokens (RFC 7519) that the user's key signs.

A token names its user and its server, and expires within minutes. It is made for each request and
never written to a file.
"""

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from refstack_client import private_key
from refstack_client.errors import InputError
from refstack_client.upload import ssh_agent
from refstack_client.upload.login import Login

VALID_FOR = timedelta(minutes=5)
"""The clocks of client and server may differ by this much."""
_HINT = "create one: ssh-keygen -t ed25519 (Ed25519, ECDSA and RSA keys can sign tokens)"
_BY_CURVE = {
    "secp256r1": ("ES256", hashes.SHA256()),
    "secp384r1": ("ES384", hashes.SHA384()),
    "secp521r1": ("ES512", hashes.SHA512()),
}
"""The algorithm and hash of each curve (RFC 7518, section 3.4)."""


@dataclass(frozen=True)
class Signer:
    """What signs a token: the algorithm as RFC 7518 names it, and the function that signs."""

    algorithm: str
    sign: Callable[[bytes], bytes]


def authorization(login: Login) -> Callable[[], Mapping[str, str]]:
    """Return a function that returns the headers of a request; the key is opened once.

    :raises InputError: the key cannot be used
    :raises MachineError: the SSH agent cannot be used
    """
    signer = open_key(login.key)
    return lambda: {"Authorization": f"Bearer {make(signer, login, datetime.now(UTC))}"}


def make(signer: Signer, login: Login, at: datetime) -> str:
    """Return a token for a user of a server, valid from a time on."""
    header = {"alg": signer.algorithm, "typ": "JWT"}
    expires = int((at + VALID_FOR).timestamp())
    claims = {"user_openid": login.user, "aud": login.url, "exp": expires}
    content = b".".join(_encoded(json.dumps(part).encode()) for part in (header, claims))
    return b".".join((content, _encoded(signer.sign(content)))).decode()


def _encoded(content: bytes) -> bytes:
    return base64.urlsafe_b64encode(content).rstrip(b"=")


def open_key(path: Path) -> Signer:
    """Return a signer for a private key, or for a key in the SSH agent by its ``.pub`` file.

    :raises InputError: the file is not a key that can sign tokens, or cannot be opened
    :raises MachineError: the agent cannot be used
    """
    if path.suffix == ".pub":
        key = ssh_agent.find(path)
        return Signer(key.algorithm, key.sign)
    private = private_key.load(path, _HINT)
    if isinstance(private, ed25519.Ed25519PrivateKey):
        return Signer("EdDSA", private.sign)
    if isinstance(private, rsa.RSAPrivateKey):
        return Signer(
            "RS256", lambda content: private.sign(content, padding.PKCS1v15(), hashes.SHA256())
        )
    if isinstance(private, ec.EllipticCurvePrivateKey) and private.curve.name in _BY_CURVE:
        return _elliptic(private)
    raise InputError(f"{path} is a key of a type that cannot sign tokens", hint=_HINT)


def _elliptic(private: ec.EllipticCurvePrivateKey) -> Signer:
    algorithm, digest = _BY_CURVE[private.curve.name]
    size = (private.key_size + 7) // 8

    def sign(content: bytes) -> bytes:
        numbers = decode_dss_signature(private.sign(content, ec.ECDSA(digest)))
        return b"".join(number.to_bytes(size, "big") for number in numbers)

    return Signer(algorithm, sign)
