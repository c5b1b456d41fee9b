"""Lines with public keys, and challenges that prove possession."""

import base64

import pytest

from refstack_client.bundle import ssh_public_key
from refstack_server.store import public_keys
from refstack_server.store.errors import InvalidError

SECRET, SERVER, USER = "secret", "https://server.example", "https://id.example.org/alice"


def blob(*parts: bytes) -> str:
    """Return the base64 text of a key with these parts."""
    return base64.b64encode(
        b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    ).decode()


def key_text(type_: str) -> str:
    """Return the base64 text of a key that has only its type."""
    return blob(type_.encode())


ED25519 = blob(b"ssh-ed25519", bytes(range(32)))


def test_a_line_has_type_text_and_comment():
    text = ED25519
    line = public_keys.parse(f"  ssh-ed25519 {text}  my old laptop \n")
    assert (line.type, line.text, line.comment) == ("ssh-ed25519", text, "my old laptop")
    assert line.fingerprint.startswith("SHA256:")
    assert not line.fingerprint.endswith("=")


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ("", "Public key has unsupported format"),
        ("ssh-dss AAAA", "Public key has unsupported format"),
        ("ssh-rsa", "Malformed public key"),
        ("ssh-rsa not-base64", "Malformed public key"),
        ("ssh-rsa ÄÄÄÄ", "Malformed public key"),
        (f"ssh-rsa {key_text('ssh-rsa')}", "Malformed public key"),
        (f"ssh-rsa {key_text('ssh-ed25519')}", "Malformed public key"),
        (f"ssh-rsa {key_text('ssh-rsa')} a\nb", "Malformed public key"),
        (f"ssh-rsa {key_text('ssh-rsa')} {'x' * ssh_public_key.LONGEST}", "Malformed public key"),
    ],
)
def test_other_lines_are_refused(raw, message):
    with pytest.raises(InvalidError) as refused:
        public_keys.parse(raw)
    assert refused.value.message == message


def test_a_key_of_a_hardware_token_is_accepted():
    kind = "sk-ssh-ed25519@openssh.com"
    text = blob(kind.encode(), bytes(range(32)), b"ssh:")
    assert public_keys.parse(f"{kind} {text} token").fingerprint.startswith("SHA256:")


def test_the_accepted_types_can_be_restricted():
    line = f"ssh-ed25519 {ED25519}"
    with pytest.raises(InvalidError, match="unsupported format"):
        public_keys.parse(line, ("ssh-rsa",))


@pytest.mark.parametrize(
    ("secret", "server", "user", "seconds", "message"),
    [
        ("other", SERVER, USER, 0, "The challenge was not issued by this server"),
        (SECRET, "https://other.example", USER, 0, "issued for another server or user"),
        (SECRET, SERVER, "bob", 0, "issued for another server or user"),
        (SECRET, SERVER, USER, public_keys.SECONDS + 2, "The challenge has expired"),
    ],
)
def test_a_challenge_is_refused_elsewhere_and_later(
    monkeypatch, secret, server, user, seconds, message
):
    challenge = public_keys.challenge(SECRET, SERVER, USER)
    public_keys.check(SECRET, SERVER, USER, challenge)
    now = public_keys.itsdangerous.TimestampSigner.get_timestamp
    monkeypatch.setattr(
        "itsdangerous.TimestampSigner.get_timestamp", lambda signer: now(signer) + seconds
    )
    with pytest.raises(InvalidError, match=message):
        public_keys.check(secret, server, user, challenge)
