"""The sample data is small, and nothing private is in it."""

import gzip
import re
from pathlib import Path

import pytest

DATA = Path(__file__).with_name("data")
MAX_BYTES = 300 * 1024
PRIVATE = re.compile(
    rb"gAAAA[\w-]{20,}"  # a Fernet token
    rb"|X-(?:Auth|Subject|Service)-Token['\"]: ['\"](?!<omitted>)"
    rb"|['\"](?:password|secret|adminPass)['\"]: ['\"](?!<redacted>)"
    rb"|/(?:home|root|tmp|work|Users)/\w"
)


@pytest.mark.parametrize("path", sorted(DATA.glob("*.gz")), ids=lambda path: path.name)
def test_a_sample_has_no_private_text(path: Path) -> None:
    assert PRIVATE.findall(gzip.decompress(path.read_bytes())) == []


@pytest.mark.parametrize(
    "text",
    [
        b"token gAAAAABm0123456789_-abcdefghij",
        b"{'X-Auth-Token': 'canary'}",
        b'{"password": "canary"}',
        b'File "/home/canary/tempest/test.py"',
    ],
)
def test_private_text_would_be_found(text: bytes) -> None:
    assert PRIVATE.search(text)


def test_the_samples_are_small() -> None:
    assert sum(path.stat().st_size for path in DATA.iterdir()) < MAX_BYTES
