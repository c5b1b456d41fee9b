"""DSSE envelopes (https://github.com/secure-systems-lab/dsse): a payload and its signatures.

Other tools verify them with the public key in PEM; keys and formats of OpenSSH are unknown there.
"""

import json
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from securesystemslib import dsse
from securesystemslib.signer import CryptoSigner, SSlibKey

from refstack_client import private_key
from refstack_client.errors import InputError
from refstack_client.files import json_text

IN_TOTO = "application/vnd.in-toto+json"
"""The payload type of in-toto statements."""
_RSA_SCHEME = "rsa-pkcs1v15-sha256"
"""The signatures with RSA that the verifiers of sigstore accept."""
_HINT = (
    "an envelope is signed with the file of a private key of type Ed25519, ECDSA or RSA, not with "
    "its .pub file"
)


@dataclass(frozen=True)
class Envelope:
    """A signed envelope as JSON, and the public key in PEM that verifies it."""

    content: bytes
    public_key: bytes


def sign(payload: bytes, payload_type: str, key: Path) -> Envelope:
    """Return the envelope of ``payload``, signed with an SSH or PEM private key.

    :raises InputError: the file is not a private key of a type that signs envelopes
    """
    private = private_key.load(key, _HINT)
    public = private.public_key()
    try:
        signer = CryptoSigner(private, public_half(public))
    except (ValueError, TypeError, KeyError) as error:
        raise InputError(f"{key} cannot sign an envelope: {error}", hint=_HINT) from error
    envelope = dsse.Envelope(payload, payload_type, {})
    envelope.sign(signer)
    pem = public.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return Envelope(json_text(envelope.to_dict()).encode(), pem)


def public_half(public: PublicKeyTypes) -> SSlibKey:
    """Return a public key as securesystemslib has it.

    :raises ValueError: its type cannot verify envelopes
    """
    is_rsa = SSlibKey.from_crypto(public).keytype == "rsa"
    return SSlibKey.from_crypto(public, scheme=_RSA_SCHEME if is_rsa else None)


def verified(content: bytes, public: bytes) -> bytes:
    """Return the payload of an envelope that a key in PEM verifies.

    :raises securesystemslib.exceptions.VerificationError: the signature is not of this key
    """
    key = public_half(serialization.load_pem_public_key(public))
    envelope = dsse.Envelope.from_dict(json.loads(content))
    envelope.verify([key], 1)
    return envelope.payload
