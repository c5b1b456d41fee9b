"""Public keys of users, of every type that OpenSSH has; a signed challenge proves possession.

A challenge names the server and the user and is valid for minutes, so that a signature made for
another server, for another user or long ago proves nothing.
"""

from collections.abc import Sequence
from typing import NamedTuple

import itsdangerous
import sqlalchemy as sa
from sqlalchemy.orm import Session

from refstack_client.bundle import ssh_public_key, ssh_signature
from refstack_client.errors import ClientError
from refstack_server.store.errors import ConflictError, InvalidError, NotFoundError
from refstack_server.store.schema import PublicKey

NAMESPACE = "key@refstack-server"
SECONDS = 600


def parse(raw: str, types: Sequence[str] = ssh_public_key.TYPES) -> ssh_public_key.PublicKey:
    """Return the key of a line in OpenSSH's format.

    :param types: the accepted types of keys
    :raises InvalidError: the line is not a public key of an accepted type
    """
    try:
        return ssh_public_key.parse(raw, types)
    except ClientError as error:
        message, _, detail = str(error).partition(": ")
        raise InvalidError(message, detail) from error


def challenge(secret: str, server: str, openid: str) -> str:
    """Return the text that a user signs to register a key with a server."""
    return _serializer(secret).dumps([server, openid])


def check(secret: str, server: str, openid: str, challenge: str) -> None:
    """Check that this server issued a challenge to this user within the last minutes.

    :raises InvalidError: the challenge expired or is not this server's or this user's
    """
    try:
        issued_to = _serializer(secret).loads(challenge, max_age=SECONDS)
    except itsdangerous.SignatureExpired as error:
        raise InvalidError("The challenge has expired", "request a new one") from error
    except itsdangerous.BadData as error:
        raise InvalidError(
            "The challenge was not issued by this server", "request a new one"
        ) from error
    if issued_to != [server, openid]:
        raise InvalidError(
            "The challenge was issued for another server or user", "request a new one"
        )


def _serializer(secret: str) -> itsdangerous.URLSafeTimedSerializer:
    return itsdangerous.URLSafeTimedSerializer(secret, salt=NAMESPACE)


def check_signed(line: ssh_public_key.PublicKey, challenge: str, signature: str) -> None:
    """Check that a challenge was signed with a key: ``ssh-keygen -Y sign -n key@refstack-server``.

    :raises InvalidError: the signature is not valid, or of another key
    """
    # Browsers change the line endings and strip surrounding space.
    armored = "".join(f"{line_of_text}\n" for line_of_text in signature.strip().splitlines())
    try:
        signer = ssh_signature.check(challenge.encode(), armored.encode(), NAMESPACE)
    except ClientError as error:
        raise InvalidError("Signature verification failed", str(error)) from error
    if signer.fingerprint != line.fingerprint:
        raise InvalidError("Signature verification failed", "another key signed the challenge")


class Proof(NamedTuple):
    """A public key, a challenge, and the challenge signed with the private key."""

    key: str
    challenge: str
    signature: str


def register(session: Session, secret: str, server: str, openid: str, proof: Proof) -> PublicKey:
    """Register a key for a user who proves possession of the private key.

    :raises InvalidError: the proof is not valid
    :raises ConflictError: the key is registered already
    """
    line = parse(proof.key)
    check(secret, server, openid, proof.challenge)
    check_signed(line, proof.challenge, proof.signature)
    return add(session, openid, line, is_proven=True)


def of_user(session: Session, openid: str) -> sa.ScalarResult[PublicKey]:
    """Return a user's keys, the oldest first."""
    query = sa.select(PublicKey).where(PublicKey.openid == openid)
    return session.scalars(query.order_by(PublicKey.created_at, PublicKey.id))


def remove(session: Session, openid: str, key_id: str) -> None:
    """Remove a key of a user.

    :raises NotFoundError: the user has no such key
    """
    key = session.get(PublicKey, key_id)
    if key is None or key.openid != openid:
        raise NotFoundError(f"Public key {key_id} not found")
    session.delete(key)


def registered(session: Session, line: ssh_public_key.PublicKey) -> PublicKey | None:
    """Return a key if a user registered it, by either proof."""
    query = sa.select(PublicKey).where(PublicKey.fingerprint == line.fingerprint)
    return session.scalar(query)


def proven(session: Session, fingerprint: str) -> PublicKey | None:
    """Return a key, by its fingerprint ``SHA256:…``, if its user proved possession of it."""
    query = sa.select(PublicKey).where(PublicKey.fingerprint == fingerprint, PublicKey.is_proven)
    return session.scalar(query)


def add(
    session: Session, openid: str, line: ssh_public_key.PublicKey, *, is_proven: bool
) -> PublicKey:
    """Register a key for a user.

    A user who proves possession of a key takes it over from one who did not.

    :raises ConflictError: the key is registered already
    """
    key = registered(session, line)
    if key is None:
        key = PublicKey(format=line.type, text=line.text, fingerprint=line.fingerprint)
        session.add(key)
    elif key.is_proven or not is_proven:
        raise ConflictError("Public key already exists.")
    key.openid, key.comment, key.is_proven = openid, line.comment, is_proven
    return key
