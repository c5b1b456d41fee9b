"""The front page: public products, and how they stand with each programme."""

from collections.abc import Mapping

import lxml.html
import pytest
import sqlalchemy as sa
from support.browsing import EVIL, get
from support.bundles import make_key, packed, registered
from support.publishing import Publisher, changing

from refstack_server.store.schema import new_id


@pytest.fixture(scope="module")
def site(server, people, database) -> Mapping[str, str]:
    """Publish products in each standing, and private ones; return ids by name."""
    alice = Publisher(server, people["alice"], people["root"])
    bob = Publisher(server, people["bob"], people["root"])
    ids = {"acme": alice.vendor("Acme"), "clear": bob.vendor("Clear <Sky>")}
    ids["cloud"] = alice.product(ids["acme"], "Acme Cloud")
    version = alice.version(ids["cloud"], "1")
    for name, target in (("verified", "object"), ("expired", "compute"), ("revoked", "platform")):
        ids[name] = alice.result(version, target)
        alice.verify(ids[name], until="2099-01-31")
    ids["newer"] = alice.result(version, "object")
    ids["without a standing"] = alice.result(version, "object", is_shared=False)
    alice.revoke(ids["revoked"], f"the vendor changed the cloud {EVIL}")
    with changing(server, database) as connection:
        expire = "UPDATE results SET verified_until = '2026-01-31 00:00:00' WHERE id = :id"
        connection.execute(sa.text(expire), {"id": ids["expired"]})
    ids["distribution"] = bob.product(ids["clear"], "Distribution")
    ids["unofficial"] = bob.result(bob.version(ids["distribution"], "9"), "object", "2019.11")
    secret = bob.product(ids["clear"], "Secret product", is_public=False)
    ids["of a private product"] = bob.result(bob.version(secret, "1"), "object")
    bob.verify(ids["of a private product"])
    return ids


def cells(page: str) -> dict[tuple[str, str], str]:
    """Return the texts of the matrix by product and column."""
    document = lxml.html.fromstring(page)
    columns = [" ".join(cell.itertext()) for cell in document.xpath("//thead//th")][1:]
    return {
        (row.xpath("string(th/a[1])"), column): " ".join(" ".join(cell.itertext()).split())
        for row in document.xpath("//table[@class='matrix']/tbody/tr")
        for column, cell in zip(columns, row.xpath("td"), strict=True)
        if cell.xpath("a")
    }


def links(page: str) -> set[str]:
    document = lxml.html.fromstring(page)
    return {link.rpartition("/")[2] for link in document.xpath("//td/a/@href")}


_SENTENCES = {
    "verified": "Verified by the Foundation until 2099-01-31",
    "expired": "Expired: the verification by the Foundation ended on 2026-01-31",
    "revoked": "Revoked by the Foundation on 2",
    "unofficial": "Unofficial Results – Not Yet Accepted",
}


@pytest.mark.parametrize("name", _SENTENCES)
def test_all_places_show_the_same_standing(server, site, name):
    result_id = site[name]
    assert server.call("GET", f"/v2/results/{result_id}").json()["standing"] == name
    page = lxml.html.fromstring(get(server, f"/results/{result_id}").text)
    sentence = page.xpath("string(//section[@aria-label='Standing']/p)")
    assert sentence.startswith(_SENTENCES[name])
    badge = server.call("GET", f"/results/{result_id}/badge.svg").text
    notes = {note for note in _SENTENCES if f"({note})" in badge}
    assert notes == ({name} if name != "verified" else set())
    rows = server.call("GET", "/results.csv").text.splitlines()
    assert [row.rpartition(",")[2] for row in rows if row.startswith(result_id)] == [name]


def test_the_owner_sees_that_a_revoked_result_is_private(server, alice, site):
    path = f"/v2/results/{site['revoked']}/sharing"
    assert server.call("PUT", path, alice, json={"with": "nobody"}).ok
    row = server.call("GET", f"/v2/results/{site['revoked']}", alice).json()
    assert (row["standing"], row["shared_with"]) == ("revoked", "nobody")
    assert server.call("GET", f"/v2/results/{site['revoked']}").status_code == 401
    assert server.call("PUT", path, alice, json={"with": "everybody"}).ok


def test_the_front_page_shows_how_public_products_stand(server, site):
    page = get(server, "/").text
    shown = cells(page)
    assert {place: text.split()[0] for place, text in shown.items()} == {
        ("Acme Cloud", "storage 2020.06"): "verified",
        ("Acme Cloud", "compute 2020.06"): "expired",
        ("Acme Cloud", "platform 2020.06"): "revoked",
        ("Distribution", "storage 2019.11"): "unofficial",
    }
    assert "until 2099-01-31, since 20" in shown["Acme Cloud", "storage 2020.06"]
    assert "on 2026-01-31" in shown["Acme Cloud", "compute 2020.06"]
    assert links(page) == {site[name] for name in ("verified", "expired", "revoked", "unofficial")}
    assert page.index("Acme Cloud") < page.index("Distribution")
    assert "2 products" in page


def test_what_is_private_is_nowhere_on_the_front_page(server, site, bob, root):
    for who in (None, bob, root):
        page = server.call("GET", "/", who).text
        assert "Secret" not in page
        assert site["of a private product"] not in page
        assert site["without a standing"] not in page
    found = get(server, "/", search="Secret").text
    assert "No public product matches" in found


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"search": "acme"}, {"verified", "expired", "revoked"}),
        ({"search": "CLEAR <"}, {"unofficial"}),
        ({"search": "%"}, set()),
        ({"programme": "storage"}, {"verified", "unofficial"}),
        ({"programme": "storage", "search": "Distribution"}, {"unofficial"}),
        *(({"standing": name}, {name}) for name in ("verified", "expired", "revoked")),
        ({"standing": "unofficial"}, {"unofficial"}),
        ({"standing": "", "since": "", "search": " "}, {"verified", "expired"}),
        ({"since": "2020-01-01"}, {"verified", "expired", "revoked", "unofficial"}),
        ({"since": "2098-01-01"}, set()),
        ({"page": 999}, {"verified", "unofficial"}),
    ],
)
def test_the_front_page_is_filtered(server, site, filters, expected):
    found = links(get(server, "/", **filters).text)
    ids = {site[name] for name in expected}
    assert ids <= found if {"standing", "page"} & filters.keys() and len(ids) > 1 else ids == found


@pytest.mark.parametrize(
    "filters", [{"standing": "x"}, {"since": "x"}, {"page": 0}, {"search": "x" * 201}]
)
def test_a_filter_that_is_not_valid_is_refused(server, filters):
    assert get(server, "/", **filters).status_code == 400


@pytest.mark.parametrize("text", ["\0", "\x1b", "'", '"', "\\", "%00", "_", EVIL])
def test_any_text_can_be_searched(server, site, text):
    answer = get(server, "/", search=text, programme=text)
    assert answer.status_code == 200
    assert "<script" not in answer.text


def test_a_result_is_found_by_id_url_and_sha256(server, site, alice, tmp_path):
    key = make_key(tmp_path / "key")
    registered(server, alice, key)
    made = server.call("POST", "/v2/bundles", data=packed(tmp_path, key)).json()

    def found(text: str) -> str:
        answer = server.call("GET", "/", params={"search": text}, allow_redirects=False)
        if answer.status_code == 303:
            return answer.headers["location"]
        assert "No published result has this id or SHA-256" in answer.text
        return ""

    assert [found(made[name]) for name in ("id", "sha256", "url")] == [""] * 3
    path = f"/v2/results/{made['id']}/sharing"
    assert server.call("PUT", path, alice, json={"with": "everybody"}).ok
    expected = f"/results/{made['id']}"
    assert [found(made[name]) for name in ("id", "sha256", "url")] == [expected] * 3
    assert found(f" {made['sha256'].upper()} ") == expected
    assert [found(new_id()), found("0" * 64)] == ["", ""]


def test_a_renamed_product_shows_the_name_it_was_verified_under(server, site, alice, root):
    path = f"/v1/products/{site['cloud']}"
    assert server.call("PUT", path, alice, json={"name": "Better Cloud"}).ok
    shown = cells(get(server, "/").text)
    assert "verified as Acme Acme Cloud" in shown["Better Cloud", "storage 2020.06"]
    assert server.call("PUT", path, alice, json={"name": "Acme Cloud"}).ok
    assert "verified as" not in get(server, "/").text


def test_an_expired_certification_that_was_renewed_is_verified(server, site, alice, root, database):
    publisher = Publisher(server, alice, root)
    version = publisher.version(site["cloud"], "2")
    older, newer = (publisher.result(version, "object", "2018.11") for _ in range(2))
    for result_id in (newer, older):
        publisher.verify(result_id)
    publisher.revoke(older, "wrong cloud")
    column = "Acme Cloud", "storage 2018.11"
    page = get(server, "/").text
    assert cells(page)[column].startswith("verified without an end, since 20")
    assert newer in page
    publisher.revoke(newer, "wrong cloud too")
    page = get(server, "/").text
    assert cells(page)[column].startswith("revoked on 20")
    publisher.verify(older)
    page = get(server, "/").text
    assert (older in page, newer in page) == (True, False)
