"""A published stream names hosts in many spellings: no page, document or export shows one."""

import subprocess
from pathlib import Path

import lxml.html
import pytest
from support.certifying import CLIENT
from support.making import NAMES
from support.streams import StreamWriter

BY = {"guideline": "2020.06", "programme": "storage"}
OTHER = {"guideline": "2019.11", "programme": "storage"}
# Spellings of a host, and what of each must not be shown.
SPELLINGS = {
    "canary7.internal.corp.example": "canary7",
    "CANARY8.Corp.Example:5000": "canary8",
    "https://canary9.corp/v3": "canary9",
    "http:\\/\\/canary10.corp\\/v3": "canary10",
    "canary11.corp/v3/users": "canary11",
    "canary12%2Ecorp": "canary12",
    "canary-13": "canary-13",
    "ops@canary14": "canary14",
    "Y2FuYXJ5MTUuY29ycA==": "y2fu",
    "ｃanary16。ｃorp": "anary16",
    "xn--canary17-q2a": "canary17",
    "can\u200bary18": "ary18",
    "::ffff:203.0.113.77": "113.77",
    "203.0.113.78": "113.78",
    "fd00:1:2::77": "2::77",
    "0xcb00714d": "cb00714d",
    "3405803853": "3405803853",
    "fa:16:3e:11:22:77": "22:77",
}


def log(host: str) -> str:
    return (
        f"Request (T:test_x): 503 GET http://{host}:8080/v1/AUTH_canary20/canary21.corp 0.1s\n"
        f"Request - Headers: {{}}\nResponse - 'x-trans-id': 'txcanary22'\n"
    )


def stream() -> bytes:
    writer = StreamWriter()
    error = "Traceback (most recent call last):\n  File \"x\"\nFault: no route to {0}, '{0}' failed"
    for name, host in zip(NAMES, SPELLINGS, strict=False):
        writer.test(name, "fail", traceback=error.format(host), pythonlogging=log(host))
    refused = "HTTPConnectionPool(host='canary23.corp', port=5000): Connection refused"
    writer.test(NAMES[len(SPELLINGS)], "fail", traceback=f"Traceback\n  File\nE: {refused}")
    writer.test("setUpClass (canary24.corp.Tests)", "fail", traceback="no canary25.corp")
    writer.test("canary26.corp.Tests.test_x", "success")
    writer.test("tearDownClass (canary27.corp.Tests)", "fail", traceback="no canary28.corp")
    return writer.content


@pytest.fixture(scope="module")
def published(server, people) -> str:
    alice = people["alice"]
    answer = server.call("POST", "/v2/streams", alice, params=BY, data=stream())
    assert answer.status_code == 201, answer.text
    result_id = answer.json()["id"]
    shared = {"with": "everybody"}
    server.call("PUT", f"/v2/results/{result_id}/sharing", alice, json=shared)
    return result_id


def assert_public(content: str, where: object) -> None:
    folded = content.lower()
    assert "canary" not in folded, where
    assert [part for part in SPELLINGS.values() if part in folded] == [], where


def links(server, start: str) -> set[str]:
    """Return the URLs of all public pages and documents that are reached from a page."""
    waiting, known = [start], {start}
    while waiting:
        answer = server.call("GET", waiting.pop())
        if "html" in answer.headers["Content-Type"]:
            page = lxml.html.document_fromstring(answer.content)
            found = {link for *_, link, _ in page.iterlinks() if link.startswith("/")} - known
            known |= found
            waiting += found
    return known


def test_no_page_and_no_document_shows_a_host(server, people, published):
    v1, v2, page = (f"{prefix}/results/{published}" for prefix in ("/v1", "/v2", ""))
    urls = links(server, page)
    urls |= {v1, "/v1/results", v2, f"{v2}/verdict", f"{v2}/outcomes", "/v2/log", "/results.csv"}
    urls |= {f"{v2}/compared/{published}", f"{page}/tests.csv", f"{page}/badge.svg"}
    urls |= {"/v2/statistics", f"/compared?before={published}&after={published}"}
    own = server.call("GET", f"{v2}/outcomes", people["alice"]).text.lower()
    assert all(f"canary{number}" in own for number in (7, 8, 9, 12, 14, 17, 23, 24, 25, 26))
    for url in sorted(urls):
        for asked in ({}, BY, OTHER):
            answer = server.call("GET", url, params=asked)
            assert answer.status_code < 500, url
            assert_public(answer.text, url)


def test_what_is_public_is_readable(server, published):
    outcomes = server.call("GET", f"/v2/results/{published}/outcomes").json()
    assert outcomes[0]["test"] == NAMES[0]
    assert outcomes[0]["reason"] == (
        "Swift (object-store) answered 503 to GET: Fault: no route to …, '…' failed"
    )
    verdict = server.call("GET", f"/v2/results/{published}/verdict").json()
    reasons = {test["reason"] for part in verdict["capabilities"] for test in part["tests"]}
    assert "Swift (object-store) at … refused the connection" in reasons
    old = server.call("GET", f"/v1/results/{published}").json()
    assert old["results"] == ["…"]


def test_no_file_of_an_export_shows_a_host(server, database, published, tmp_path):
    target = tmp_path / "site"
    where = ["--database", database] if database else []
    command = [CLIENT, "server", "export", target, "--data", server.data, *where]
    subprocess.run(command, check=True, timeout=120, capture_output=True)
    files = [path for path in Path(target).rglob("*") if path.is_file()]
    assert any(published in path.parts for path in files)
    for path in files:
        assert_public(path.read_text(), path)
