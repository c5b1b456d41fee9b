"""The pages of a vendor and of a result: whose it is, and what the Foundation decided."""

import lxml.html
import pytest
import sqlalchemy as sa
from support.browsing import EVIL, get
from support.publishing import Publisher, changing

from refstack_server.store.schema import new_id


@pytest.fixture(scope="module")
def alice_at(server, people) -> Publisher:
    return Publisher(server, people["alice"], people["root"])


def facts(page: str) -> dict[str, str]:
    """Return the facts of a result's page by label."""
    (listed,) = lxml.html.fromstring(page).xpath("//dl[@class='facts'][1]") or [None]
    if listed is None:
        return {}
    labels = [label.text_content() for label in listed.xpath("dt")]
    shown = dict(zip(labels, (text.text_content() for text in listed.xpath("dd")), strict=True))
    # Its own tests are in test_attestations.py.
    shown.pop("Attestation", None)
    return shown


def test_a_result_page_shows_whose_it_is(server, alice_at, database):
    vendor_id = alice_at.vendor("Acme")
    product_id = alice_at.product(vendor_id, "Cloud")
    result_id = alice_at.result(alice_at.version(product_id, "7"), "object")

    def shown() -> dict[str, str]:
        return facts(get(server, f"/results/{result_id}").text)

    names = {"Vendor": "Acme", "Product": "Cloud", "Version": "7"}
    assert shown() == names
    page = get(server, f"/results/{result_id}").text
    assert f'<a href="/products/{product_id}">Cloud</a>' in page
    alice_at.verify(result_id, until="2099-01-31")
    verified = shown()
    since = verified["Verified"].rpartition(" ")[2]
    assert verified == {
        **names,
        "Verified": f"until 2099-01-31, since {since}",
        "Reason": "agreed",
    }
    path = f"/v1/products/{product_id}"
    alice_at.must(alice_at.owner, "PUT", path, json={"name": "Better"})
    assert shown() == {**verified, "Product": "Better", "Verified as": "Acme · Cloud · 7"}
    alice_at.must(alice_at.owner, "PUT", path, json={"public": False})
    assert shown() == verified
    assert "Better" not in get(server, f"/results/{result_id}").text
    alice_at.must(alice_at.owner, "PUT", path, json={"public": True, "name": "Cloud"})
    with changing(server, database) as connection:
        expire = "UPDATE results SET verified_until = '2026-01-31 00:00:00' WHERE id = :id"
        connection.execute(sa.text(expire), {"id": result_id})
    expired = shown()
    assert (expired["Verified"], expired["Expired"]) == (f"on {since}", "on 2026-01-31")
    alice_at.revoke(result_id, f"changed {EVIL}")
    assert shown() == {
        **names,
        "Verified": f"on {since}",
        "Revoked": f"on {since}",
        "Reason": f"changed {EVIL}",
    }
    assert "<script" not in get(server, f"/results/{result_id}").text


def test_a_result_page_names_no_private_product(server, alice_at, alice):
    vendor_id = alice_at.vendor("Quiet")
    product_id = alice_at.product(vendor_id, "Secret", is_public=False)
    result_id = alice_at.result(alice_at.version(product_id, "s3"), "object")
    alice_at.verify(result_id)
    shown = facts(get(server, f"/results/{result_id}").text)
    assert shown["Verified"].startswith("without an end, since 20")
    assert not {"Vendor", "Product", "Version", "Verified as"} & shown.keys()
    own = server.call("GET", f"/results/{result_id}", alice).text
    assert facts(own)["Product"] == "Secret"


def test_a_vendor_page_begins_with_current_certifications(server, alice_at):
    vendor_id = alice_at.vendor("Certified")
    version = alice_at.version(alice_at.product(vendor_id, "Sky"), "1")
    hidden = alice_at.product(vendor_id, "Hidden", is_public=False)
    ids = [alice_at.result(version, target) for target in ("object", "compute", "platform")]
    private = alice_at.result(alice_at.version(hidden, "1"), "object")
    for result_id in (*ids[:2], private):
        alice_at.verify(result_id, until="2099-01-31")
    alice_at.revoke(ids[1], "wrong")
    page = get(server, f"/vendors/{vendor_id}").text
    assert page.index("Current certifications") < page.index("<h2>Products")
    assert "until 2099-01-31" in page
    assert [result_id in page for result_id in (*ids, private)] == [True, False, False, False]
    assert "Hidden" not in page
    alice_at.revoke(ids[0], "wrong too")
    assert "Current certifications" not in get(server, f"/vendors/{vendor_id}").text


def test_a_vendor_page_shows_all_certifications_on_several_pages(server, alice_at, database):
    vendor_id = alice_at.vendor("Plenty")
    product_id = alice_at.product(vendor_id, "Cloud 000")
    result_id = alice_at.result(alice_at.version(product_id, "1"), "object")
    alice_at.verify(result_id)
    with changing(server, database) as connection:
        for number in range(1, 102):
            copied(connection, result_id, f"Cloud {number:03}")
    found = set()
    for page in (1, 2, 3):
        document = lxml.html.fromstring(get(server, f"/vendors/{vendor_id}", page=page).text)
        rows = document.xpath("//table[@class='matrix']/tbody/tr/th/a[1]/text()")
        assert document.xpath("string(//caption)").startswith("102 products verified by")
        assert len(rows) == {1: 100, 2: 2, 3: 2}[page]
        assert document.xpath("//a[@rel='next']/@href") == (["?page=2"] if page == 1 else [])
        found |= set(rows)
    assert found == {f"Cloud {number:03}" for number in range(102)}


def copied(connection: sa.Connection, result_id: str, name: str) -> None:
    """Store a copy of a result, for another product with a version of its own."""
    tables = sa.MetaData()
    tables.reflect(connection)
    results, versions, products = (
        tables.tables[table] for table in ("results", "product_versions", "products")
    )

    def copy(table: sa.Table, row_id: str, **values: str | None) -> str:
        query = sa.select(table).where(table.c.id == row_id)
        row = dict(connection.execute(query).mappings().one())
        row.pop("number", None)
        copy_id = new_id()
        connection.execute(table.insert().values({**row, "id": copy_id, **values}))
        return copy_id

    query = sa.select(results.c.product_version_id).where(results.c.id == result_id)
    version_id = connection.scalar(query)
    query = sa.select(versions.c.product_id).where(versions.c.id == version_id)
    product_id = copy(products, connection.scalar(query), name=name)
    version_id = copy(versions, version_id, product_id=product_id)
    copy(results, result_id, product_version_id=version_id, upload_digest=None)
