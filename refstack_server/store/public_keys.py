"""Public keys of users, of every kind OpenSSH has, shown to be theirs by a challenge.

A challenge names the server and the user, and holds for minutes: what was signed for another
server, for somebody else or long ago shows nothing.
"""

import base64
import binascii
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import itsdangerous
import sqlalchemy as sa
from sqlalchemy.orm import Session

from refstack_client.bundle import ssh_signature
from refstack_client.errors import ClientError
from refstack_server.store.schema import PublicKey
from refstack_server.web.errors import bad_request, conflict, not_found

NAMESPACE = "key@refstack-server"
SECONDS = 600
KINDS = (
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
class Line:
    """A public key in OpenSSH's one line."""

    kind: str
    text: str
    comment: str

    @property
    def fingerprint(self) -> str:
        """As OpenSSH prints it: ``SHA256:…``."""
        digest = hashlib.sha256(base64.b64decode(self.text)).digest()
        return f"SHA256:{base64.b64encode(digest).decode().rstrip('=')}"


def parse(raw: str, kinds: Sequence[str] = KINDS) -> Line:
    """Return what a line says.

    :param kinds: those that are taken
    :raises RefusedError: 400, it is no public key of a kind that is known
    """
    kind, _, rest = raw.strip().partition(" ")
    text, _, comment = rest.strip().partition(" ")
    if kind not in kinds:
        raise bad_request("Public key has unsupported format", f"taken are {', '.join(kinds)}")
    try:
        blob = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise bad_request("Malformed public key", str(error)) from error
    # The key itself begins with its kind, after four bytes of length.
    if blob[4 : 4 + len(kind)] != kind.encode() or "\n" in raw.strip() or len(raw) > LONGEST:
        raise bad_request("Malformed public key", "it is not one line as ssh-keygen writes it")
    return Line(kind, text, comment.strip())


def challenge(secret: str, server: str, openid: str) -> str:
    """Return what a user is to sign to register a key with a server."""
    return _serializer(secret).dumps([server, openid])


def check(secret: str, server: str, openid: str, challenge: str) -> None:
    """Check that a challenge is one given to that user, here and lately.

    :raises RefusedError: 400
    """
    try:
        given = _serializer(secret).loads(challenge, max_age=SECONDS)
    except itsdangerous.SignatureExpired as error:
        raise bad_request("The challenge is too old", "ask for another") from error
    except itsdangerous.BadData as error:
        raise bad_request("The challenge is none of this server's", "ask for one") from error
    if given != [server, openid]:
        raise bad_request("The challenge was for another server or user", "ask for one")


def _serializer(secret: str) -> itsdangerous.URLSafeTimedSerializer:
    return itsdangerous.URLSafeTimedSerializer(secret, salt=NAMESPACE)


def check_signed(line: Line, challenge: str, signature: str) -> None:
    """Check that a challenge was signed with a key: ``ssh-keygen -Y sign -n key@refstack-server``.

    :raises RefusedError: 400
    """
    # Browsers end lines as they like, and cut off what is around.
    armored = "".join(f"{each}\n" for each in signature.strip().splitlines())
    try:
        signer = ssh_signature.check(challenge.encode(), armored.encode(), NAMESPACE)
    except ClientError as error:
        raise bad_request("Signature verification failed", str(error)) from error
    if not signer.key.endswith(line.fingerprint):
        raise bad_request("Signature verification failed", "another key signed the challenge")


class Proof(NamedTuple):
    """A public key, a challenge, and the challenge signed with the key's private half."""

    key: str
    challenge: str
    signature: str


def register(session: Session, secret: str, server: str, openid: str, proof: Proof) -> PublicKey:
    """Register a key that is shown to be a user's.

    :raises RefusedError: 400, it is not; 409, it is somebody's already
    """
    line = parse(proof.key)
    check(secret, server, openid, proof.challenge)
    check_signed(line, proof.challenge, proof.signature)
    return add(session, openid, line)


def of_user(session: Session, openid: str) -> sa.ScalarResult[PublicKey]:
    """Return a user's keys, the oldest first."""
    query = sa.select(PublicKey).where(PublicKey.openid == openid)
    return session.scalars(query.order_by(PublicKey.created_at, PublicKey.id))


def remove(session: Session, openid: str, key_id: str) -> None:
    """Remove a key of a user's.

    :raises RefusedError: 404
    """
    key = session.get(PublicKey, key_id)
    if key is None or key.openid != openid:
        raise not_found(f"Public key {key_id} not found")
    session.delete(key)


def of(session: Session, line: Line) -> PublicKey | None:
    """Return a key, if a user registered it."""
    return of_fingerprint(session, line.fingerprint)


def of_fingerprint(session: Session, fingerprint: str) -> PublicKey | None:
    """As :func:`of`, by ``SHA256:…``."""
    return session.scalar(sa.select(PublicKey).where(PublicKey.fingerprint == fingerprint))


def add(session: Session, openid: str, line: Line) -> PublicKey:
    """Register a key.

    :raises RefusedError: 409, it is somebody's already
    """
    if of(session, line):
        raise conflict("Public key already exists.")
    added = PublicKey(
        openid=openid,
        format=line.kind,
        text=line.text,
        fingerprint=line.fingerprint,
        comment=line.comment,
    )
    session.add(added)
    return added
