"""Callers of the API: anonymous, or a user who sends a token signed with a registered key."""

from dataclasses import dataclass

import jwt
import sqlalchemy as sa
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, padding, rsa
from sqlalchemy.orm import Session

from refstack_server.store.errors import (
    ForbiddenError,
    InvalidError,
    NotFoundError,
    UnauthenticatedError,
)
from refstack_server.store.schema import Membership, PublicKey, User, Vendor, VendorType
from refstack_server.store.text import stored

_SECONDS_OF_LEEWAY = 42
_ALGORITHMS = {
    "ssh-rsa": ["RS256", "RS512"],
    "ssh-ed25519": ["EdDSA"],
    "ecdsa-sha2-nistp256": ["ES256"],
    "ecdsa-sha2-nistp384": ["ES384"],
    "ecdsa-sha2-nistp521": ["ES512"],
}
"""The algorithms of tokens by type of key; hardware keys cannot sign tokens."""
_SMALLEST_KEY = 1024


@dataclass(frozen=True)
class Caller:
    """The sender of a request.

    ``openid`` is "" for an anonymous caller; ``vendors`` are the ids of the vendors that the caller
    acts for.
    """

    openid: str = ""
    vendors: frozenset[str] = frozenset()
    is_foundation: bool = False

    def acts_for(self, vendor_id: str) -> bool:
        """Return whether the caller acts for a vendor, or for the Foundation."""
        return self.is_foundation or vendor_id in self.vendors

    def require_user(self) -> None:
        """Check that the caller is signed in.

        :raises UnauthenticatedError: the caller is anonymous
        """
        if not self.openid:
            raise UnauthenticatedError("sign in, or send a token: Authorization: Bearer …")

    def require_vendor(self, vendor_id: str) -> None:
        """Check that the caller acts for a vendor, or for the Foundation.

        :raises ForbiddenError: the caller does not
        """
        if not self.acts_for(vendor_id):
            raise ForbiddenError("only users of the vendor and the Foundation may do this")

    def require_foundation(self) -> None:
        """Check that the caller acts for the Foundation.

        :raises ForbiddenError: the caller does not
        """
        if not self.is_foundation:
            raise ForbiddenError("only the Foundation may do this")


ANONYMOUS = Caller()


def of_user(session: Session, openid: str) -> Caller:
    """Return a user as a caller."""
    query = (
        sa.select(Vendor.id, Vendor.type)
        .join(Membership, Membership.vendor_id == Vendor.id)
        .where(Membership.openid == openid)
    )
    vendors = session.execute(query).all()
    return Caller(
        openid,
        frozenset(vendor_id for vendor_id, _ in vendors),
        any(type_ == VendorType.FOUNDATION for _, type_ in vendors),
    )


def of_token(session: Session, header: str, server: str, *, is_v1: bool) -> Caller:
    """Return the caller whom an ``Authorization`` header names.

    :param server: the URL of this server; a token that names a server (``aud``) must name this one
    :param is_v1: whether the request is one of RefStack v1, for which its proof of a key suffices
    :raises InvalidError: the header has no valid token of a user
    """
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer":
        raise InvalidError("Authorization schema 'Bearer' should be used")
    try:
        claims = jwt.decode(token, options={"verify_signature": False})
        openid = stored(claims.get("user_openid"))
        query = sa.select(PublicKey).where(PublicKey.openid == openid)
        for key in session.scalars(query if is_v1 else query.where(PublicKey.is_proven)):
            if _is_signed_by(token, key, server if "aud" in claims else None):
                return of_user(session, openid)
    except jwt.PyJWTError as error:
        raise InvalidError("Token is not valid", str(error)) from error
    if not openid:
        raise InvalidError("Token does not contain a valid user_openid")
    raise InvalidError(
        "Token is not valid", "it is not signed with a key of this user that is valid here"
    )


def _is_signed_by(token: str, key: PublicKey, audience: str | None) -> bool:
    allowed = _ALGORITHMS.get(key.format, [])
    if jwt.get_unverified_header(token).get("alg") not in allowed:
        return False
    public = serialization.load_ssh_public_key(f"{key.format} {key.text}".encode())
    if isinstance(public, dsa.DSAPublicKey):
        return False
    try:
        jwt.decode(
            token,
            public,
            algorithms=allowed,
            leeway=_SECONDS_OF_LEEWAY,
            audience=audience,
            options={"require": ["exp"], "verify_aud": audience is not None, "verify_iss": False},
        )
    except jwt.InvalidSignatureError:
        return False
    return True


def read_key(line: str) -> rsa.RSAPublicKey:
    """Return an RSA key from a line in OpenSSH's format.

    :raises InvalidError: the line is not a valid RSA public key
    """
    try:
        key = serialization.load_ssh_public_key(" ".join(line.split()[:2]).encode())
    except (ValueError, UnsupportedAlgorithm) as error:
        raise InvalidError("Malformed public key", str(error)) from error
    if not isinstance(key, rsa.RSAPublicKey) or key.key_size < _SMALLEST_KEY:
        raise InvalidError("Public key has unsupported format", "this request requires an RSA key")
    return key


def check_signature(key: rsa.RSAPublicKey, signature: str, content: bytes) -> None:
    """Check RefStack v1's signature: hexadecimal, RSASSA-PKCS1-v1_5 with SHA-256.

    :raises InvalidError: the signature is not valid
    """
    try:
        key.verify(read_signature(signature), content, padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature as error:
        raise InvalidError("Signature verification failed") from error


def read_signature(text: str) -> bytes:
    """Return the bytes of a signature in hexadecimal.

    :raises InvalidError: the text is not hexadecimal
    """
    try:
        return bytes.fromhex(text)
    except ValueError as error:
        raise InvalidError("Malformed signature", str(error)) from error


def find_user(session: Session, openid: str) -> User:
    """Return a user.

    :raises NotFoundError: there is no such user
    """
    user = session.get(User, openid)
    if user is None:
        raise NotFoundError(f"User {openid} not found")
    return user
