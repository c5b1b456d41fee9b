"""The options ``--latency`` and ``--break``."""

import pytest

from refstack_client.errors import UsageError
from refstack_client.sandbox.faults import Faults, parse

SERVICES = ("keystone", "swift")


@pytest.mark.parametrize(
    ("latency", "breaks", "faults"),
    [
        (None, (), None),
        ("0ms", (), Faults()),
        ("100ms", (), Faults(0.1)),
        ("0.5s", ("swift",), Faults(0.5, {"swift": "down"})),
        (
            "60",
            ("swift:slow", "keystone:errors"),
            Faults(60, {"swift": "slow", "keystone": "errors"}),
        ),
    ],
)
def test_options_are_parsed(latency, breaks, faults):
    assert parse(latency, breaks, SERVICES) == faults


@pytest.mark.parametrize("latency", ["far", "", "ms", "-1", "61", "nan", "inf", "1h"])
def test_a_latency_that_is_not_a_time_is_reported(latency):
    with pytest.raises(UsageError, match=r"--latency .*: not a valid time from 0 to 60 s"):
        parse(latency, (), SERVICES)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("novva", "--break novva: this sandbox has no service novva"),
        ("swift:sad", "--break swift:sad: there is no fault mode sad"),
        ("", "has no service"),
    ],
)
def test_an_unknown_service_or_mode_is_reported(text, message):
    with pytest.raises(UsageError, match=message) as caught:
        parse(None, (text,), SERVICES)
    assert caught.value.hint
