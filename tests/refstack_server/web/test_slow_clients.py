"""Slow and many clients take neither the server's files nor its time from others."""

import contextlib
import inspect
import json
import re
import resource
import select
import socket
import time
from pathlib import Path
from urllib.parse import urlsplit

import fastapi
import psutil
import pytest
from support.bundles import make_key, packed
from support.serving import Server, add_user, person, serving

from refstack_server import app
from refstack_server.settings import Settings
from refstack_server.store import database

SHORT = {"seconds_for_head": 2, "seconds_of_grace": 2}
WRONG = "Authorization: Bearer x.y.z"
EXPECT = "Expect: 100-continue"
BODIES = ("body", "upload", "form")
SESSIONS = ("session", "caller", "context")
HALF_HEAD = b"GET /health HTTP/1.1\r\nHost: x\r\nX-A: "


def head(method: str, path: str, length: int, *lines: str) -> bytes:
    parts = (f"{method} {path} HTTP/1.1", "Host: x", f"Content-Length: {length}", *lines)
    return "\r\n".join((*parts, "", "")).encode()


def address(server: Server) -> tuple[str, int]:
    url = urlsplit(server.url)
    return str(url.hostname), int(url.port or 0)


def connect(server: Server, sent: bytes = b"", receive_buffer: int = 0) -> socket.socket:
    connection = socket.socket()
    if receive_buffer:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    connection.settimeout(20)
    connection.connect(address(server))
    connection.sendall(sent)
    return connection


def rest(connection: socket.socket) -> bytes:
    """Return what arrives until the server closes the connection."""
    content = b""
    with contextlib.suppress(ConnectionError):
        while chunk := connection.recv(65536):
            content += chunk
    return content


ON_DISK = b"x" * 100_000
"""A part of a body that is too large for the memory."""


def drip(connection: socket.socket, byte: bytes, seconds: float = 20) -> bytes:
    """Send a byte now and then; return what the server answers until it closes the connection."""
    content, until = b"", time.monotonic() + seconds
    with contextlib.suppress(ConnectionError):
        while time.monotonic() < until:
            connection.sendall(byte)
            if select.select([connection], [], [], 0.2)[0]:
                chunk = connection.recv(65536)
                if not chunk:
                    return content
                content += chunk
        raise AssertionError(f"the connection is still open after {seconds} s: {content!r}")
    return content


def partial(server: Server) -> list[Path]:
    return list((server.data / "uploads").glob(".coming-*"))


def assert_soon(is_true, seconds: float = 10):
    until = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < until
        time.sleep(0.05)


def sockets(server: Server) -> int:
    """Return the number of connections that the server has."""
    connections = psutil.Process(server.process.pid).net_connections("tcp")
    return sum(connection.status != psutil.CONN_LISTEN for connection in connections)


@pytest.fixture(scope="module")
def short(tmp_path_factory):
    """Run a server with short times, and one user."""
    data, alice = tmp_path_factory.mktemp("short") / "data", person("alice")
    add_user(data, alice)
    with serving(data, limits=SHORT) as server:
        yield server, alice


@pytest.mark.parametrize(
    ("sent", "answer"),
    [
        (HALF_HEAD, b"HTTP/1.1 408 "),
        (b"", b""),
        (head("GET", "/v1/guidelines", 0), b"HTTP/1.1 200 "),
        (head("POST", "/v1/results", 1000), b""),
        (head("POST", "/v2/bundles", 1000), b""),
        (head("POST", "/v1/nothing", 1000), b"HTTP/1.1 404 "),
    ],
)
def test_connections_that_are_held_open_do_not_stop_the_service(tmp_path, sent, answer):
    limits = {"files": 256, "seconds_for_head": 60}
    with serving(tmp_path / "data", limits=limits) as server, contextlib.ExitStack() as stack:
        slowest, held = 0.0, []
        for number in range(300):
            held.append(stack.enter_context(connect(server, sent)))
            if number % 5 == 0:
                began = time.monotonic()
                assert server.call("GET", "/health").status_code == 200
                slowest = max(slowest, time.monotonic() - began)
        assert slowest < 1
        # The oldest connections made room for new ones, if no request was in progress.
        if answer or not sent:
            assert all(rest(connection).startswith(answer) for connection in held[:100])
        assert sockets(server) < 200
    assert (tmp_path / "data.log").stat().st_size < 100_000


def test_a_process_without_files_logs_little_and_recovers(tmp_path):
    """The database and uploads may need so many files that connections find no more."""
    log = tmp_path / "data.log"
    with serving(tmp_path / "data") as server, contextlib.ExitStack() as stack:
        pid = server.process.pid
        before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        open_files = len(list(Path(f"/proc/{pid}/fd").iterdir()))
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (open_files + 5, before[1]))
        for _ in range(50):
            stack.enter_context(connect(server, HALF_HEAD))
        assert_soon(lambda: "too many open files" in log.read_text())
        time.sleep(3)
        stack.close()
        resource.prlimit(pid, resource.RLIMIT_NOFILE, before)
        assert_soon(lambda: server.call("GET", "/health").status_code == 200)
    assert log.read_text().count("too many open files") == 1
    assert log.stat().st_size < 100_000


def test_a_silent_connection_is_closed(short):
    server, _ = short
    began = time.monotonic()
    with connect(server) as connection:
        assert rest(connection) == b""
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("first", [b"", b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"])
def test_a_head_that_arrives_byte_by_byte_is_refused(short, first):
    server, _ = short
    began = time.monotonic()
    with connect(server, first + HALF_HEAD) as connection:
        answer = drip(connection, b"x")
    assert b"HTTP/1.1 408 " in answer
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("path", ["/v1/results", "/v2/bundles"])
@pytest.mark.parametrize("start", [b"", b"x" * 20_000])
def test_a_body_that_arrives_byte_by_byte_is_refused(short, path, start):
    server, _ = short
    began = time.monotonic()
    with connect(server, head("POST", path, 1_000_000) + start) as connection:
        answer = drip(connection, b"x")
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"did not arrive in time" in answer
    # 20000 bytes earn 2.5 s more. Then the head of the next request has its own time.
    assert time.monotonic() - began < 12
    assert partial(server) == []


def test_a_body_that_stalls_is_refused_and_removed(short):
    server, alice = short
    token = f"Authorization: {alice.token['Authorization']}"
    with connect(server, head("POST", "/v2/bundles", 1_000_000, token) + ON_DISK) as stalled:
        assert_soon(lambda: len(partial(server)) == 1)
        assert rest(stalled).startswith(b"HTTP/1.1 408 ")
    assert partial(server) == []


def test_a_body_of_a_steady_client_may_take_longer_than_the_grace(short):
    server, _ = short
    body = json.dumps({"cpid": "c", "duration_seconds": 1, "results": [{"name": "t"}]}).encode()
    body += b" " * 60_000

    def pieces():
        for start in range(0, len(body), 10_000):
            yield body[start : start + 10_000]
            time.sleep(0.6)

    assert server.call("POST", "/v1/results", data=pieces()).status_code == 201


@pytest.mark.parametrize("lines", [(), ("Connection: close",)])
def test_a_client_that_does_not_read_is_disconnected(short, lines):
    server, _ = short
    results = [{"name": f"{number}{'x' * 500}"} for number in range(5_000)]
    sent = {"cpid": "c", "duration_seconds": 1, "results": results}
    result_id = server.call("POST", "/v1/results", json=sent).json()["test_id"]
    assert_soon(lambda: sockets(server) == 0)
    before = sockets(server)
    asked = head("GET", f"/v1/results/{result_id}", 0, *lines)
    with connect(server, asked, receive_buffer=4096) as deaf:
        assert_soon(lambda: sockets(server) > before)
        assert_soon(lambda: sockets(server) == before, 15)
        content = rest(deaf)
    assert content.startswith(b"HTTP/1.1 200 ")
    assert len(content) < 12_000_000
    # A client that reads gets everything.
    assert len(server.call("GET", f"/v1/results/{result_id}").json()["results"]) == 5_000


def test_a_few_anonymous_uploads_arrive_at_a_time(tmp_path):
    data, alice = tmp_path / "data", person("alice")
    add_user(data, alice)
    bundle = packed(tmp_path, make_key(tmp_path / "key"))
    with serving(data) as server:
        slow = [connect(server, head("POST", "/v2/bundles", 1_000_000) + ON_DISK) for _ in range(8)]
        assert_soon(lambda: len(partial(server)) == 8)
        ninth = head("POST", "/v2/bundles", 1_000_000, "Connection: close") + ON_DISK
        with connect(server, ninth) as connection:
            answer = rest(connection)
        assert answer.startswith(b"HTTP/1.1 503 ")
        assert b"retry-after: 30\r\n" in answer
        assert b"send a token" in answer
        assert server.call("POST", "/v2/bundles", alice, data=bundle).status_code == 201
        server.upload(["t"])
        for connection in slow:
            connection.close()
        assert_soon(lambda: not partial(server))
        assert server.call("POST", "/v2/bundles", data=b"x").status_code == 400
    assert "raceback" not in (tmp_path / "data.log").read_text()


@pytest.mark.parametrize(
    ("path", "length", "lines", "status"),
    [
        ("/v1/results", 5 * 2**20, (), 413),
        ("/v1/results", 5 * 2**20, (EXPECT,), 413),
        ("/v2/bundles", 33 * 2**20, (EXPECT,), 413),
        ("/v2/bundles", 10**19, (EXPECT,), 413),
        ("/v2/bundles", 1000, (EXPECT, WRONG), 400),
        ("/v1/vendors", 1000, (WRONG,), 400),
        ("/v2/streams?guideline=2020.06&programme=storage", 1000, (EXPECT,), 401),
        ("/v2/bundles", 1000, (EXPECT,), 100),
    ],
)
def test_a_refusal_precedes_the_body(short, path, length, lines, status):
    server, _ = short
    with connect(server, head("POST", path, length, *lines)) as connection:
        began = time.monotonic()
        assert re.match(rb"HTTP/1.1 (\d+) ", connection.recv(65536)).group(1) == b"%d" % status
    assert time.monotonic() - began < 1


def test_the_rest_of_a_refused_body_is_not_awaited_for_ever(short):
    server, _ = short
    began = time.monotonic()
    with connect(server, head("POST", "/v1/results", 5 * 2**20)) as connection:
        assert b"HTTP/1.1 413 " in drip(connection, b"x")
    assert time.monotonic() - began < 5


def test_slow_bodies_of_one_user_are_few(tmp_path):
    data, alice = tmp_path / "data", person("alice")
    add_user(data, alice)
    token = f"Authorization: {alice.token['Authorization']}"
    asked = head("POST", "/v2/bundles", 1_000_000, token) + b"x"
    with serving(data, limits={"files": 256}) as server, contextlib.ExitStack() as stack:
        for _ in range(200):
            stack.enter_context(connect(server, asked))
        began = time.monotonic()
        assert server.call("GET", "/health").status_code == 200
        assert time.monotonic() - began < 1
        assert server.call("POST", "/v2/bundles", alice, data=b"x").status_code == 503


def test_a_stop_does_not_await_slow_clients(tmp_path):
    with serving(tmp_path / "data") as server, contextlib.ExitStack() as stack:
        for sent in (b"", HALF_HEAD, head("POST", "/v2/bundles", 1_000_000) + ON_DISK):
            stack.enter_context(connect(server, sent))
        assert_soon(lambda: len(partial(server)) == 1)
        began = time.monotonic()
        server.process.terminate()
        assert server.process.wait(20) == 0
        assert time.monotonic() - began < 12
        assert partial(server) == []


def test_no_route_opens_a_session_before_it_has_the_body(tmp_path):
    """Otherwise a slow body would take a session, or the only one that writes, from others."""
    settings = Settings(tmp_path, "http://x")
    application = app.create(settings, database.open_or_create(settings.database_url))
    found = 0
    for route in fastapi.routing.iter_route_contexts(application.routes):
        names = list(inspect.signature(route.endpoint).parameters)
        bodies = [names.index(name) for name in BODIES if name in names]
        sessions = [names.index(name) for name in SESSIONS if name in names]
        found += len(bodies)
        assert not bodies or bodies[0] < min(sessions, default=99), route.path
    assert found > 20
