"""A certifier's challenge: a nonce, signed by the certifier, that a run carries into the cloud.

It shows that a run took place after the challenge was issued, and for whom. The file has the text
that is signed, JSON, and then the armoured SSH signature, like a signed tag of Git.
"""

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from refstack_client.errors import InputError
from refstack_client.files import json_text
from refstack_client.outcomes.json_value import JsonObject, JsonValue

FORMAT = 1
NAMESPACE = "challenge@refstack-client"
"""The namespace of the signature, as ssh-keygen(1) calls it."""
MOST_BYTES = 16 * 1024
CLOCKS_DIFFER = timedelta(minutes=5)
"""By which the clocks of certifier, cloud and client may differ."""
_ARMOUR, _END = b"-----BEGIN SSH SIGNATURE-----", b"-----END SSH SIGNATURE-----"
_NONCE = re.compile(r"[0-9a-f]{32}")
_FINGERPRINT = re.compile(r"SHA256:[A-Za-z0-9+/]{43}")
_LONGEST_NAME = 200
_HINT = "get one from your certifier, or create one: refstack-client bundle challenge"


@dataclass(frozen=True)
class Challenge:
    """What a certifier challenges a vendor to do: run tests between two times.

    :param certifier: name of the certifier
    :param key: SHA-256 fingerprint, as OpenSSH prints it, of the key that is to sign the bundle
    :param nonce: 32 random hexadecimal digits
    """

    certifier: str
    key: str
    nonce: str
    issued: datetime
    expires: datetime

    @property
    def content(self) -> bytes:
        """Return the text that is signed."""
        return json_text({"format": FORMAT, **self.as_json()}).encode()

    def as_json(self) -> JsonObject:
        """Return its members."""
        return {
            "certifier": self.certifier,
            "key": self.key,
            "nonce": self.nonce,
            "issued": self.issued.isoformat(),
            "expires": self.expires.isoformat(),
        }


@dataclass(frozen=True)
class SignedChallenge:
    """A challenge, the text as it was read, and the signature of that text."""

    challenge: Challenge
    content: bytes
    signature: bytes

    @property
    def file(self) -> bytes:
        """Return the content of the file of the challenge."""
        return self.content + self.signature

    @property
    def digest(self) -> str:
        """Return the SHA-256 of the text, in hexadecimal digits."""
        return hashlib.sha256(self.content).hexdigest()

    @property
    def mark(self) -> str:
        """Return the part of the digest that is in the name of every resource of the run."""
        return f"c{self.digest[:10]}"


def new(certifier: str, key: str, now: datetime, valid: timedelta) -> Challenge:
    """Return a new challenge, valid from ``now``.

    :param key: fingerprint of the key that is to sign the bundle
    :raises InputError: the name of the certifier is empty or too long
    """
    if not 0 < len(certifier) <= _LONGEST_NAME:
        raise InputError(f"the name of a certifier must have 1 to {_LONGEST_NAME} characters")
    issued = now.astimezone(UTC).replace(microsecond=0)
    return Challenge(certifier, key, secrets.token_hex(16), issued, issued + valid)


def parse(content: bytes, source: str) -> SignedChallenge:
    """Read a challenge. The signature is not verified.

    :param source: name of the file, for messages
    :raises InputError: it has another form; names file and JSON pointer
    """
    if len(content) > MOST_BYTES:
        raise InputError(f"{source} is too large to be a challenge", hint=_HINT)
    # Mail and editors change the ends of lines, and add some.
    text, armour, rest = content.replace(b"\r\n", b"\n").partition(_ARMOUR)
    armoured, end, behind = rest.partition(_END)
    if not armour or not end:
        raise InputError(f"{source} is not a challenge: it has no SSH signature", hint=_HINT)
    if behind.strip():
        raise InputError(f"{source} has something behind the signature", hint=_HINT)
    document = JsonValue.parse(text, source)
    if (version := document.member("format")).number() != FORMAT:
        raise version.error(f"this release reads format {FORMAT}, not {version.value}")
    found = Challenge(
        certifier=_matching(document.member("certifier"), re.compile(rf".{{1,{_LONGEST_NAME}}}")),
        key=_matching(document.member("key"), _FINGERPRINT),
        nonce=_matching(document.member("nonce"), _NONCE),
        issued=_time(document.member("issued")),
        expires=_time(document.member("expires")),
    )
    return SignedChallenge(found, text.lstrip(), armour + armoured + end + b"\n")


def check_valid(challenge: Challenge, now: datetime) -> None:
    """Check that a run may start now.

    :raises InputError: the challenge has expired, or was issued in the future
    """
    if now > challenge.expires:
        raise InputError(
            f"the challenge of {challenge.certifier} expired at {challenge.expires}",
            hint="get a new one from the certifier",
        )
    if challenge.issued > now + CLOCKS_DIFFER:
        raise InputError(
            f"the challenge of {challenge.certifier} was issued at {challenge.issued}, which is in "
            "the future",
            hint="check the clock of this machine",
        )


def _matching(value: JsonValue, form: re.Pattern[str]) -> str:
    if not form.fullmatch(value.text()):
        raise value.error("has another form")
    return value.text()


def _time(value: JsonValue) -> datetime:
    try:
        found = datetime.fromisoformat(value.text())
    except ValueError as error:
        raise value.error("must be a time in ISO 8601") from error
    if not found.tzinfo:
        raise value.error("must have a time zone")
    return found
