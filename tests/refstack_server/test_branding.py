"""Logos and sites of vendors: proposed by the vendor, shown once the Foundation approved them."""

import hashlib
import json
import threading

import pytest
import requests
from support import images
from support.browsing import get
from support.publishing import Publisher
from support.serving import join, vendor_of

SITE = "https://clouds.example.org/"
LOGO = images.logo("teal")


@pytest.fixture(scope="module")
def at(server, people) -> Publisher:
    return Publisher(server, people["alice"], people["root"])


@pytest.fixture
def vendor(at, request) -> str:
    return at.vendor(request.node.name)


def branding(server, vendor, kind, who=None):
    answer = server.call("GET", f"/v2/vendors/{vendor}/{kind}", who)
    assert answer.status_code == 200, answer.text
    return answer.json()


def propose(server, who, vendor, content: str | bytes) -> requests.Response:
    if isinstance(content, str):
        return server.call("PUT", f"/v2/vendors/{vendor}/site", who, json={"url": content})
    return server.call("PUT", f"/v2/vendors/{vendor}/logo", who, data=content)


def proposed(server, who, vendor, content: str | bytes) -> str:
    """Propose something; return its SHA-256."""
    answer = propose(server, who, vendor, content)
    assert answer.status_code == 200, answer.text
    return answer.json()["proposed"]["sha256"]


def approve(server, who, vendor, kind, sha256) -> requests.Response:
    document = {"sha256": sha256}
    return server.call("PUT", f"/v2/vendors/{vendor}/{kind}/approval", who, json=document)


def deny(server, who, vendor, kind, sha256, why="not yours") -> requests.Response:
    document = {"sha256": sha256, "why": why}
    return server.call("POST", f"/v2/vendors/{vendor}/{kind}/denial", who, json=document)


def waiting(server, who, vendor) -> dict[str, str]:
    """Return the SHA-256 of what awaits approval, by kind."""
    found = server.call("GET", "/v2/branding", who).json()
    return {item["kind"]: item["sha256"] for item in found if item["vendor_id"] == vendor}


def events(server, vendor) -> list[dict[str, str]]:
    entries = server.call("GET", "/v2/log?most=1000").json()
    found = [json.loads(entry["text"]) for entry in entries]
    return [entry for entry in found if entry.get("vendor") == vendor and "what" in entry]


def test_nothing_is_public_before_it_is_approved(server, at, alice, root, vendor):
    site, logo = (proposed(server, alice, vendor, content) for content in (SITE, LOGO))
    url = f"/vendors/{vendor}/logo"
    for kind in ("site", "logo"):
        assert branding(server, vendor, kind) == {"approved": None, "proposed": None}
    assert server.call("GET", url).status_code == 404
    assert server.call("GET", f"{url}/{logo}").status_code == 403
    assert server.call("GET", f"{url}/{logo}", alice).status_code == 200
    assert server.call("GET", f"{url}/{logo}", root).headers["Cache-Control"] == "no-store"
    assert "clouds.example.org" not in get(server, f"/vendors/{vendor}").text
    assert "logo" not in get(server, f"/vendors/{vendor}").text.partition("</style>")[2]
    log = get(server, "/log").text + server.call("GET", "/v2/log?most=1000").text
    assert not [text for text in (SITE, "clouds.example", site, logo) if text in log]
    assert waiting(server, root, vendor) == {"logo": logo, "site": site}

    for kind, sha256 in (("site", site), ("logo", logo)):
        approved = approve(server, root, vendor, kind, sha256)
        assert approved.json()["approved"]["sha256"] == sha256
        assert branding(server, vendor, kind)["approved"]["sha256"] == sha256
    assert waiting(server, root, vendor) == {}
    page = get(server, f"/vendors/{vendor}").text
    rel = "nofollow noopener noreferrer"
    assert f'<a href="{SITE}" rel="{rel}">clouds.example.org</a>' in page
    assert f'<img class="logo" src="{url}" alt="">' in page
    product = at.product(vendor, "Sky")
    at.result(at.version(product, "1"), "object")
    assert url in get(server, "/", search="Sky").text
    page = get(server, f"/products/{product}").text
    assert url in page
    assert f'rel="{rel}">clouds.example.org</a>' in page


def test_the_image_is_served_as_nothing_but_an_image(server, alice, root, vendor):
    sha256 = proposed(server, alice, vendor, images.with_metadata("WEBP"))
    approve(server, root, vendor, "logo", sha256)
    url = f"/vendors/{vendor}/logo"
    answer = server.call("GET", url, headers={"Accept-Encoding": "identity"})
    assert hashlib.sha256(answer.content).hexdigest() == sha256
    assert answer.content.startswith(b"\x89PNG")
    assert images.CANARY.encode() not in answer.content
    expected = {
        "Content-Type": "image/png",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'",
        "Cache-Control": "public, max-age=300",
        "ETag": f'"{sha256}"',
    }
    assert {name: answer.headers[name] for name in expected} == expected
    known = {"If-None-Match": answer.headers["ETag"], "Accept-Encoding": "identity"}
    assert server.call("GET", url, headers=known).status_code == 304
    assert server.call("HEAD", url).headers["Content-Type"] == "image/png"
    signed_in = server.call("GET", url, alice)
    assert signed_in.headers["Cache-Control"] == "public, max-age=300"
    for wrong in ("x", "A" * 64, "0" * 63, "%2e%2e", f"{sha256}/x"):
        assert server.call("GET", f"{url}/{wrong}", alice).status_code in (400, 404), wrong
    assert server.call("GET", f"{url}/{'0' * 64}", alice).status_code == 404


def test_a_changed_proposal_needs_a_new_approval(server, alice, root, vendor):
    other = images.logo("crimson")
    first = proposed(server, alice, vendor, LOGO)
    approve(server, root, vendor, "logo", first)
    second = proposed(server, alice, vendor, other)
    assert first != second
    assert branding(server, vendor, "logo")["approved"]["sha256"] == first
    seen = server.call("GET", f"/vendors/{vendor}/logo").content
    assert hashlib.sha256(seen).hexdigest() == first
    # What was looked at is no longer what is proposed.
    third = proposed(server, alice, vendor, images.logo("gold"))
    for answer in (
        approve(server, root, vendor, "logo", second),
        approve(server, root, vendor, "logo", first),
        deny(server, root, vendor, "logo", second),
    ):
        assert answer.status_code == 409
        assert answer.json()["title"].startswith("another logo is proposed by now")
    assert approve(server, root, vendor, "logo", third).status_code == 200
    assert branding(server, vendor, "logo", alice) == {
        "approved": {**branding(server, vendor, "logo")["approved"], "sha256": third},
        "proposed": None,
    }
    assert approve(server, root, vendor, "logo", third).status_code == 404


def test_the_same_proposal_again_changes_nothing(server, alice, root, vendor):
    first = proposed(server, alice, vendor, SITE)
    assert proposed(server, alice, vendor, "https://CLOUDS.example.org") == first
    assert [entry["event"] for entry in events(server, vendor)] == ["proposed"]
    approve(server, root, vendor, "site", first)
    again = propose(server, alice, vendor, SITE).json()
    assert (again["approved"]["sha256"], again["proposed"]) == (first, None)
    proposed(server, alice, vendor, f"{SITE}new")
    assert propose(server, alice, vendor, SITE).json()["proposed"] is None
    assert [entry["event"] for entry in events(server, vendor)] == [
        *("proposed", "approved", "proposed", "withdrawn")
    ]


def test_every_step_is_in_the_log_without_what_is_private(server, alice, root, vendor):
    reason = "the logo of somebody else: canary-9b"
    proposed(server, alice, vendor, SITE)
    path = f"/v2/vendors/{vendor}/site"
    assert server.call("DELETE", f"{path}/proposal", alice).status_code == 204
    denied = proposed(server, alice, vendor, LOGO)
    answer = deny(server, root, vendor, "logo", denied, reason)
    assert answer.json()["proposed"]["denied"] == reason
    assert branding(server, vendor, "logo", alice)["proposed"]["denied"] == reason
    assert approve(server, root, vendor, "logo", denied).status_code == 404
    assert deny(server, root, vendor, "logo", denied).status_code == 404
    logo = proposed(server, alice, vendor, LOGO)
    approve(server, root, vendor, "logo", logo)
    assert server.call("DELETE", f"/v2/vendors/{vendor}/logo", root).status_code == 204
    approve(server, root, vendor, "site", proposed(server, alice, vendor, SITE))
    assert server.call("DELETE", path, alice).status_code == 204
    assert server.call("DELETE", path, alice).status_code == 404
    assert server.call("GET", f"/vendors/{vendor}/logo").status_code == 404
    found = events(server, vendor)
    assert [(entry["event"], entry["what"], entry.get("by")) for entry in found] == [
        ("proposed", "site", None),
        ("withdrawn", "site", "vendor"),
        ("proposed", "logo", None),
        ("denied", "logo", None),
        ("proposed", "logo", None),
        ("approved", "logo", None),
        ("removed", "logo", "Foundation"),
        ("proposed", "site", None),
        ("approved", "site", None),
        ("removed", "site", "vendor"),
    ]
    assert found[5]["sha256"] == logo
    assert {entry["user"] for entry in found if entry["event"] != "removed"}.isdisjoint(
        {alice.openid, root.openid}
    )
    public = get(server, "/log").text + server.call("GET", "/v2/log?most=1000").text
    assert "canary-9b" not in public
    name = server.call("GET", f"/v1/vendors/{vendor}").json()["name"]
    for sentence in (
        f'The vendor <a href="/vendors/{vendor}">{name}</a> proposed another site',
        f'The proposed site of the vendor <a href="/vendors/{vendor}">{name}</a> was withdrawn',
        f'The Foundation denied the proposed logo of the vendor <a href="/vendors/{vendor}">',
        f'The Foundation approved the logo of the vendor <a href="/vendors/{vendor}">',
        f'The logo of the vendor <a href="/vendors/{vendor}">{name}</a> was removed',
    ):
        assert sentence in public
    assert "by the Foundation</span>" in public


def test_only_users_of_an_official_vendor_propose(server, people, vendor):
    alice, bob, carol, root = (people[name] for name in ("alice", "bob", "carol", "root"))
    join(server, vendor, alice, bob)
    assert propose(server, bob, vendor, SITE).status_code == 200
    for who, status in ((None, 401), (carol, 403), (root, 403)):
        for content in (SITE, LOGO, b"not an image"):
            assert propose(server, who, vendor, content).status_code == status
    private = vendor_of(server, alice)
    for content in (SITE, LOGO, b"not an image"):
        refused = propose(server, alice, private, content)
        assert (refused.status_code, "register it first" in refused.text) == (403, True)
    for content in (SITE, LOGO):
        assert propose(server, alice, "none", content).status_code == 404
    sha256 = branding(server, vendor, "site", alice)["proposed"]["sha256"]
    for who in (alice, bob, carol):
        assert approve(server, who, vendor, "site", sha256).status_code == 403
        assert deny(server, who, vendor, "site", sha256).status_code == 403
        assert server.call("GET", "/v2/branding", who).status_code == 403
    assert server.call("DELETE", f"/v2/vendors/{vendor}/site/proposal", carol).status_code == 403
    assert server.call("DELETE", f"/v2/vendors/{vendor}/site/proposal", bob).status_code == 204


@pytest.mark.parametrize(
    "content",
    [b"", b"x", images.logo() * 2000, images.png(10_000, 10_000, b""), images.animated("WEBP")],
    ids=["empty", "text", "large", "bomb", "animated"],
)
def test_a_logo_that_is_not_valid_is_refused(server, alice, vendor, content):
    refused = propose(server, alice, vendor, content)
    assert refused.status_code in (400, 413)
    assert branding(server, vendor, "logo", alice)["proposed"] is None


@pytest.mark.parametrize(
    "document",
    [{}, {"url": 7}, {"url": "javascript:alert(1)"}, {"url": SITE, "x": 1}, [], None],
)
def test_a_site_that_is_not_valid_is_refused(server, alice, vendor, document):
    path = f"/v2/vendors/{vendor}/site"
    assert server.call("PUT", path, alice, json=document).status_code == 400
    assert branding(server, vendor, "site", alice)["proposed"] is None


def test_a_decision_names_a_digest(server, alice, root, vendor):
    sha256 = proposed(server, alice, vendor, SITE)
    path = f"/v2/vendors/{vendor}/site/approval"
    for document in ({}, {"sha256": ""}, {"sha256": sha256.upper()}, {"sha256": None}):
        assert server.call("PUT", path, root, json=document).status_code == 400
    assert deny(server, root, vendor, "site", sha256, "").status_code == 400
    assert deny(server, root, vendor, "site", sha256, " ").status_code == 400
    assert deny(server, root, vendor, "site", sha256, "a\u202eb").status_code == 400
    assert server.call("GET", f"/v2/vendors/{vendor}/banner", alice).status_code == 400


def test_a_removed_vendor_takes_them_along(server, alice, root, vendor):
    approve(server, root, vendor, "logo", proposed(server, alice, vendor, LOGO))
    proposed(server, alice, vendor, SITE)
    assert server.call("DELETE", f"/v1/vendors/{vendor}", root).status_code == 204
    assert server.call("GET", f"/vendors/{vendor}/logo").status_code == 404
    assert waiting(server, root, vendor) == {}


def test_what_is_approved_is_what_was_looked_at_whoever_is_faster(server, alice, root, vendor):
    """A proposal that is swapped while the Foundation approves another is never approved."""
    answers = []

    def decide(seen: str) -> None:
        answers.append(approve(server, root, vendor, "site", seen).status_code)

    for number in range(10):
        seen = proposed(server, alice, vendor, f"{SITE}{number}")
        swapped = (server, alice, vendor, f"{SITE}{number}/swapped")
        threads = [
            threading.Thread(target=propose, args=swapped),
            threading.Thread(target=decide, args=(seen,)),
        ]
        for thread in threads[:: 1 if number % 2 else -1]:
            thread.start()
        for thread in threads:
            thread.join()
        assert answers[-1] in (200, 409)
        approved = branding(server, vendor, "site")["approved"]
        assert not (approved and approved["url"].endswith("/swapped"))
        assert answers[-1] != 200 or approved["sha256"] == seen
