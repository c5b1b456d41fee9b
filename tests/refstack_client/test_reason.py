"""One line of reason from what a test left behind."""

import pytest

from refstack_client import reason

TEST = "tempest.api.object_storage.test_object.ObjectTest.test_it"
FRAMES = """Traceback (most recent call last):
  File "/x/tempest/api/object_storage/base.py", line 1, in test_it
    self.call()
"""
REFUSED = (
    "urllib3.exceptions.MaxRetryError: HTTPConnectionPool(host='10.0.0.1', port=8080): Max retries "
    "exceeded with url: {url} (Caused by NewConnectionError('…: [Errno 111] Connection refused'))"
)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (
            "tempest.lib.exceptions.NotFound: Object not found\nDetails: gone",
            "Object not found Det",
        ),
        ("testtools.matchers._impl.MismatchError: 1 != 2", "MismatchError: 1 != 2"),
        ("AssertionError", "AssertionError"),
        ("", "failed without a traceback"),
    ],
)
def test_the_exception_becomes_a_sentence(error, expected):
    traceback = FRAMES + error if error else ""
    assert reason.of_failure(TEST, traceback, "").startswith(expected)


@pytest.mark.parametrize(
    ("url", "service"),
    [
        ("/v1/AUTH_abc/container", "Swift (object-store)"),
        ("/v3/auth/tokens", "Keystone (identity)"),
        ("/unknown", "Swift (object-store)"),
    ],
)
def test_a_refused_connection_names_the_service_and_where(url, service):
    text = reason.of_failure(TEST, FRAMES + REFUSED.format(url=url), "")
    assert text == f"{service} at 10.0.0.1:8080 refused the connection"


def test_a_broken_connection_is_laid_to_the_client_that_made_the_call():
    frame = '  File "/x/tempest/lib/services/identity/v3/token_client.py", line 1, in auth\n    y\n'
    error = "urllib3.exceptions.ProtocolError: ('Connection aborted.', RemoteDisconnected('…'))"
    text = reason.of_failure(TEST, FRAMES + frame + error, "")
    assert text == "Keystone (identity) broke off the connection"


def test_a_server_error_in_the_log_names_the_service_that_gave_it():
    log = "Request (ObjectTest:test_it): 503 PUT http://10.0.0.1:8080/v1/AUTH_x/c 0.1s"
    error = "tempest.lib.exceptions.UnexpectedResponseCode: Unexpected response code received"
    assert reason.of_failure(TEST, FRAMES + error, log) == (
        "Swift (object-store) answered 503 to PUT: Unexpected response code received"
    )


def test_a_reason_is_one_line_of_bearable_length():
    text = reason.of_failure(TEST, FRAMES + "ValueError: " + "long\nstory " * 100, "")
    assert "\n" not in text
    assert len(text) <= 240


def test_a_skip_that_tells_a_user_nothing_is_explained():
    assert "makes the tenants itself" in reason.of_skip("Skipped because of bug#2147232.")
    assert reason.of_skip("Swift is not available") == "Swift is not available"
    assert reason.of_skip("") == "skipped without a reason"
