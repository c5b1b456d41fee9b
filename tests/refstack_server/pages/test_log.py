"""The public log as a page and as a feed."""

import json
from datetime import datetime

import lxml.html
import pytest
from lxml import etree
from support.browsing import EVIL, get
from support.publishing import Publisher
from support.serving import vendor_of

ATOM = {"a": "http://www.w3.org/2005/Atom"}


@pytest.fixture(scope="module")
def site(server, people) -> dict[str, str]:
    """Fill the log; return ids by name."""
    alice = Publisher(server, people["alice"], people["root"])
    ids = {"private vendor": vendor_of(server, people["bob"], "Hidden")}
    ids["vendor"] = alice.vendor("Acme <&>")
    version = alice.version(alice.product(ids["vendor"], "Cloud"), "7")
    for _ in range(8):  # a second page
        alice.result(version, "object")
    for name in ("verified", "revoked", "withdrawn"):
        ids[name] = alice.result(version, "object")
        alice.verify(ids[name], until="2099-01-31")
    for name in ("revoked", "withdrawn"):
        alice.revoke(ids[name], f"wrong\ncloud {EVIL}" if name == "revoked" else "moved")
    path = f"/v2/results/{ids['withdrawn']}/sharing"
    alice.must(alice.owner, "PUT", path, json={"with": "nobody"})
    return ids


def entries(server) -> list[dict]:
    return server.call("GET", "/v2/log?most=1000").json()


def test_the_log_page_has_every_entry_newest_first(server, site):
    rows, page = [], 1
    while True:
        text = get(server, "/log", page=page).text
        assert "<script" not in text
        document = lxml.html.fromstring(text)
        rows += document.xpath("//ol/li")
        if not document.xpath("//a[@rel='next']"):
            break
        page += 1
    expected = entries(server)[::-1]
    assert page > 1
    assert [int(row.get("id")) for row in rows] == [entry["number"] for entry in expected]
    assert [row.xpath("string(.//code[@class='digest'])") for row in rows] == [
        entry["digest"] for entry in expected
    ]


def test_an_entry_has_a_link_to_what_is_public(server, site):
    text = "".join(get(server, "/log", page=page).text for page in (1, 2))
    for name in ("verified", "revoked"):
        assert f'<a href="/results/{site[name]}">' in text
    assert f"<code>{site['withdrawn']}</code>" in text
    assert f"/results/{site['withdrawn']}" not in text
    assert f'<a href="/vendors/{site["vendor"]}">Acme &lt;&amp;&gt;</a>' in text
    assert f"<code>{site['private vendor']}</code>" in text
    assert "Hidden" not in text
    assert "The Foundation verified the result" in text
    assert "until 2099-01-31" in text
    assert "id.example.org" not in text


@pytest.mark.parametrize(("page", "status"), [(10**6, 200), (0, 400), ("x", 400)])
def test_a_page_beyond_the_end_is_the_last_one(server, site, page, status):
    answer = get(server, "/log", page=page)
    assert answer.status_code == status
    assert status != 200 or '<li id="1">' in answer.text


def test_the_feed_has_what_was_verified_and_revoked(server, site):
    answer = server.call("GET", "/feed.atom")
    assert answer.headers["content-type"].startswith("application/atom+xml")
    feed = etree.fromstring(answer.content)
    assert feed.xpath("string(a:id)", namespaces=ATOM).endswith("/feed.atom")
    assert feed.xpath("string(a:author/a:name)", namespaces=ATOM) == "The Foundation"
    found = feed.xpath("a:entry", namespaces=ATOM)
    events = [json.loads(entry["text"]) for entry in entries(server)]
    decisions = [entry for entry in events if entry["event"] in ("verified", "revoked")][::-1]
    assert len(found) == len(decisions) == 5
    ids = [entry.xpath("string(a:id)", namespaces=ATOM) for entry in found]
    assert len(set(ids)) == 5
    for entry, decision in zip(found, decisions, strict=True):
        title = entry.xpath("string(a:title)", namespaces=ATOM)
        assert title.startswith(decision["event"].capitalize())
        updated = entry.xpath("string(a:updated)", namespaces=ATOM)
        assert datetime.fromisoformat(updated).isoformat() == f"{decision['at']}+00:00"
        link = entry.xpath("string(a:link[@rel='alternate']/@href)", namespaces=ATOM)
        is_public = decision["result"] != site["withdrawn"]
        path = f"/results/{decision['result']}" if is_public else "/log"
        assert link == f"{ids[0].partition('/log')[0]}{path}"
    assert "Verified: Acme <&> · Cloud · 7" in feed.xpath("//a:title/text()", namespaces=ATOM)
    assert feed.xpath("string(a:updated)", namespaces=ATOM) == f"{decisions[0]['at']}Z"


def test_pages_name_the_feed(server, site):
    for path in ("/", "/log", "/results", f"/results/{site['verified']}"):
        document = lxml.html.fromstring(get(server, path).text)
        assert document.xpath("//link[@rel='alternate']/@href") == ["/feed.atom"]
