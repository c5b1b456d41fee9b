"""How a cloud is reached: waiting where it asks for it, and reasons for a failed connection."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import keystoneauth1.exceptions
import pytest
from keystoneauth1.identity import v3

from refstack_client.cloud import http_session
from refstack_client.cloud.access import Access
from refstack_client.cloud.failures import connect_error


class Limited(ThreadingHTTPServer):
    """A server that responds with each status of a list, then with 200."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.statuses: list[int] = []
        self.retry_after = "0"
        self.requests = 0


class Handler(BaseHTTPRequestHandler):
    server: Limited

    def answer(self) -> None:
        self.server.requests += 1
        status = self.server.statuses.pop(0) if self.server.statuses else 200
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(status)
        if status in (429, 503) and self.server.retry_after:
            self.send_header("Retry-After", self.server.retry_after)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_POST = answer  # noqa: N815

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Limited]:
    with Limited() as found:
        threading.Thread(target=found.serve_forever).start()
        yield found
        found.shutdown()


def send(server: Limited, method: str, way: Access) -> int:
    session = way.session(v3.Password(auth_url="http://unused.example", username="u", password="p"))
    url = f"http://127.0.0.1:{server.server_port}/"
    return session.request(
        url, method, authenticated=False, raise_exc=False, json={}, log=False
    ).status_code


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("status", [429, 503])
def test_a_server_that_asks_to_wait_is_asked_again(server, method, status):
    server.statuses = [status, status]
    way = Access()
    assert send(server, method, way) == 200
    assert server.requests == 3
    assert way.throttling.seen == (status == 429)


def test_waiting_ends_and_the_last_status_is_the_result(server):
    server.statuses = [429] * 100
    assert send(server, "GET", Access()) == 429
    assert server.requests == http_session.RETRIES + 1


@pytest.mark.parametrize(
    "after", ["1e9", "-1", "soon", "9" * 400, "9" * 5000, "Fri, 31 Dec 99999 23:59:59 GMT", "é"]
)
def test_an_absurd_time_to_wait_is_bounded(server, after, monkeypatch):
    monkeypatch.setattr(http_session, "MOST_SECONDS_TO_RETRY", 0.01)
    monkeypatch.setattr(http_session, "SECONDS_IF_INVALID", 0.01)
    server.statuses, server.retry_after = [429] * 3, after
    assert send(server, "GET", Access()) == 200


def test_without_retry_after_a_request_is_sent_once(server):
    server.statuses, server.retry_after = [503], ""
    assert send(server, "GET", Access()) == 503
    assert server.requests == 1


@pytest.mark.parametrize(
    ("reason", "message", "hint"),
    [
        (
            "[SSL: WRONG_VERSION_NUMBER] wrong version number (_ssl.c:1006)",
            "https://k does not use TLS: it answers in plain HTTP",
            "use http:// in auth_url",
        ),
        (
            "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: Hostname mismatch, "
            "certificate is not valid for 'k'. (_ssl.c:1006)",
            "the TLS certificate of https://k is for another host: Hostname mismatch, certificate "
            "is not valid for 'k'",
            "use a host name of the certificate",
        ),
        (
            "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: certificate has expired "
            "(_ssl.c:1006)",
            "the TLS certificate of https://k has expired",
            "check the clock",
        ),
        (
            "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: unable to get local "
            "issuer certificate (_ssl.c:1006)",
            "cannot verify the TLS certificate of https://k: unable to get local issuer "
            "certificate",
            "set cacert",
        ),
        ("something new", "cannot verify the TLS certificate of https://k: ", "set cacert"),
    ],
)
def test_the_reason_for_a_failed_tls_connection_is_reported(reason, message, hint):
    error = keystoneauth1.exceptions.SSLError(f"SSL exception connecting to https://k: {reason}")
    found = connect_error(error, "mine", "https://k")
    assert str(found).startswith(message)
    assert hint in found.hint
