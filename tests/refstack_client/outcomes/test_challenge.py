"""The file of a challenge: what is written is read, anything else is refused."""

import contextlib
import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from refstack_client.errors import InputError
from refstack_client.outcomes import challenge

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
KEY = "SHA256:" + "a" * 43
SIGNATURE = b"-----BEGIN SSH SIGNATURE-----\nAAAA\n-----END SSH SIGNATURE-----\n"


def file(**changes: object) -> bytes:
    new = challenge.new("Foundation", KEY, NOW, timedelta(days=30))
    return json.dumps(json.loads(new.content) | changes).encode() + SIGNATURE


@given(
    st.text(min_size=1, max_size=200).filter(lambda text: text.isprintable()),
    st.datetimes(min_value=datetime(2020, 1, 1), timezones=st.just(timezone(timedelta(hours=2)))),
)
def test_what_is_written_is_read(certifier, now):
    new = challenge.new(certifier, KEY, now.replace(year=2026), timedelta(days=30))
    read = challenge.parse(new.content + SIGNATURE, "c")
    assert read.challenge == new
    assert (read.content, read.signature) == (new.content, SIGNATURE)
    assert read.file == new.content + SIGNATURE


def test_mail_may_change_the_ends_of_lines():
    written = challenge.new("Foundation", KEY, NOW, timedelta(days=30)).content + SIGNATURE
    changed = b"\r\n" + written.replace(b"\n", b"\r\n") + b"\r\n\r\n"
    assert challenge.parse(changed, "c") == challenge.parse(written, "c")


def test_each_challenge_has_another_nonce_and_mark():
    made = [challenge.new("F", KEY, NOW, timedelta(days=1)) for _ in range(100)]
    assert len({new.nonce for new in made}) == 100
    marks = {challenge.parse(new.content + SIGNATURE, "c").mark for new in made}
    assert len(marks) == 100
    # With "refstack-1a2b3c-" before and "-" behind it, names of projects still fit.
    assert {len(mark) for mark in marks} == {11}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "c is not a challenge: it has no SSH signature"),
        (b"{}", "c is not a challenge: it has no SSH signature"),
        (SIGNATURE, "c: not valid JSON: "),
        (b"\xff" + file(), "c: not valid JSON: "),
        (b"[]" + SIGNATURE, "c: must be an object"),
        (file(format=2), "c: /format: this release reads format 1, not 2"),
        (file(certifier=""), "c: /certifier: has another form"),
        (file(certifier="x" * 201), "c: /certifier: has another form"),
        (file(certifier="one\ntwo"), "c: /certifier: has another form"),
        (file(key="MD5:00"), "c: /key: has another form"),
        (file(nonce="0" * 31), "c: /nonce: has another form"),
        (file(nonce=7), "c: /nonce: must be a string"),
        (file(issued="yesterday"), "c: /issued: must be a time in ISO 8601"),
        (file(expires="2026-01-31T00:00:00"), "c: /expires: must have a time zone"),
        (file() + SIGNATURE, "c has something behind the signature"),
        (file() + b"x", "c has something behind the signature"),
        (file().replace(b"-----END", b"-----"), "c is not a challenge: it has no SSH signature"),
        (b" " * 20000 + file(), "c is too large to be a challenge"),
        (b"[" * 9000 + SIGNATURE, "c: the JSON is nested too deeply"),
    ],
)
def test_what_is_no_challenge_is_refused(content, message):
    with pytest.raises(InputError) as refused:
        challenge.parse(content, "c")
    assert str(refused.value).startswith(message)


@given(st.binary(max_size=200))
def test_any_content_is_read_or_refused(content):
    for whole in (content, content + SIGNATURE, file()[:100] + content + SIGNATURE):
        with contextlib.suppress(InputError):
            challenge.parse(whole, "c")


@pytest.mark.parametrize(
    ("now", "message"),
    [
        (NOW - timedelta(minutes=6), "in the future"),
        (NOW - timedelta(minutes=4), ""),
        (NOW + timedelta(days=30), ""),
        (NOW + timedelta(days=30, seconds=1), "expired at 2026-03-02"),
    ],
)
def test_a_run_starts_only_while_the_challenge_is_valid(now, message):
    found = challenge.parse(file(), "c").challenge
    if not message:
        challenge.check_valid(found, now)
        return
    with pytest.raises(InputError, match=message):
        challenge.check_valid(found, now)


@pytest.mark.parametrize("name", ["", "x" * 201])
def test_a_certifier_has_a_name(name):
    with pytest.raises(InputError, match="1 to 200 characters"):
        challenge.new(name, KEY, NOW, timedelta(days=1))
