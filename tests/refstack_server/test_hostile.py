"""Hostile requests are refused, or their text is shown as plain text."""

import csv
import http.server
import io
import threading
import time
import zipfile

import pytest
import requests
from support.browsing import EVIL, get
from support.serving import add_user, person, serving

from refstack_client.upload import rsa_key


@pytest.fixture
def canary():
    """Run a server that must not be contacted; yield its URL and the paths of its requests."""
    asked: list[str] = []

    class Canary(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(204)
            self.end_headers()

        do_POST = do_PUT = do_HEAD = do_GET  # noqa: N815 - named so by the library

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Canary) as listening:
        threading.Thread(target=listening.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{listening.server_port}", asked
        listening.shutdown()


def test_the_server_requests_no_url_that_a_client_sends(server, people, canary):
    url, asked = canary
    alice, root = people["alice"], people["root"]
    result_id = server.upload([f"a.b.{url}/test"], alice, cpid=f"{url}/cpid")
    for key in ("guideline", "target", "shared"):
        server.call("POST", f"/v1/results/{result_id}/meta/{key}", alice, data=f"{url}/{key}.json")
    sent = {"name": f"{url}/vendor", "description": f"{url}/description"}
    vendor = server.call("POST", "/v1/vendors", alice, json=sent).json()["id"]
    for who, step in ((alice, "register"), (root, "approve")):
        server.call("POST", f"/v1/vendors/{vendor}/action", who, json={step: f"{url}/step"})
    sent = {"name": f"{url}/product", "product_type": 1, "organization_id": vendor}
    product = server.call("POST", "/v1/products", alice, json=sent).json()["id"]
    more = {"public": True, "properties": {"url": url, "logo": f"{url}/logo.png"}}
    assert server.call("PUT", f"/v1/products/{product}", alice, json=more).status_code == 200
    headers = {"X-Forwarded-Host": url[7:], "X-Forwarded-Proto": "http", "Referer": url}
    for path in (
        f"/results/{result_id}",
        f"/results/{result_id}?guideline={url}/g.json&programme={url}",
        f"/compared?before={result_id}&after={url}/x",
        f"/vendors/{vendor}",
        f"/products/{product}",
        f"/v2/statistics?guideline={url}&programme=storage",
        f"/v1/guidelines/{url}",
        "/signin",
    ):
        assert server.call("GET", path, headers=headers).status_code < 500
    by = {"guideline": f"{url}/g.json", "programme": "storage"}
    assert server.call("POST", "/v2/streams", alice, data=b"x", params=by).status_code == 404
    assert asked == []
    requests.get(f"{url}/itself", timeout=5)
    assert asked == ["/itself"]


def test_invalid_page_numbers_are_refused(server):
    for page in ("0", "-1", "x", "1e9", "9" * 40):
        assert server.call("GET", "/v1/results", params={"page": page}).status_code == 400
    for path, wrong in (("/results", {"page": 10**7}), ("/v2/log", {"most": 10**6})):
        assert server.call("GET", path, params=wrong).status_code == 400


def test_a_slow_upload_is_written_to_disk_and_removed_when_it_breaks_off(server, people):
    uploads, seen = server.data / "uploads", threading.Event()

    def pieces():
        yield b"x" * 2_000_000
        seen.wait(60)
        raise ConnectionError

    def send():
        with pytest.raises(requests.ConnectionError):
            server.call("POST", "/v2/bundles", people["alice"], data=pieces())

    def received():
        return [(path.stat().st_size, path.stat().st_mode & 0o077) for path in partial()]

    def partial():
        return list(uploads.glob(".coming-*"))

    sending = threading.Thread(target=send)
    sending.start()
    try:
        assert_soon(lambda: received() == [(2_000_000, 0)])
        assert server.call("GET", "/health").status_code == 200
    finally:
        seen.set()
        sending.join()
    assert_soon(lambda: not partial())


def assert_soon(is_true):
    until = time.monotonic() + 20
    while not is_true():
        assert time.monotonic() < until
        time.sleep(0.05)


def test_bodies_above_the_limit_are_refused_while_they_arrive(server):
    def chunks():
        for _ in range(20):
            yield b" " * 1024 * 1024

    answer = server.call("POST", "/v1/results", data=chunks())
    assert answer.status_code == 413
    assert "is limited to" in answer.json()["title"]


def test_a_compressed_archive_is_never_expanded(server, alice):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("manifest.json", b"\0" * 50_000_000)
    answer = server.call("POST", "/v2/bundles", alice, data=out.getvalue())
    assert answer.status_code == 400
    assert "compressed" in answer.json()["detail"]


def test_names_in_an_archive_are_never_paths(server, alice, tmp_path):
    for name in ("../../escaped", "/etc/escaped", "a\\..\\b"):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as made:
            made.writestr(name, b"x")
        answer = server.call("POST", "/v2/bundles", alice, data=out.getvalue())
        assert answer.status_code == 400
    assert not list(server.data.parent.rglob("*escaped*"))


@pytest.mark.parametrize(
    "path",
    [
        *("/results?programme=%00", "/results?search=%00", "/?programme=%00", "/vendors/%00"),
        *("/v1/results?cpid=%00", "/v1/results/%00", "/v1/products?organization_id=%00"),
        *("/v2/results/%00", "/v2/results?vendor=%00", "/products/%00", "/results/%00/badge.svg"),
    ],
)
def test_a_nul_is_a_value_like_any_other_or_refused(server, path):
    assert server.call("GET", path).status_code in (200, 400, 404)


def test_names_are_never_markup(server):
    result_id = server.upload([f"a.b.{EVIL}"], cpid=EVIL)
    for path in (f"/results/{result_id}", f"/results?search={EVIL}", f"/guidelines/{EVIL}"):
        assert "<script" not in get(server, path).text


def test_no_text_in_a_table_is_a_formula(server, people):
    """A product's name, and a reason that quotes a cloud, are other users' text."""
    alice, root = people["alice"], people["root"]
    evil = '=HYPERLINK("http://evil")'
    vendor = server.call("POST", "/v1/vendors", alice, json={"name": "V"}).json()["id"]
    for who, step in ((alice, "register"), (root, "approve")):
        server.call("POST", f"/v1/vendors/{vendor}/action", who, json={step: None})
    sent = {"name": evil, "product_type": 1, "organization_id": vendor}
    product = server.call("POST", "/v1/products", alice, json=sent).json()["id"]
    server.call("PUT", f"/v1/products/{product}", alice, json={"public": True})
    (version,) = server.call("GET", f"/v1/products/{product}/versions", alice).json()
    result_id = server.upload(["t"], alice)
    attached = {"product_version_id": version["id"]}
    server.call("PUT", f"/v1/results/{result_id}", alice, json=attached)
    server.call("POST", f"/v1/results/{result_id}/meta/shared", alice, data="true")
    answer = get(server, "/results.csv", search="HYPERLINK")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    (row,) = csv.DictReader(io.StringIO(answer.text))
    assert (row["id"], row["product"], row["standing"]) == (result_id, f"'{evil}", "unofficial")


def test_requests_above_the_rate_limit_are_refused(tmp_path):
    data = tmp_path / "data"
    with serving(data, "--uploads-per-minute", "3", "--requests-per-minute", "5") as server:
        document = {"cpid": "c", "duration_seconds": 1, "results": [{"name": "t"}]}
        uploads = [server.call("POST", "/v1/results", json=document) for _ in range(4)]
        # The helper that waited for the server made the first request.
        lists = [server.call("GET", "/v1/results") for _ in range(5)]
    assert [answer.status_code for answer in uploads] == [201, 201, 201, 429]
    assert [answer.status_code for answer in lists] == [200, 200, 200, 200, 429]
    assert uploads[-1].headers["Retry-After"] == "60"


def test_naming_the_key_of_another_user_takes_nothing_from_them(tmp_path):
    data, alice = tmp_path / "data", person("alice")
    add_user(data, alice)
    with serving(data, "--uploads-per-minute", "20") as server:
        line = rsa_key.public_line(alice.key)
        for number in range(40):
            named = {"X-Public-Key": line, "X-Signature": "00", "X-Forwarded-For": f"::{number}"}
            assert server.call("POST", "/v1/results", data=b"{}", headers=named).status_code == 400
        statuses = []
        for number in range(21):
            body = b'{"cpid": "c", "duration_seconds": %d, "results": [{"name": "t"}]}' % number
            own = {**alice.signed(body), "X-Forwarded-For": f"::1:{number}"}
            answer = server.call("POST", "/v1/results", data=body, headers=own)
            statuses.append(answer.status_code)
        assert statuses == [*[201] * 20, 429]  # Her own requests count, whatever their IP address.


def test_invented_methods_are_one_label(tmp_path):
    with serving(tmp_path / "data") as server:
        for number in range(30):
            requests.request(f"M{number}X", f"{server.url}/results", timeout=30)
        metrics = server.call("GET", "/metrics").text
    assert 'method="M' not in metrics
    assert 'method="other"' in metrics
