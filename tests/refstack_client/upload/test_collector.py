"""Requests to a collector that pages its lists, refuses, is busy, or is not a collector."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

import pytest
import tenacity

from refstack_client.errors import CloudError, InputError
from refstack_client.upload import http
from refstack_client.upload.collector import Collector
from refstack_client.upload.collector_requests import RefusedError

TOKEN = "Bearer c4nary"


class Handler(BaseHTTPRequestHandler):
    """Sends the answers of the server in turn: status, headers, document."""

    def answer(self):
        length = int(self.headers.get("Content-Length", 0))
        self.server.seen.append((self.command, self.path, self.rfile.read(length)))
        self.server.tokens.append(self.headers["Authorization"])
        status, headers, document = self.server.answers.pop(0)
        content = document if isinstance(document, bytes) else json.dumps(document).encode()
        self.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PUT = do_DELETE = answer  # noqa: N815

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.seen, self.tokens, self.answers = [], [], []
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.notes: list[str] = []
        self.made = 0

    def authorize(self) -> dict[str, str]:
        self.made += 1
        return {"Authorization": f"{TOKEN}-{self.made}"}

    def collector(self) -> Collector:
        server = http.Server(self.url, authorize=self.authorize)
        return Collector(server, self.notes.append)


@pytest.fixture
def server(monkeypatch) -> Iterator[Server]:
    monkeypatch.setattr(http, "WAIT", tenacity.wait_none())
    made = Server()
    threading.Thread(target=made.serve_forever, daemon=True).start()
    yield made
    made.shutdown()
    made.server_close()


def parameters(path: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(path).query))


def test_a_list_is_read_page_by_page_from_this_server_alone(server):
    following = "https://other.example.org/v2/stolen?mine=true&after=a%26b"
    server.answers = [
        (200, {}, {"results": [{"id": "1"}], "next": following}),
        (200, {}, {"results": [{"id": "2"}, "x"], "next": None}),
    ]
    assert [row["id"] for row in server.collector().results({"mine": "true"})] == ["1", "2"]
    first, second = (path for _, path, _ in server.seen)
    assert parameters(first) == {"mine": "true"}
    assert second.startswith("/v2/results?")
    assert parameters(second) == {"mine": "true", "after": "a&b"}


@pytest.mark.parametrize("status", [404, 405])
def test_an_older_server_is_asked_as_refstack_v1(server, status):
    row = {"id": "1", "url": "u", "meta": {"guideline": "2020.06"}, "verification_status": 1}
    server.answers = [
        (status, {}, {"title": "Not Found"}),
        (200, {}, {"results": [row], "pagination": {"total_pages": 1}}),
    ]
    filters = {
        "mine": "true",
        "uploaded_since": "2026-01-31",
        "uploaded_until": "2026-02-01",
        "most": "5",
    }
    (found,) = server.collector().results(filters)
    assert (found["guideline"], found["standing"]) == ("2020.06", "verified")
    assert parameters(server.seen[1][1]) == {
        "signed": "true",
        "start_date": "2026-01-31 00:00:00",
        "end_date": "2026-02-01 23:59:59",
        "page": "1",
    }


def test_an_older_server_cannot_select_by_what_it_does_not_have(server):
    server.answers = [(404, {}, {"title": "Not Found"})]
    with pytest.raises(InputError, match="cannot select results by vendor, verdict"):
        list(server.collector().results({"vendor": "x", "verdict": "conformant"}))


@pytest.mark.parametrize("method", ["vendors", "key_challenge", "revoke"])
@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_server_is_asked_again_with_a_new_token(server, monkeypatch, method, status):
    waits = []
    monkeypatch.setattr("tenacity.nap.time.sleep", waits.append)
    busy = (status, {"Retry-After": "7"}, {"title": "too many requests in a minute"})
    long = (status, {"Retry-After": "999999"}, b"")
    odd = (status, {"Retry-After": "Fri, 31 Dec 1999 23:59:59 GMT"}, b"")
    server.answers = [busy, long, odd, (200, {}, {"vendors": [], "challenge": "x"})]
    getattr(server.collector(), method)(*(["1", "why"] if method == "revoke" else []))
    assert waits == [7, http.LONGEST_WAIT, 0]
    assert server.tokens == [f"{TOKEN}-{number}" for number in (1, 2, 3, 4)]
    assert "too many requests in a minute; trying again in 7 s" in server.notes[0]
    assert not any("c4nary" in note for note in server.notes)


def test_a_limit_that_lasts_is_an_error(server):
    server.answers = [(429, {}, {"title": "too many requests"})] * http.ATTEMPTS
    with pytest.raises(CloudError, match="429 too many requests, 4 times"):
        server.collector().vendors()


def test_what_adds_something_is_not_sent_twice(server):
    server.answers = [(502, {}, b"")]
    with pytest.raises(CloudError, match="answered 502") as raised:
        server.collector().create_vendor("Aurora", None)
    assert "may have been done" in raised.value.hint
    assert len(server.seen) == 1
    server.answers = [(502, {}, b""), (200, {}, {"shared_with": "certifier"})]
    server.collector().share("1", "certifier")
    assert len(server.seen) == 3


@pytest.mark.parametrize(
    ("status", "document", "message", "hint"),
    [
        (400, {"title": "a", "detail": "/b"}, "refused GET /v2/results/1: 400 a: /b", "correct"),
        (400, {"title": "Token is not valid"}, "400 Token is not valid", "server login"),
        (401, {"title": "Unauthorized", "detail": "sign in"}, "401 Unauthorized: sign", "login"),
        (403, {"title": "Forbidden", "detail": "no"}, "403 Forbidden: no", "may do this"),
        (404, {"title": "Result 1 not found"}, "404 Result 1 not found", "check the id"),
        (409, {"title": "exists"}, "409 exists", "list what there is"),
        (418, b"<html>\x1b[31m", "418 <html>", "URL of the login"),
        (302, b"", "refused GET /v2/results/1: 302", "URL of the login"),
    ],
)
def test_a_refusal_has_request_reason_and_remedy(server, status, document, message, hint):
    headers = {"Location": "http://127.0.0.1:1/"} if status == 302 else {}
    server.answers = [(status, headers, document)]
    with pytest.raises(RefusedError) as raised:
        server.collector().result("1")
    assert message in str(raised.value)
    assert hint in raised.value.hint
    assert "c4nary" not in str(raised.value) + raised.value.hint
    assert len(server.seen) == 1


@pytest.mark.parametrize("document", [b"<html>", b"[" * 100_000, b"\xff", [], None, "x", 5])
def test_a_response_of_another_form_is_an_error_or_empty(server, document):
    for call in ("vendors", "profile", "keys", "invitations"):
        server.answers = [(200, {}, document)]
        if isinstance(document, bytes):
            with pytest.raises(CloudError, match="unexpected response"):
                getattr(server.collector(), call)()
        else:
            assert not getattr(server.collector(), call)()
    server.answers = [(201, {}, document)]
    with pytest.raises(CloudError, match="unexpected response"):
        server.collector().create_vendor("x", None)


@pytest.mark.parametrize("text", ["../..", "a/b", "a?b#c", "%2e", "a b", "ü"])
def test_an_id_stays_within_its_part_of_the_path(server, text):
    server.answers = [(200, {}, {})]
    server.collector().users(text)
    (_, path, _) = server.seen[0]
    assert path.startswith("/v1/vendors/")
    assert path.endswith("/users")
    assert path.count("/") == 4
