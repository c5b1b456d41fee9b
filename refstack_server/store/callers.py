"""Who asks: nobody in particular, or a user, by a token signed with one of their keys."""

from dataclasses import dataclass
from http import HTTPStatus

import jwt
import sqlalchemy as sa
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, padding, rsa
from sqlalchemy.orm import Session

from refstack_server.store.schema import Membership, PublicKey, User, Vendor, VendorType
from refstack_server.web.errors import RefusedError, bad_request, forbidden, unauthorized

_SECONDS_OF_LEEWAY = 42
_ALGORITHMS = {
    "ssh-rsa": ["RS256", "RS512"],
    "ssh-ed25519": ["EdDSA"],
    "ecdsa-sha2-nistp256": ["ES256"],
    "ecdsa-sha2-nistp384": ["ES384"],
    "ecdsa-sha2-nistp521": ["ES512"],
}
"""By kind of key, how a token may be signed with it; hardware keys sign no tokens."""
_SMALLEST_KEY = 1024


@dataclass(frozen=True)
class Caller:
    """``openid`` is "" for somebody who did not sign in; ``vendors`` are those they act for."""

    openid: str = ""
    vendors: frozenset[str] = frozenset()
    is_foundation: bool = False

    def acts_for(self, vendor_id: str) -> bool:
        return self.is_foundation or vendor_id in self.vendors

    def require_user(self) -> None:
        """Check that somebody signed in.

        :raises RefusedError: 401
        """
        if not self.openid:
            raise unauthorized("sign in, or send a token: Authorization: Bearer …")

    def require_vendor(self, vendor_id: str) -> None:
        """Check that the caller acts for a vendor, or the foundation.

        :raises RefusedError: 403
        """
        if not self.acts_for(vendor_id):
            raise forbidden("only users of the vendor, and the foundation, may do that")

    def require_foundation(self) -> None:
        """Check that the caller acts for the foundation.

        :raises RefusedError: 403
        """
        if not self.is_foundation:
            raise forbidden("only the foundation may do that")


ANONYMOUS = Caller()


def of_user(session: Session, openid: str) -> Caller:
    """Return a user as a caller."""
    query = (
        sa.select(Vendor.id, Vendor.type)
        .join(Membership, Membership.vendor_id == Vendor.id)
        .where(Membership.openid == openid)
    )
    found = session.execute(query).all()
    return Caller(
        openid,
        frozenset(vendor_id for vendor_id, _ in found),
        any(type_ == VendorType.FOUNDATION for _, type_ in found),
    )


def of_token(session: Session, header: str, server: str) -> Caller:
    """Return who sent an ``Authorization`` header.

    :param server: where this one is; a token that names a server (``aud``) is for no other
    :raises RefusedError: 400, it holds no token of a known user
    """
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer":
        raise bad_request("Authorization schema 'Bearer' should be used")
    try:
        claims = jwt.decode(token, options={"verify_signature": False})
        openid = str(claims.get("user_openid") or "")
        for key in session.scalars(sa.select(PublicKey).where(PublicKey.openid == openid)):
            if _is_signed_by(token, key, server if "aud" in claims else None):
                return of_user(session, openid)
    except jwt.PyJWTError as error:
        raise bad_request("Token is not valid", str(error)) from error
    if not openid:
        raise bad_request("Token does not contain user's openid")
    raise bad_request("Token is not valid", "no key of that user signed it")


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
    """Return an RSA key of OpenSSH's one-line form.

    :raises RefusedError: 400, it is none
    """
    try:
        key = serialization.load_ssh_public_key(" ".join(line.split()[:2]).encode())
    except (ValueError, UnsupportedAlgorithm) as error:
        raise bad_request("Malformed public key", str(error)) from error
    if not isinstance(key, rsa.RSAPublicKey) or key.key_size < _SMALLEST_KEY:
        raise bad_request("Public key has unsupported format", "RSA keys are taken here")
    return key


def check_signature(key: rsa.RSAPublicKey, signature: str, content: bytes) -> None:
    """Check RefStack v1's signature: hexadecimal, RSASSA-PKCS1-v1_5 with SHA-256.

    :raises RefusedError: 400, it does not hold
    """
    try:
        key.verify(read_signature(signature), content, padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature as error:
        raise bad_request("Signature verification failed") from error


def read_signature(text: str) -> bytes:
    """Return the bytes of a signature in hexadecimal.

    :raises RefusedError: 400, it is none
    """
    try:
        return bytes.fromhex(text)
    except ValueError as error:
        raise bad_request("Malformed signature", str(error)) from error


def known_user(session: Session, openid: str) -> User:
    """Return a user.

    :raises RefusedError: 404
    """
    user = session.get(User, openid)
    if user is None:
        raise RefusedError(HTTPStatus.NOT_FOUND, f"User {openid} not found")
    return user
