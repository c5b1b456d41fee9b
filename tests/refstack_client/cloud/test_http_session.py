"""The bodies of responses are read within a size and a time, and connections are used again."""

import contextlib
import gzip
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests

from refstack_client import bounded_http
from refstack_client.cloud import http_session

LARGE = b"a" * 300_000


class Server(ThreadingHTTPServer):
    """Sends a body for each path; counts its connections."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.connections = 0

    def process_request(self, request, client_address) -> None:
        self.connections += 1
        super().process_request(request, client_address)


class Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.send_response(200)
        getattr(self, self.path.strip("/"))()

    do_HEAD = do_GET  # noqa: N815

    def _send(self, body: bytes, **fields: str) -> None:
        for name, value in fields.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _sized(self, body: bytes, **fields: str) -> None:
        self._send(body, Content_Length=str(len(body)), **fields)

    def plain(self) -> None:
        self._sized(LARGE)

    def empty(self) -> None:
        self._sized(b"")

    def packed(self) -> None:
        self._sized(gzip.compress(LARGE), Content_Encoding="gzip")

    def chunked(self) -> None:
        chunk = b"%x\r\n%s\r\n" % (len(LARGE), LARGE)
        self._send(chunk * 2 + b"0\r\n\r\n", Transfer_Encoding="chunked")

    def cut_off(self) -> None:
        self._send(LARGE, Content_Length="400000", Connection="close")

    def not_packed(self) -> None:
        self._sized(LARGE, Content_Encoding="gzip")

    def bomb(self) -> None:
        self._sized(gzip.compress(bytes(50_000_000)), Content_Encoding="gzip")

    def endless(self) -> None:
        self._send(b"", Connection="close")
        for _ in range(10_000):
            self.wfile.write(LARGE)

    def dripping(self) -> None:
        self._send(b"", Content_Length="10000")
        for _ in range(10_000):
            self.wfile.write(b"a")
            time.sleep(0.01)

    def log_message(self, *_: object) -> None:
        pass

    def handle(self) -> None:
        with contextlib.suppress(OSError):  # the client has had enough
            super().handle()


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as found:
        threading.Thread(target=found.serve_forever, args=(0.05,)).start()
        yield found
        found.shutdown()


def get(session: requests.Session, server: Server, path: str, **options: object):
    return session.get(f"http://127.0.0.1:{server.server_port}/{path}", timeout=5, **options)


def test_bodies_of_every_form_are_read_over_one_connection(server):
    with http_session.create(5) as session:
        assert get(session, server, "plain").content == LARGE
        assert get(session, server, "packed").content == LARGE
        assert get(session, server, "chunked").content == LARGE * 2
        assert get(session, server, "empty").content == b""
        url = f"http://127.0.0.1:{server.server_port}/plain"
        assert session.head(url, timeout=5).content == b""
        assert get(session, server, "plain").text == LARGE.decode()
        with get(session, server, "packed", stream=True) as streamed:
            assert b"".join(streamed.iter_content(1000)) == LARGE
    assert server.connections == 1


@pytest.mark.parametrize("path", ["cut_off", "not_packed"])
def test_a_body_that_cannot_be_read_is_an_error(server, path):
    with http_session.create(5) as session, pytest.raises(requests.RequestException):
        get(session, server, path)


@pytest.mark.parametrize("path", ["bomb", "endless"])
def test_a_body_without_end_is_not_kept(server, path, monkeypatch):
    monkeypatch.setattr(bounded_http, "MOST_BYTES", 1_000_000)
    with (
        http_session.create(5) as session,
        pytest.raises(requests.RequestException, match="more than 1000000 bytes"),
    ):
        get(session, server, path)


def test_a_body_that_arrives_too_slowly_is_given_up(server):
    with (
        http_session.create(0.1) as session,
        pytest.raises(requests.RequestException, match=r"takes more than 0\.6 s"),
    ):
        get(session, server, "dripping")
