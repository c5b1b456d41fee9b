"""The Foundation's queue: order, pages, decisions."""

import json
import re
import sqlite3
from datetime import UTC, datetime, timedelta

import pytest
import requests
from support.browsing import csrf, post, signed_in, signed_in_for_the_foundation
from support.making import NAMES
from support.operating import upload_stream
from support.serving import Person, add_user, official_vendor_of, person, product_of

from refstack_server.settings import DATABASE

MANY = 250


@pytest.fixture(scope="module")
def uploader(served) -> Person:
    who = person("uploader")
    add_user(served.data, who)
    return who


@pytest.fixture
def root(served, provider):
    """Return the browser of a user of the Foundation."""
    return signed_in_for_the_foundation(served, provider)


def share(served, who, result_id, with_="everybody"):
    answer = served.call("PUT", f"/v2/results/{result_id}/sharing", who, json={"with": with_})
    assert answer.ok, answer.text


@pytest.fixture
def failing(served, uploader, request) -> str:
    """Publish a result that is not conformant; return its id."""
    result_id = upload_stream(served, uploader, request.node.name)["id"]
    share(served, uploader, result_id)
    return result_id


def test_all_250_pending_results_are_reached_the_oldest_first(served, uploader, root):
    ids = [served.upload([NAMES[0]], uploader) for _ in range(MANY)]
    with sqlite3.connect(served.data / DATABASE) as database:
        database.execute("UPDATE results SET submitted = 1")
    page, found = f"{served.url}/queue", []
    while page:
        text = root.get(page, timeout=60).text
        found += re.findall(r'<td class="time"><a href="/results/([^"]+)">', text)
        older = re.search(r'rel="next" href="([^"]+)"', text)
        page = f"{served.url}/queue{older[1]}" if older else ""
    assert [result_id for result_id in found if result_id in ids] == ids
    assert f"{len(found)} results awaiting verification, oldest first" in text
    beyond = root.get(f"{served.url}/queue?page=99999", timeout=60)
    assert (beyond.status_code, ids[-1] in beyond.text) == (200, True)
    for wrong in ("0", "-1", "x"):
        assert root.get(f"{served.url}/queue?page={wrong}", timeout=60).status_code == 400
    with sqlite3.connect(served.data / DATABASE) as database:
        database.execute("UPDATE results SET submitted = 0")


def test_a_row_shows_who_asks_how_long_and_what_is_missing(served, uploader, root):
    chief = person("approver")
    add_user(served.data, chief, is_foundation=True)
    vendor = official_vendor_of(served, uploader, chief, "Sky & Sons")
    product = product_of(served, uploader, vendor, name="Sky", version="7")
    (version,) = served.call("GET", f"/v1/products/{product}/versions", uploader).json()
    result_id = upload_stream(served, uploader, "of Sky")["id"]
    attached = {"product_version_id": version["id"]}
    assert served.call("PUT", f"/v1/results/{result_id}", uploader, json=attached).ok
    share(served, uploader, result_id, "certifier")
    before = (datetime.now(UTC) - timedelta(days=9)).strftime("%Y-%m-%d %H:%M:%S.000000")
    with sqlite3.connect(served.data / DATABASE) as database:
        database.execute("UPDATE results SET created_at = ? WHERE id = ?", (before, result_id))
    text = root.get(f"{served.url}/queue", timeout=60).text
    (row,) = (row for row in text.split("<tr>") if result_id in row)
    for shown in (
        "Sky &amp; Sons</a> · Sky · 7",
        uploader.openid,
        '<td class="number">9</td>',
        "Not yet published by its owner.",
        "The verdict is not conformant: the verification needs a reason.",
        "The product is private",
        "NOT CONFORMANT",
    ):
        assert shown in row, shown
    assert "Decide" not in row
    share(served, uploader, result_id)
    text = root.get(f"{served.url}/queue", timeout=60).text
    (row,) = (row for row in text.split("<tr>") if result_id in row)
    assert f'href="/queue/{result_id}?page=1"' in row


def test_what_is_not_conformant_is_verified_with_a_reason_only(served, root, failing):
    path, token = f"/queue/{failing}/verify", csrf(root, served)
    refused = post(root, served, path, csrf=token, until="2999-01-01", why=" ", page="3")
    assert refused.status_code == 400
    assert re.search(r'id="decision-why" name="why" aria-invalid="true"', refused.text)
    assert ">enter 1 to 1000 characters" in refused.text
    assert 'value="2999-01-01"' in refused.text
    assert 'name="page" value="3"' in refused.text
    late = post(root, served, path, csrf=token, until="2020-01-01", why="<b>agreed</b>")
    assert late.status_code == 400
    assert "the end of a verification must be in the future" in late.text
    assert "&lt;b&gt;agreed&lt;/b&gt;</textarea>" in late.text
    done = post(root, served, path, csrf=token, until="", why="agreed", page="3")
    assert (done.status_code, done.url) == (200, f"{served.url}/queue?page=3")
    assert failing not in done.text
    texts = [entry["text"] for entry in served.call("GET", "/v2/log?most=1000").json()]
    (entry,) = (json.loads(text) for text in texts if failing in text and '"verified"' in text)
    assert entry["why"] == "agreed"
    assert failing in root.get(f"{served.url}/queue/verified", timeout=60).text
    revoked = f"/queue/{failing}/revoke"
    assert post(root, served, revoked, csrf=token).status_code == 400
    page = post(root, served, revoked, csrf=token, why="an error")
    assert (page.url, failing in page.text) == (f"{served.url}/queue/verified", False)
    assert failing in root.get(f"{served.url}/queue", timeout=60).text


def test_an_expired_verification_is_pending_again(served, root, failing):
    token = csrf(root, served)
    post(root, served, f"/queue/{failing}/verify", csrf=token, until="2999-01-01", why="agreed")
    with sqlite3.connect(served.data / DATABASE) as database:
        expired = "UPDATE results SET verified_until = '2020-01-01 00:00:00.000000' WHERE id = ?"
        database.execute(expired, (failing,))
    text = root.get(f"{served.url}/queue", timeout=60).text
    (row,) = (row for row in text.split("<tr>") if failing in row)
    assert "The verification expired on 2020-01-01." in row


def test_the_queue_is_for_the_foundation_alone(served, provider, failing):
    mallory = signed_in(served, provider, "mallory")
    token = csrf(mallory, served)
    for path in ("/queue", "/queue/verified", f"/queue/{failing}"):
        assert mallory.get(f"{served.url}{path}", timeout=60).status_code == 403, path
        assert requests.get(f"{served.url}{path}", timeout=60).status_code == 403, path
    for path in (f"/queue/{failing}/verify", f"/queue/{failing}/revoke"):
        answer = post(mallory, served, path, csrf=token, why="mine")
        assert answer.status_code == 403, path
    assert "Unofficial Results" in mallory.get(f"{served.url}/results/{failing}", timeout=60).text


def test_a_denial_without_a_reason_shows_the_error_beside_the_field(served, uploader, root):
    made = served.call("POST", "/v1/vendors", uploader, json={"name": "Denied Clouds"})
    vendor_id = made.json()["id"]
    register = {"register": None}
    assert served.call("POST", f"/v1/vendors/{vendor_id}/action", uploader, json=register).ok
    path, token = f"/queue/vendors/{vendor_id}/deny", csrf(root, served)
    refused = post(root, served, path, csrf=token, name="Denied Clouds", why="")
    assert refused.status_code == 400
    assert f'id="deny-{vendor_id}-why-error"' in refused.text
    old = post(root, served, path, csrf=token, name="Other Clouds", why="no cloud")
    assert (old.status_code, 'value="no cloud"' in old.text) == (409, True)
    done = post(root, served, path, csrf=token, name="Denied Clouds", why="no cloud")
    assert (done.status_code, "Denied Clouds" in done.text) == (200, False)
