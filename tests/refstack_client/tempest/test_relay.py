"""The relay between Tempest and proxies, with Tempest's own HTTP clients and real servers."""

import contextlib
import hashlib
import http.client
import resource
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from support.proxies import proxy
from tempest.lib.common.http import ClosingHttp, ClosingProxyHttp

from refstack_client.cloud.access import Access, Tls
from refstack_client.cloud.http_session import RETRIES
from refstack_client.sandbox import certificates
from refstack_client.tempest import relay
from refstack_client.tempest.relay_upstream import url_at

NAMES = {"cloud.invalid": "127.0.0.1", "objects.invalid": "127.0.0.1"}
PIECE = b"x" * (1 << 20)


@dataclass(frozen=True)
class Received:
    """A request as the server received it."""

    method: str
    path: str
    fields: list[tuple[str, str]] = field(repr=False)
    size: int
    digest: str

    def values(self, name: str) -> list[str]:
        return [value for key, value in self.fields if key.lower() == name]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: "Server"

    def _handle(self) -> None:
        if self.path == "/early":
            self.close_connection = True
            self._respond(413, b"too large")
            self.connection.shutdown(socket.SHUT_WR)
            while self.rfile.read1(1 << 16):
                pass
            return
        digest, size = hashlib.sha256(), 0
        for piece in self._body():
            digest.update(piece)
            size += len(piece)
        self.server.received.append(
            Received(self.command, self.path, list(self.headers.items()), size, digest.hexdigest())
        )
        if self.path.startswith("/megabytes/"):
            self._chunked(int(self.path.rpartition("/")[2]))
        elif self.path == "/none":
            self.send_response(204)
            self.end_headers()
        elif self.path == "/redirect":
            self._respond(302, b"", Location=f"http://{self.headers['Host']}/moved")
        elif self.path in self.server.to_wait_for:
            seconds = self.server.to_wait_for[self.path].pop(0)
            if not self.server.to_wait_for[self.path]:
                del self.server.to_wait_for[self.path]
            self._respond(429, b"later", **{"Retry-After": seconds})
        elif self.path == "/nothing":
            self.close_connection = True
        else:
            self._respond(200, b"fine")

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = _handle  # noqa: N815 - names of http.server

    def _body(self) -> Iterator[bytes]:
        rest = int(self.headers.get("Content-Length", 0))
        while rest:
            yield (piece := self.rfile.read(min(rest, 1 << 16)))
            rest -= len(piece)
        if self.headers.get("Transfer-Encoding"):
            while size := int(self.rfile.readline(), 16):
                yield self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()

    def _respond(self, status: int, body: bytes, **fields: str) -> None:
        self.send_response(status)
        for name, value in fields.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _chunked(self, megabytes: int) -> None:
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for _ in range(megabytes):
            self.wfile.write(b"%x\r\n%b\r\n" % (len(PIECE), PIECE))
        self.wfile.write(b"0\r\n\r\n")

    def log_message(self, *args: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.received: list[Received] = []
        self.to_wait_for: dict[str, list[str]] = {}
        self.scheme = "https" if tls else "http"
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_side=True)

    def url(self, host: str = "cloud.invalid") -> str:
        return f"{self.scheme}://{host}:{self.server_port}"

    def handle_error(self, *args: object) -> None:
        pass


@contextlib.contextmanager
def serving(tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    with Server(tls) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture(autouse=True)
def _environ(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def use(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("http_proxy", url)
    monkeypatch.setenv("https_proxy", url)


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as found:
        yield found


@pytest.fixture
def the_proxy(monkeypatch: pytest.MonkeyPatch):
    with proxy(NAMES, "me:p@ss:%41") as found:
        use(monkeypatch, found.url)
        yield found


@pytest.fixture
def relay_url(server, the_proxy) -> Iterator[str]:
    with relay.listening([server.url(), "http://127.0.0.1/"], Access()) as url:
        yield url


@pytest.fixture
def authorities(tmp_path: Path) -> Path:
    certificates.create(tmp_path, ["cloud.invalid", "127.0.0.1"])
    return tmp_path / certificates.AUTHORITY


def server_tls(authorities: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authorities.with_name(certificates.SERVER))
    return context


def raw(relay_url: str, request: bytes) -> bytes:
    """Send bytes and return everything that comes back."""
    host, _, port = relay_url.partition("://")[2].partition(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall(request)
        return b"".join(iter(lambda: connection.recv(1 << 16), b""))


def test_a_token_request_without_a_proxy_reaches_the_identity_service(server, the_proxy, relay_url):
    url = url_at(relay_url, f"{server.url()}/v3") + "/auth/tokens?nocatalog"
    response, body = ClosingHttp().request(url, "POST", body="{}", headers={"X-A": "1"})
    assert (response.status, body) == (200, b"fine")
    (received,) = server.received
    assert (received.method, received.path, received.size) == (
        "POST",
        "/v3/auth/tokens?nocatalog",
        2,
    )
    assert received.values("host") == [server.url().partition("://")[2]]
    assert received.values("x-a") == ["1"]
    assert the_proxy.forwarded == [f"POST {server.url().partition('://')[2]}"]
    assert the_proxy.refused == []


@pytest.mark.parametrize("path", ["/v1/AUTH_x/a%20b?format=json", "/", "/a//b/../c"])
def test_requests_to_services_and_to_the_identity_service_go_by_the_same_proxy(
    server, the_proxy, relay_url, path
):
    for url in (f"{server.url()}{path}", url_at(relay_url, server.url()) + path):
        response, body = ClosingProxyHttp(relay_url).request(url, "GET")
        assert (response.status, body) == (200, b"fine")
    first, second = server.received
    assert first == second
    assert len(the_proxy.forwarded) == 2


def test_user_and_password_of_the_proxy_are_for_the_proxy_alone(server, relay_url):
    headers = {"Proxy-Authorization": "Basic bm8=", "Connection": "X-One, close", "X-One": "1"}
    connection = http.client.HTTPConnection(relay_url.partition("://")[2])
    connection.request("GET", server.url() + "/", headers={**headers, "TE": "trailers"})
    assert connection.getresponse().read() == b"fine"
    (received,) = server.received
    names = {name.lower() for name, _ in received.fields}
    assert names == {"host", "accept-encoding", "connection"}


@pytest.mark.parametrize("method", ["HEAD", "DELETE"])
def test_responses_without_a_body_end(server, relay_url, method):
    for path in ("/", "/none"):
        response, body = ClosingProxyHttp(relay_url).request(server.url() + path, method)
        expected = b"fine" if (path, method) == ("/", "DELETE") else b""
        assert (response.status, body) == (204 if path == "/none" else 200, expected)


def test_a_redirect_is_followed_through_the_relay(server, relay_url):
    response, _ = ClosingProxyHttp(relay_url).request(f"{server.url()}/redirect", "GET")
    assert response.status == 200
    assert [received.path for received in server.received] == ["/redirect", "/moved"]


@pytest.mark.parametrize("framing", [{}, {"Content-Length": "7"}], ids=["alone", "with a length"])
def test_a_body_in_chunks_stays_one_and_loses_a_length_that_contradicts(server, relay_url, framing):
    fields = "".join(f"{name}: {value}\r\n" for name, value in framing.items())
    head = f"PUT {server.url()}/x HTTP/1.1\r\nHost: a\r\n{fields}Transfer-Encoding: chunked\r\n\r\n"
    answer = raw(relay_url, head.encode() + b"3\r\nabc\r\n2\r\nde\r\n0\r\nTrailer: 1\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200")
    (received,) = server.received
    assert received.digest == hashlib.sha256(b"abcde").hexdigest()
    assert received.values("content-length") == []


def test_a_server_that_is_asked_whether_to_continue_answers_itself(server, relay_url):
    head = f"PUT {server.url()}/x HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n"
    answer = raw(relay_url, f"{head}Expect: 100-continue\r\n\r\nok".encode())
    assert answer.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n")


def test_a_response_that_comes_before_the_end_of_an_upload_arrives(server, relay_url, monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    url = server.url("127.0.0.1") + "/early"
    response, _ = ClosingProxyHttp(relay_url).request(url, "PUT", body=b"x" * (20 << 20))
    assert response.status == 413


def test_only_the_first_request_of_a_connection_is_forwarded(server, relay_url):
    one = f"GET {server.url()}/%s HTTP/1.1\r\nHost: a\r\n\r\n"
    answer = raw(relay_url, (one % "first" + one % "second").encode())
    assert answer.count(b"HTTP/1.1 200") == 1
    assert [received.path for received in server.received] == ["/first"]


def test_large_bodies_pass_in_both_directions_and_are_not_held(server, relay_url):
    size = 256
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    connection = http.client.HTTPConnection(relay_url.partition("://")[2], timeout=120)
    fields = {"Content-Length": str(size * len(PIECE))}
    connection.request(
        "PUT", f"{server.url()}/x", body=(PIECE for _ in range(size)), headers=fields
    )
    assert connection.getresponse().read() == b"fine"
    connection.close()
    connection.request("GET", f"{server.url()}/megabytes/{size}")
    response, received = connection.getresponse(), 0
    while piece := response.read(1 << 20):
        received += len(piece)
    assert [request.size for request in server.received] == [size * len(PIECE), 0]
    assert received == size * len(PIECE)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert after - before < 64 << 10  # kilobytes


@pytest.mark.parametrize(
    ("request_line", "status"),
    [
        ("GET http://elsewhere.invalid/ HTTP/1.1", 403),
        ("CONNECT elsewhere.invalid:443 HTTP/1.1", 403),
        ("GET /http://elsewhere.invalid/ HTTP/1.1", 403),
        ("GET http://cloud.invalid@elsewhere.invalid/ HTTP/1.1", 400),
        ("GET http://cloud.invalid%40elsewhere.invalid/ HTTP/1.1", 400),
        ("GET http://cloud.invalid%2F@elsewhere.invalid/ HTTP/1.1", 400),
        ("GET http://cloud.invalid:x/ HTTP/1.1", 400),
        ("GET ftp://cloud.invalid/ HTTP/1.1", 400),
        ("GET / HTTP/1.1", 400),
        ("GET * HTTP/1.1", 400),
        ("CONNECT cloud.invalid:0 HTTP/1.1", 400),
        ("CONNECT cloud.invalid:1/x HTTP/1.1", 400),
        ("nonsense", 400),
        ("GET /" + "x" * (1 << 17) + " HTTP/1.1", 431),
    ],
)
def test_what_is_not_for_a_host_of_the_services_is_refused(
    server, the_proxy, relay_url, request_line, status
):
    answer = raw(relay_url, f"{request_line}\r\nHost: cloud.invalid\r\n\r\n".encode())
    assert answer.startswith(f"HTTP/1.1 {status} ".encode())
    assert (the_proxy.forwarded, the_proxy.refused, server.received) == ([], [], [])


def test_hosts_in_no_proxy_are_reached_directly_beside_others(
    server, the_proxy, relay_url, monkeypatch
):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    for host in ("127.0.0.1", "cloud.invalid"):
        response, _ = ClosingProxyHttp(relay_url).request(f"{server.url(host)}/{host}", "GET")
        assert response.status == 200
    assert [received.path for received in server.received] == ["/127.0.0.1", "/cloud.invalid"]
    assert the_proxy.forwarded == [f"GET cloud.invalid:{server.server_port}"]


def test_a_wrong_password_a_proxy_that_is_down_and_an_unknown_host_are_reported(
    server, monkeypatch
):
    with relay.listening([server.url(), "http://gone.invalid"], Access()) as url:
        with proxy(NAMES, "me:secret") as found:
            use(monkeypatch, found.url.replace("secret", "wrong"))
            assert b" 407 " in raw(url, f"GET {server.url()}/ HTTP/1.1\r\nHost: a\r\n\r\n".encode())
            answer = raw(url, b"CONNECT cloud.invalid:443 HTTP/1.1\r\nHost: a\r\n\r\n")
            shown = found.url.replace("me:secret@", "")
        assert answer.startswith(
            b"HTTP/1.1 502 cloud.invalid:443 cannot be reached: the proxy %b answered 407 Proxy"
            % shown.encode()
        )
        answer = raw(url, f"GET {server.url()}/ HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        assert answer.startswith(b"HTTP/1.1 502 ")
        assert b"Connect call failed" in answer
        use(monkeypatch, "")
        answer = raw(url, b"GET http://gone.invalid/ HTTP/1.1\r\nHost: a\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 502 gone.invalid cannot be reached: ")
        assert b"wrong" not in answer


@pytest.mark.parametrize("proxy_scheme", ["", "http", "https"])
def test_a_cloud_with_tls_is_reached_by_a_tunnel_and_its_certificate_is_verified(
    proxy_scheme, authorities, monkeypatch
):
    tls = server_tls(authorities)
    host = "cloud.invalid" if proxy_scheme else "127.0.0.1"
    access = Access(tls=Tls(cacert=str(authorities)))
    with (
        serving(tls) as server,
        proxy(NAMES, "me:secret", tls if proxy_scheme == "https" else None) as found,
    ):
        if proxy_scheme:
            use(monkeypatch, found.url)
        url = server.url(host)
        with relay.listening([url], access) as relay_url:
            identity = url_at(relay_url, url) + "/megabytes/8"
            response, body = ClosingHttp().request(identity, "POST", body=b"{}")
            assert (response.status, len(body)) == (200, 8 << 20)
            client = ClosingProxyHttp(relay_url, ca_certs=str(authorities))
            response, body = client.request(f"{url}/megabytes/8", "PUT", body=PIECE)
            assert (response.status, len(body)) == (200, 8 << 20)
        assert [received.size for received in server.received] == [2, len(PIECE)]
        expected = [f"CONNECT {host}:{server.server_port}"] * 2 if proxy_scheme else []
        assert found.forwarded == expected
        with relay.listening([url], Access()) as relay_url:
            response, body = ClosingHttp().request(url_at(relay_url, url), "GET")
        # An https proxy has a certificate of the same authority.
        assert (response.status, b"CERTIFICATE_VERIFY_FAILED" in body) == (502, True)
        with relay.listening([url], Access(tls=Tls(verify=False))) as relay_url:
            response, body = ClosingHttp().request(url_at(relay_url, url), "GET")
        assert (response.status, body) == (200, b"fine")


def test_a_server_that_closes_without_a_response_is_found_like_that(server, relay_url):
    assert raw(relay_url, f"GET {server.url()}/nothing HTTP/1.1\r\nHost: a\r\n\r\n".encode()) == b""


def test_an_ipv6_address_in_the_url_of_the_identity_service(server, the_proxy, monkeypatch):
    the_proxy.ip_by_host = {"::1": "127.0.0.1"}
    with relay.listening([f"http://[::1]:{server.server_port}/v3"], Access()) as relay_url:
        url = url_at(relay_url, f"http://[::1]:{server.server_port}/v3")
        response, _ = ClosingHttp().request(f"{url}/auth/tokens", "POST", body=b"")
    assert response.status == 200
    assert server.received[0].values("host") == [f"[::1]:{server.server_port}"]


def test_the_end_of_the_relay_ends_its_connections_and_its_thread(the_proxy):
    before = threading.active_count()
    silent = socket.create_server(("127.0.0.1", 0))
    with relay.listening(["http://cloud.invalid"], Access()) as url:
        port = silent.getsockname()[1]
        idle = socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])), timeout=30)
        waiting = socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])), timeout=30)
        waiting.sendall(f"GET http://cloud.invalid:{port}/ HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        silent.accept()
        started = time.monotonic()
    assert time.monotonic() - started < 20
    assert waiting.recv(1) == b""
    assert idle.recv(1) == b""
    assert threading.active_count() == before
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])))
    for connection in (waiting, idle, silent):
        connection.close()


def test_connections_over_which_nothing_is_sent_are_closed(server, relay_url, monkeypatch):
    monkeypatch.setattr(relay, "SECONDS_IDLE", 0.3)
    assert raw(relay_url, b"GET http://cloud") == b""
    head = f"PUT {server.url()}/x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab"
    assert raw(relay_url, head.encode()) == b""
    assert (
        raw(relay_url, f"CONNECT {server.url()[7:]} HTTP/1.1\r\nHost: a\r\n\r\n".encode()).count(
            b"\r\n"
        )
        == 2
    )


@pytest.mark.parametrize("body", [b"", b"a" * 1000])
def test_a_request_is_repeated_after_the_time_that_the_server_asks_for(server, relay_url, body):
    server.to_wait_for["/v3/auth/tokens"] = ["0", "1"]
    started = time.monotonic()
    response, content = ClosingHttp().request(
        url_at(relay_url, f"{server.url()}/v3/auth/tokens"), "POST", body=body
    )
    assert (response.status, content) == (200, b"fine")
    assert time.monotonic() - started >= 1
    assert [request.size for request in server.received] == [len(body)] * 3


@pytest.mark.parametrize("value", ["soon", "", "1e9", "Fri, 31 Dec 99999 23:59:59 GMT"])
def test_a_time_to_wait_that_is_not_valid_is_a_second(server, relay_url, value):
    server.to_wait_for["/v3"] = [value]
    response, content = ClosingHttp().request(url_at(relay_url, f"{server.url()}/v3"), "POST")
    assert (response.status, content) == (200, b"fine")
    assert len(server.received) == 2


def test_a_server_that_asks_for_too_long_is_not_waited_for(server, relay_url):
    server.to_wait_for["/v3"] = ["49"]
    response, content = ClosingHttp().request(url_at(relay_url, f"{server.url()}/v3"), "POST")
    assert (response.status, content) == (429, b"later")
    assert len(server.received) == 1


def test_a_server_that_never_answers_otherwise_is_asked_a_bounded_number_of_times(
    server, relay_url
):
    server.to_wait_for["/v3"] = ["0"] * 100
    response, content = ClosingHttp().request(url_at(relay_url, f"{server.url()}/v3"), "POST")
    assert (response.status, content) == (429, b"later")
    assert len(server.received) == 1 + RETRIES


def test_an_upload_is_sent_once(server, relay_url):
    server.to_wait_for["/v1"] = ["0"]
    url = url_at(relay_url, f"{server.url()}/v1")
    response, _ = ClosingHttp().request(url, "POST", body=PIECE)
    assert (response.status, len(server.received)) == (429, 1)
