"""Reading over HTTP: HEAD, ETag, compression, caches, scripts of other sites, limits."""

import gzip
import hashlib
import http.client
import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
import requests
from support.bundles import make_key, packed, registered
from support.identities import CLIENT_ID, SECRET, providing
from support.serving import Server, add_user, serving

PUBLIC = ("/v1/guidelines", "/v1/results", "/v2/results", "/v2/log", "/results", "/guidelines")
OTHER_SITE = {"Origin": "https://evil.example"}
NAME = "tempest.api.object_storage.test_container.ContainerTest.test_create"


def raw(server: Server, method: str, path: str, **headers: str) -> http.client.HTTPResponse:
    """Send one request; the body is as it was sent, with its encoding."""
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=30)
    connection.request(method, path, headers=headers)
    answer = connection.getresponse()
    answer.content = answer.read()
    connection.close()
    return answer


@pytest.fixture(scope="module")
def published(server) -> str:
    """Return the id of a public result with many tests."""
    return server.upload([f"{NAME}_{number}" for number in range(200)])


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
@pytest.mark.parametrize("path", PUBLIC)
def test_the_etag_is_the_sha256_of_the_body_and_a_known_body_is_not_sent(
    server, published, path, encoding
):
    first = raw(server, "GET", path, **{"Accept-Encoding": encoding})
    etag = first.headers["ETag"]
    assert etag == f'"{hashlib.sha256(first.content).hexdigest()}"'
    for known in (etag, f'"x", W/{etag}', "*", f"  {etag},"):
        again = raw(server, "GET", path, **{"Accept-Encoding": encoding, "If-None-Match": known})
        assert (again.status, again.content) == (304, b"")
        assert again.headers["ETag"] == etag
        for name in ("Cache-Control", "Vary"):
            assert again.headers[name] == first.headers[name]
        assert not {"Content-Length", "Content-Type", "Content-Encoding"} & set(again.headers)
    for other in ("", '"x"', etag.strip('"'), f'{etag[:-2]}"'):
        again = raw(server, "GET", path, **{"Accept-Encoding": encoding, "If-None-Match": other})
        assert (again.status, again.content) == (200, first.content)


def test_the_etag_of_a_list_changes_with_it(server):
    first, second = (server.call("GET", "/v2/results") for _ in range(2))
    assert first.headers["ETag"] == second.headers["ETag"]
    server.upload(["t"])
    known = {"If-None-Match": first.headers["ETag"]}
    changed = server.call("GET", "/v2/results", headers=known)
    assert changed.status_code == 200
    assert changed.headers["ETag"] != first.headers["ETag"]


def test_the_etag_of_a_bundle_is_its_sha256(server, alice, tmp_path):
    key = make_key(tmp_path / "key")
    registered(server, alice, key)
    content = packed(tmp_path, key)
    result_id = server.call("POST", "/v2/bundles", data=content).json()["id"]
    path = f"/v2/results/{result_id}/bundle"
    answer = server.call("GET", path, alice, headers={"Accept-Encoding": "gzip"})
    assert answer.content == content
    assert "Content-Encoding" not in answer.headers
    etag = answer.headers["ETag"]
    assert etag == f'"{hashlib.sha256(content).hexdigest()}"'
    assert server.call("GET", path, headers={"If-None-Match": etag}).status_code == 401
    known = server.call("GET", path, alice, headers={"If-None-Match": etag})
    assert (known.status_code, known.content) == (304, b"")


def test_errors_and_writes_have_no_etag(server):
    for method, path in (("GET", "/v2/results/none"), ("POST", "/v2/bundles"), ("GET", "/none")):
        answer = server.call(method, path, headers={"If-None-Match": "*"})
        assert answer.status_code >= 400
        assert "ETag" not in answer.headers


def test_head_answers_wherever_get_does(server, published):
    document = server.call("GET", "/openapi.json").json()
    paths = [
        re.sub(r"{result_id}|{other_id}", published, path)
        for path, methods in document["paths"].items()
        if "get" in methods
    ]
    pages = ["/", "/results", "/results.csv", f"/results/{published}", "/docs", "/openapi.json"]
    unequal = ("Date", "RateLimit-Remaining", "RateLimit-Reset")
    with requests.Session() as session:  # A body after HEAD would be read as the next answer.
        for path in [*paths, *pages]:
            head, get = (
                session.request(method, f"{server.url}{path}", allow_redirects=False, timeout=30)
                for method in ("HEAD", "GET")
            )
            assert (head.status_code, head.content) == (get.status_code, b""), path
            if path == "/metrics":  # It counts the requests.
                continue
            for answer in (head, get):
                for name in unequal:
                    answer.headers.pop(name, None)
            assert head.headers == get.headers, path
    assert server.call("HEAD", "/v2/bundles").status_code == 405
    known = {"If-None-Match": server.call("GET", "/v2/results").headers["ETag"]}
    assert server.call("HEAD", "/v2/results", headers=known).status_code == 304


def test_the_log_names_the_method_of_the_client(server):
    server.call("HEAD", "/v2/challenges/signers")
    server.log_line('"method": "HEAD", "route": "/v2/challenges/signers", "status": 200')


def test_answers_are_compressed_for_clients_that_accept_it(server, published):
    path = f"/v1/results/{published}"
    plain = raw(server, "GET", path)
    packed_ = raw(server, "GET", path, **{"Accept-Encoding": "gzip, br"})
    assert packed_.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed_.content) == plain.content
    assert len(packed_.content) < len(plain.content) / 4
    for answer in (plain, packed_):
        assert "Accept-Encoding" in answer.headers["Vary"]
        assert int(answer.headers["Content-Length"]) == len(answer.content)
    small = raw(server, "GET", "/health", **{"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in small.headers


def test_what_names_no_user_may_be_kept_and_asked_for_again(server, alice, published):
    for path in ("/v2/results", f"/v2/results/{published}", "/results", "/v2/results/none"):
        headers = server.call("GET", path).headers
        assert headers["Cache-Control"] == "public, no-cache", path
        assert {"Authorization", "Cookie"} <= set(headers["Vary"].split(", ")), path
    assert server.call("GET", "/v2/results", alice).headers["Cache-Control"] == "no-store"
    cookie = {"Cookie": "refstack=x"}
    assert server.call("GET", "/results", headers=cookie).headers["Cache-Control"] == "no-store"
    assert server.call("GET", "/guidelines").headers["Cache-Control"] == "public, max-age=3600"
    assert "Cache-Control" not in server.call("POST", "/v2/challenges", json={}).headers


def test_scripts_of_other_sites_read_the_api_as_the_public_does(server, alice, published):
    for path in ("/v1/results", "/v2/results", f"/v2/results/{published}", "/v2/results/none"):
        for more in (OTHER_SITE, {}):  # A cache may answer another site from the same copy.
            headers = server.call("GET", path, headers=more).headers
            assert headers["Access-Control-Allow-Origin"] == "*"
            assert "ETag" in headers["Access-Control-Expose-Headers"]
    preflight = {**OTHER_SITE, "Access-Control-Request-Method": "GET"}
    allowed = server.call("OPTIONS", "/v2/results", headers=preflight)
    assert allowed.status_code == 200
    assert allowed.headers["Access-Control-Allow-Origin"] == "*"
    assert allowed.headers["Access-Control-Allow-Methods"] == "GET, HEAD"
    assert "Access-Control-Allow-Credentials" not in allowed.headers
    asked = {"Access-Control-Request-Headers": "if-none-match"}
    assert server.call("OPTIONS", "/v2/results", headers=preflight | asked).ok
    for method, named in (("POST", ""), ("PUT", ""), ("DELETE", ""), ("GET", "authorization")):
        wanted = {
            **OTHER_SITE,
            "Access-Control-Request-Method": method,
            "Access-Control-Request-Headers": named or "accept",
        }
        assert server.call("OPTIONS", "/v2/results", headers=wanted).status_code == 400


def test_scripts_of_other_sites_read_no_page_write_nothing_and_act_as_nobody(server, alice):
    preflight = {**OTHER_SITE, "Access-Control-Request-Method": "GET"}
    refused = [
        server.call("GET", "/results", headers=OTHER_SITE),
        server.call("GET", "/mine", headers=OTHER_SITE),
        server.call("OPTIONS", "/mine", headers=preflight),
        server.call("GET", "/v2/results", alice, headers=OTHER_SITE),
        server.call("GET", "/v2/results", headers={**OTHER_SITE, "Cookie": "refstack=x"}),
        server.call("POST", "/v2/challenges", json={}, headers=OTHER_SITE),
        server.call("POST", "/v1/results", json={}, headers=OTHER_SITE),
    ]
    for answer in refused:
        assert not [name for name in answer.headers if name.startswith("Access-Control")]


@pytest.fixture
def limited(tmp_path, alice, database) -> Iterator[Server]:
    data = tmp_path / "data"
    add_user(data, alice)
    with serving(data, "--requests-per-minute", "7", "--uploads-per-minute", "0") as started:
        yield started


def test_answers_report_the_limit_that_was_counted(limited, alice):
    def numbers(answer) -> list[int]:
        return [
            int(answer.headers[f"RateLimit-{name}"]) for name in ("Limit", "Remaining", "Reset")
        ]

    # The request that waits for the start of the server was the first.
    limit, remaining, reset = numbers(limited.call("GET", "/v2/log"))
    assert (limit, remaining) == (7, 5)
    assert 0 < reset <= 60
    # A user has a limit too: the stricter one is reported.
    assert numbers(limited.call("GET", "/v2/log"))[1] == 4
    assert [numbers(limited.call("GET", "/v2/results", alice))[1] for _ in range(2)] == [3, 2]
    assert not [
        name
        for name in limited.call("POST", "/v2/challenges", json={}).headers
        if name.startswith("RateLimit")
    ]
    assert [numbers(limited.call("HEAD", "/v2/log"))[1] for _ in range(2)] == [1, 0]
    refused = limited.call("GET", "/v2/log")
    assert (refused.status_code, refused.headers["Access-Control-Allow-Origin"]) == (429, "*")
    assert numbers(refused)[:2] == [7, 0]


def test_no_page_for_a_browser_with_a_cookie_is_compressed(tmp_path):
    """Otherwise its length reveals the token of its forms (BREACH)."""
    (tmp_path / "secret").write_text(SECRET)
    with providing() as provider:
        options = [
            *("--oidc-issuer", provider.url, "--oidc-client", CLIENT_ID),
            *("--oidc-secret", tmp_path / "secret"),
        ]
        with serving(tmp_path / "data", *options) as served:
            browser = requests.Session()
            browser.headers["Accept"] = "text/html"
            for path in ("/mine", "/mine/keys", "/results", "/vendors"):
                page = browser.get(f"{served.url}{path}", timeout=30)
                assert (page.status_code, page.url) == (200, f"{served.url}{path}")
                assert "Content-Encoding" not in page.headers, path
            assert 'name="csrf"' in browser.get(f"{served.url}/mine", timeout=30).text
            page = requests.get(f"{served.url}/results", timeout=30)
            assert page.headers["Content-Encoding"] == "gzip"
