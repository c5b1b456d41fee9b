"""A challenge of a collector that may not be one: only what can be answered is written."""

import gzip
import threading
import time
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import tenacity
from support.bundles import make_key
from support.challenges import issued

from refstack_client import bounded_http
from refstack_client.cli.app import main
from refstack_client.upload import http


class Server(ThreadingHTTPServer):
    """Answers every request with ``answer``; counts what it receives."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.received: list[bytes] = []
        self.status, self.answer, self.headers = 201, b"", {}
        self.seconds_between_bytes = 0.0


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        length = int(self.headers["Content-Length"])
        self.server.received.append(self.rfile.read(length))
        self.send_response(self.server.status)
        for name, value in self.server.headers.items():
            self.send_header(name, value)
        self.end_headers()
        for start in range(0, len(self.server.answer), 1 << 16):
            try:
                self.wfile.write(self.server.answer[start : start + (1 << 16)])
                time.sleep(self.server.seconds_between_bytes)
            except OSError:
                return

    def log_message(self, *_):
        pass


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setattr(http, "WAIT", tenacity.wait_none())
    monkeypatch.setattr(http, "ATTEMPTS", 1)
    made = Server()
    threading.Thread(target=made.serve_forever, daemon=True).start()
    yield made
    made.shutdown()
    made.server_close()


@pytest.fixture
def keys(tmp_path: Path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("vendor", "other", "server"):
        make_key(tmp_path / name)
    return tmp_path


def request(server: Server, key: str = "vendor.pub") -> int:
    url = f"http://127.0.0.1:{server.server_port}"
    return main(["bundle", "challenge", "request", "--for", key, "--url", url])


def test_a_challenge_is_written_and_only_the_public_key_is_sent(server, keys):
    made = issued(keys / "server", keys / "vendor.pub", at=datetime.now(UTC))
    server.answer = made.file
    assert request(server) == 0
    assert Path("challenge.txt").read_bytes() == made.file
    (body,) = server.received
    assert b"PRIVATE" not in body
    assert Path("vendor.pub").read_bytes().rpartition(b" ")[0] in body


@pytest.mark.parametrize("key", ["vendor", "both", "absent.pub"])
def test_what_is_not_one_public_key_is_not_sent(server, keys, key, capsys):
    Path("both").write_text(Path("vendor.pub").read_text() + Path("other.pub").read_text())
    assert request(server, key) == 4
    assert server.received == []
    assert key in capsys.readouterr().err


@pytest.mark.parametrize(
    ("key", "hours", "message"),
    [
        ("other.pub", 0, "the new challenge is for the key SHA256:"),
        ("vendor.pub", -48, "expired at"),
        ("vendor.pub", 48, "in the future"),
        ("server.pub", 0, "the new challenge is for the key SHA256:"),
    ],
)
def test_a_challenge_that_cannot_be_answered(server, keys, key, hours, message, capsys):
    at = datetime.now(UTC) + timedelta(hours=hours)
    server.answer = issued(keys / "server", keys / key, at=at, days=1).file
    assert request(server) == 4
    assert message in capsys.readouterr().err
    assert not Path("challenge.txt").exists()


@pytest.mark.parametrize(
    ("response", "code", "message"),
    [
        ((201, {}, b"<html>"), 4, "did not send a challenge: its response is not a challenge"),
        ((201, {}, b"\xff" * 100), 4, "did not send a challenge"),
        ((404, {}, b"[" * 200_000), 4, "issues no challenge: 404 [["),
        ((404, {"Content-Type": "text/plain; charset=x\0y"}, b"no"), 4, "issues no challenge"),
        ((400, {}, b'{"title": "one\\nerror: two", "detail": "x"}'), 4, "400 one error: two: x"),
        ((307, {"Location": "http://127.0.0.1:1/"}, b""), 4, "issues no challenge: 307"),
        ((500, {}, b""), 5, "answered 500"),
    ],
)
def test_a_server_that_is_no_collector(server, keys, response, code, message, capsys):
    server.status, server.headers, server.answer = response
    assert request(server) == code
    said = capsys.readouterr().err
    assert message in said
    assert "\nerror: two" not in said


def test_a_bomb_and_a_drip_are_ended(server, keys, monkeypatch, capsys):
    server.headers = {"Content-Encoding": "gzip"}
    server.answer = gzip.compress(bytes(2 * bounded_http.MOST_BYTES), 9)
    assert request(server) == 5
    monkeypatch.setattr(http, "SECONDS_TO_ANSWER", 1)
    server.headers, server.answer = {}, bytes(40 << 16)
    server.seconds_between_bytes = 0.2
    began = time.monotonic()
    assert request(server) == 5
    assert time.monotonic() - began < 6
    assert "could not be reached" in capsys.readouterr().err
