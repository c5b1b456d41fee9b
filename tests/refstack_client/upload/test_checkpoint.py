"""Checkpoints in the forms of C2SP."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from refstack_client.errors import InputError
from refstack_client.upload import checkpoint
from refstack_client.upload.checkpoint import LOG, WITNESS, Checkpoint

NAME, OTHER = "refstack.example.org/log", "witness.example.net"
ROOT = bytes(range(32))
NEW = Checkpoint(NAME, 20852163, ROOT)


def key() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.generate()


def test_a_published_verifier_key_is_read():
    """That of Go's checksum database, whose id is computed from its name and key."""
    line = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8"
    key = checkpoint.verifier_key(line)
    assert (key.name, key.algorithm, str(key)) == ("sum.golang.org", LOG, line)


def test_a_checkpoint_is_signed_by_its_log_and_by_witnesses():
    log, first, second = key(), key(), key()
    note = NEW.signed(log, NAME).cosigned(first, OTHER).cosigned(second, "w2.example.net")
    parsed = checkpoint.parse(str(note))
    assert parsed == note
    keys = [
        checkpoint.key_of(log, NAME),
        checkpoint.key_of(first, OTHER, WITNESS),
        checkpoint.key_of(second, "w2.example.net", WITNESS),
    ]
    assert all(parsed.is_signed_by(checkpoint.verifier_key(str(public))) for public in keys)
    others = [
        checkpoint.key_of(key(), NAME),
        checkpoint.key_of(log, OTHER),
        checkpoint.key_of(first, OTHER, LOG),
        checkpoint.key_of(log, NAME, WITNESS),
    ]
    assert not any(parsed.is_signed_by(public) for public in others)


@pytest.mark.parametrize("changed", [{"size": 1}, {"origin": "x"}, {"root": bytes(32)}])
def test_a_changed_checkpoint_is_not_signed(changed):
    log = key()
    note = NEW.signed(log, NAME)
    other = Checkpoint(**{**vars(note), **changed})
    assert not other.is_signed_by(checkpoint.key_of(log, NAME))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x\n1\n",
        f"{NEW.body}\nno dash",
        f"{NEW.body}\n- name AAAAAAAA\n",
        f"{NEW.body}\n\u2014 name AAAA\n",
        str(NEW).replace("20852163", "020852163"),
        str(NEW).replace("20852163", "-1"),
        str(NEW).replace("AAEC", "A!EC"),
        f"x{NEW.body}" * 3000,
    ],
)
def test_other_texts_are_refused(text):
    with pytest.raises(InputError):
        checkpoint.parse(text)


@given(st.text())
def test_no_text_makes_the_parsers_fail(text):
    for parse in (checkpoint.parse, checkpoint.verifier_key):
        with pytest.raises(InputError):
            parse(text)


def test_a_damaged_verifier_key_is_refused():
    line = str(checkpoint.key_of(key(), NAME))
    assert str(checkpoint.verifier_key(line)) == line
    with pytest.raises(InputError, match="damaged"):
        checkpoint.verifier_key(line.replace("refstack", "refstock"))
