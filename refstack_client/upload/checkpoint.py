"""Signed checkpoints of a log as C2SP has them: tlog-checkpoint, signed-note, tlog-cosignature.

A checkpoint has the origin of a log, its size and the root of its Merkle tree. It is signed by the
log, and by witnesses who saw that the log only grew.
"""

import base64
import binascii
import hashlib
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from refstack_client.errors import InputError

LOG, WITNESS = 1, 4
"""The algorithms of keys: Ed25519 on the note, and Ed25519 on the note with a time."""
LONGEST = 64 * 1024
_DASH, _ID_BYTES, _TIME_BYTES, _KEY_BYTES, _ROOT_BYTES = "\u2014", 4, 8, 32, 32
_SIZE = re.compile(r"0|[1-9][0-9]{0,17}")
_NAME = re.compile(r"[^\s+]{1,255}")


@dataclass(frozen=True)
class VerifierKey:
    """The public key of a log or of a witness, and its name."""

    name: str
    algorithm: int
    public: bytes

    @property
    def id(self) -> bytes:
        """The first bytes of a signature, by which keys with the same name are distinguished."""
        content = f"{self.name}\n".encode() + bytes([self.algorithm]) + self.public
        return hashlib.sha256(content).digest()[:_ID_BYTES]

    def __str__(self) -> str:
        """Return the key as one line: name, id and key."""
        content = base64.b64encode(bytes([self.algorithm]) + self.public).decode()
        return f"{self.name}+{self.id.hex()}+{content}"


def verifier_key(text: str) -> VerifierKey:
    """Return the key of a line that :class:`VerifierKey` wrote.

    :raises InputError: it is not one
    """
    name, _, rest = text.strip().partition("+")
    stated, _, content = rest.partition("+")
    try:
        raw = base64.b64decode(content, validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if not _NAME.fullmatch(name) or len(raw) != 1 + _KEY_BYTES or raw[0] not in (LOG, WITNESS):
        raise InputError(
            f"{text!r} is not a verifier key",
            hint="give one such as example.org/log+1234abcd+A…, as the server shows at /v2/log/key",
        )
    key = VerifierKey(name, raw[0], raw[1:])
    if key.id.hex() != stated:
        raise InputError(f"the verifier key of {name} is damaged", hint="copy the whole line")
    return key


def key_of(private: Ed25519PrivateKey, name: str, algorithm: int = LOG) -> VerifierKey:
    """Return the public half of a key."""
    public = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return VerifierKey(name, algorithm, public)


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint with its signatures, each a key's name and the id with the signature."""

    origin: str
    size: int
    root: bytes
    signatures: tuple[tuple[str, bytes], ...] = ()

    @property
    def body(self) -> str:
        """The text that is signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"

    def __str__(self) -> str:
        """Return the signed note."""
        lines = (
            f"{_DASH} {name} {base64.b64encode(signature).decode()}\n"
            for name, signature in self.signatures
        )
        return f"{self.body}\n{''.join(lines)}"

    def signed(self, private: Ed25519PrivateKey, name: str) -> "Checkpoint":
        """Return the same with the signature of its log."""
        signature = key_of(private, name).id + private.sign(self.body.encode())
        return replace(self, signatures=(*self.signatures, (name, signature)))

    def cosigned(self, private: Ed25519PrivateKey, name: str) -> "Checkpoint":
        """Return the same with the signature of a witness, made now."""
        moment = int(time.time())
        signature = private.sign(_with_time(self, moment))
        content = key_of(private, name, WITNESS).id + moment.to_bytes(_TIME_BYTES) + signature
        return replace(self, signatures=(*self.signatures, (name, content)))

    def is_signed_by(self, key: VerifierKey) -> bool:
        """Return whether a log or a witness signed it."""
        return any(True for _ in self.by(key))

    def by(self, key: VerifierKey) -> Iterator[tuple[str, bytes]]:
        """Yield the valid signatures of a key."""
        public = Ed25519PublicKey.from_public_bytes(key.public)
        for name, content in self.signatures:
            if (name, content[:_ID_BYTES]) != (key.name, key.id):
                continue
            signed, signature = self.body.encode(), content[_ID_BYTES:]
            if key.algorithm == WITNESS:
                moment, signature = signature[:_TIME_BYTES], signature[_TIME_BYTES:]
                signed = _with_time(self, int.from_bytes(moment))
            try:
                public.verify(signature, signed)
            except InvalidSignature:
                continue
            yield name, content


def _with_time(checkpoint: Checkpoint, moment: int) -> bytes:
    return f"cosignature/v1\ntime {moment}\n{checkpoint.body}".encode()


def parse(text: str) -> Checkpoint:
    """Return a checkpoint from a signed note; no signature is checked.

    :raises InputError: it is not one
    """
    body, _, lines = text.partition("\n\n")
    parts = body.split("\n")
    try:
        if len(text) > LONGEST or len(parts) != 3 or not _SIZE.fullmatch(parts[1]):
            raise ValueError("its form")
        root = base64.b64decode(parts[2], validate=True)
        if len(root) != _ROOT_BYTES or not parts[0]:
            raise ValueError("its root")
        signatures = tuple(_signature(line) for line in lines.splitlines())
    except ValueError as error:
        raise InputError(
            f"this is not a checkpoint: {error}",
            hint="give what GET /v2/log/checkpoint of the server returns",
        ) from error
    return Checkpoint(parts[0], int(parts[1]), root, signatures)


def _signature(line: str) -> tuple[str, bytes]:
    dash, _, rest = line.partition(" ")
    name, _, content = rest.partition(" ")
    signature = base64.b64decode(content, validate=True)
    if dash != _DASH or not _NAME.fullmatch(name) or len(signature) <= _ID_BYTES:
        raise ValueError(f"the line {line!r}")
    return name, signature
