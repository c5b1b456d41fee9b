"""The list of results: filters, pages, and what it must not reveal."""

import base64
import hashlib
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session
from support.bundles import make_key, packed, registered
from support.making import STORAGE
from support.serving import join, official_vendor_of, product_of, vendor_of

from refstack_server.api.v2.result_list import Filters
from refstack_server.settings import Settings
from refstack_server.store import database as databases
from refstack_server.store.errors import InvalidError
from refstack_server.store.schema import Result, now
from refstack_server.web import cursors

PARAMETERS = [*Filters.model_fields, "cpid"]
NAMES = [test.name for test in STORAGE.counted_tests()]
STORAGE_OF_2020 = {"guideline": "2020.06", "target": "object"}


def listed(server, who=None, **filters) -> list[dict]:
    answer = server.call("GET", "/v2/results", who, params={"most": 200, **filters})
    assert answer.status_code == 200, answer.text
    return answer.json()["results"]


def ids(server, who=None, **filters) -> list[str]:
    return [row["id"] for row in listed(server, who, **filters)]


def shared(server, who, result_id, with_="everybody") -> str:
    path = f"/v2/results/{result_id}/sharing"
    answer = server.call("PUT", path, who, json={"with": with_})
    assert answer.status_code == 200, answer.text
    return result_id


def judged(server, who, names=NAMES) -> str:
    """Upload a result in RefStack v1's format that has a verdict; return its id."""
    result_id = server.upload(names, who)
    for key, value in STORAGE_OF_2020.items():
        server.call("POST", f"/v1/results/{result_id}/meta/{key}", who, data=value)
    return result_id


def attached(server, who, result_id, product_id, version="1") -> str:
    made = server.call(
        "POST", f"/v1/products/{product_id}/versions", who, json={"version": version}
    )
    document = {"product_version_id": made.json()["id"]}
    assert server.call("PUT", f"/v1/results/{result_id}", who, json=document).ok
    return result_id


def test_a_row_is_what_one_result_shows(server, alice, bob, root):
    vendor_id = official_vendor_of(server, alice, root, "Cirrus")
    product_id = product_of(server, alice, vendor_id, name="Veil")
    assert server.call("PUT", f"/v1/products/{product_id}", alice, json={"public": True}).ok
    result_id = attached(server, alice, judged(server, alice), product_id, "7")
    shared(server, alice, result_id)
    path = f"/v2/results/{result_id}"
    assert server.call("PUT", f"{path}/verification", root, json={"until": "2099-01-01"}).ok
    assert server.call("PUT", f"/v1/products/{product_id}", alice, json={"name": "Veil 2"}).ok
    for who in (None, alice, bob, root):
        (row,) = listed(server, who, id=result_id)
        assert row == server.call("GET", path, who).json()
    assert row.pop("uploaded_at")[:10] == datetime.now(UTC).date().isoformat()
    assert row.pop("duration_seconds") > 0
    assert row.pop("verified_at")[:10] == datetime.now(UTC).date().isoformat()
    assert row == {
        "id": result_id,
        "url": f"{server.url}/results/{result_id}",
        "kind": "passes",
        "sha256": None,
        "public_bundle": None,
        "guideline": "2020.06",
        "programme": "storage",
        "conformance": "conformant",
        "standing": "verified",
        "shared_with": "everybody",
        "verified": True,
        "verified_until": "2099-01-01T00:00:00",
        "revoked_at": None,
        "why": "",
        "marks": {"compatible": "yes", "powered": "not-attested"},
        "attestation": None,
        "signer": None,
        "verified_as": {"vendor": "Cirrus", "product": "Veil", "version": "7"},
        "vendor": {"id": vendor_id, "name": "Cirrus"},
        "product": {"id": product_id, "name": "Veil 2"},
        "version": "7",
    }
    found = ids(server, vendor=vendor_id, standing="verified", programme="storage")
    assert found == ids(server, product=product_id) == [result_id]
    assert server.call("POST", f"{path}/revocation", root, json={"why": "an error"}).ok
    (row,) = listed(server, id=result_id)
    assert (row["standing"], row["verified"], row["verified_as"]) == ("revoked", False, None)
    assert row["revoked_at"][:10] == datetime.now(UTC).date().isoformat()
    assert row["why"] == "an error"
    for standing in ("verified", "expired", "revoked", "unofficial"):
        found = ids(server, standing=standing, id=result_id)
        assert found == ([result_id] if standing == "revoked" else [])
    assert server.call("PUT", f"{path}/verification", root, json={}).ok
    (row,) = listed(server, id=result_id)
    assert (row["standing"], row["revoked_at"], row["why"]) == ("verified", None, "")


def test_each_filter_selects(server, alice):
    by_verdict = {
        "conformant": shared(server, alice, judged(server, alice)),
        "incomplete": shared(server, alice, judged(server, alice, NAMES[1:])),
    }
    neither = shared(server, alice, server.upload(["t"], alice))
    for verdict, result_id in by_verdict.items():
        found = ids(server, verdict=verdict, guideline="2020.06", programme="storage")
        assert result_id in found
        assert not {*by_verdict.values(), neither} - {result_id} & set(found)
    today = now().date()
    yesterday, tomorrow = (today + timedelta(days=days) for days in (-1, 1))
    for filters, is_found in (
        ({"uploaded_since": yesterday, "uploaded_until": tomorrow}, True),
        ({"uploaded_since": tomorrow}, False),
        ({"uploaded_until": yesterday}, False),
        ({"uploaded_until": "9999-12-31", "uploaded_since": "0001-01-01"}, True),
    ):
        assert (neither in ids(server, **filters)) == is_found


def test_a_verification_expires(server, database, alice, root):
    result_id = shared(server, alice, judged(server, alice))
    path = f"/v2/results/{result_id}"
    assert server.call("PUT", f"{path}/verification", root, json={"until": "2099-01-01"}).ok
    assert result_id in ids(server, standing="verified")
    engine = databases.connect(database or Settings(server.data, "").database_url)
    with Session(engine) as session:
        past = now() - timedelta(days=1)
        session.execute(sa.update(Result).where(Result.id == result_id).values(verified_until=past))
        session.commit()
    engine.dispose()
    for standing, is_found in (("verified", False), ("expired", True), ("unofficial", False)):
        assert (result_id in ids(server, standing=standing)) == is_found
    assert server.call("GET", path).json()["standing"] == "expired"


def test_readers_see_what_they_may_and_no_filter_finds_more(
    server, alice, bob, carol, root, tmp_path
):
    key = make_key(tmp_path / "key")
    registered(server, alice, key)
    content = packed(tmp_path, key)
    bundle = server.call("POST", "/v2/bundles", data=content).json()
    vendor_id = vendor_of(server, alice)
    join(server, vendor_id, alice, carol)
    product_id = product_of(server, alice, vendor_id)
    result_id = attached(server, alice, bundle["id"], product_id)
    finding = (
        {"id": result_id},
        {"sha256": hashlib.sha256(content).hexdigest(), "standing": "unofficial"},
        {"vendor": vendor_id, "verdict": "conformant", "programme": "storage"},
        {"product": product_id, "guideline": "2020.06"},
    )

    def found_by(who) -> list[bool]:
        return [ids(server, who, **filters) == [result_id] for filters in finding]

    nothing, everything = [False] * 4, [True] * 4
    # Private: its owner and the users of the vendor see it.
    assert [found_by(who) for who in (alice, carol)] == [everything] * 2
    assert [found_by(who) for who in (None, bob, root)] == [nothing] * 3
    assert result_id in ids(server, alice)
    assert result_id not in ids(server)
    shared(server, alice, result_id, "certifier")
    assert [found_by(who) for who in (root, None, bob)] == [everything, nothing, nothing]
    # Published, of a private product: other readers see the result without its product.
    shared(server, alice, result_id)
    for who in (None, bob):
        assert found_by(who) == [True, True, False, False]
        (row,) = listed(server, who, id=result_id)
        assert (row["vendor"], row["product"], row["version"]) == (None, None, None)
    for who in (alice, carol, root):
        assert found_by(who) == everything
        assert listed(server, who, id=result_id)[0]["vendor"]["id"] == vendor_id
    # A private product and one that does not exist look the same.
    unknown = server.call("GET", "/v2/results", params={"product": "none"})
    private = server.call("GET", "/v2/results", params={"product": product_id})
    assert unknown.json() == private.json() == {"results": [], "next": None}


def test_mine_are_own_results_and_those_of_own_vendors(server, alice, bob, carol, root):
    vendor_id = vendor_of(server, bob)
    join(server, vendor_id, bob, carol)
    product_id = product_of(server, bob, vendor_id)
    of_bob = attached(server, bob, server.upload(["t"], bob), product_id)
    others = shared(server, alice, server.upload(["t"], alice))
    for who, seen in ((bob, {of_bob}), (carol, {of_bob}), (alice, {others})):
        assert {of_bob, others} & set(ids(server, who, mine="true")) == seen
    # The Foundation sees results of RefStack v1's format, and owns none of them.
    assert ids(server, root, mine="true") == []
    assert {of_bob, others} <= set(ids(server, root))
    assert server.call("GET", "/v2/results?mine=true").status_code == 401
    assert others in ids(server, mine="false")


@pytest.mark.parametrize(
    ("query", "title"),
    [
        ("cpid=x", "Invalid query: 'cpid' is not a parameter; the parameters are "),
        (
            "a%00%0Ab=1",
            "Invalid query: 'a\\x00\\nb' is not a parameter; the parameters are ",
        ),
        ("standing=x", "standing: must be one of verified, expired, revoked, unofficial"),
        ("verdict=vacuous", "verdict: must be one of conformant, not-conformant, incomplete"),
        ("guideline=2099.01", "guideline: must be one of 2022.11, "),
        ("guideline=", "guideline: must be one of "),
        ("programme=x", "programme: must be one of "),
        ("uploaded_since=20260101", "uploaded_since: must be a date such as 2026-11-21"),
        ("uploaded_since=2026-02-30", "uploaded_since: must be a date such as 2026-11-21"),
        ("uploaded_until=1700000000", "uploaded_until: must be a date such as 2026-11-21"),
        (
            "uploaded_since=2026-01-02&uploaded_until=2026-01-01",
            "uploaded_since: must not be after uploaded_until",
        ),
        ("most=0", "most: must be a whole number from 1 to 200"),
        ("most=201", "most: must be a whole number from 1 to 200"),
        ("most=ten", "most: must be a whole number from 1 to 200"),
        ("mine=yes", "mine: must be true or false"),
        ("sha256=abc", "sha256: must be a SHA-256 of 64 hexadecimal digits"),
        ("id=a%00b", "id: must be an id of at most 36 letters, digits and hyphens"),
        ("vendor=%27", "vendor: must be an id of at most 36 letters, digits and hyphens"),
        ("product=", "product: must be an id of at most 36 letters, digits and hyphens"),
        ("most=1&most=2", "most: must not be repeated"),
        ("after=", "after: must be a cursor from a page of this list"),
        ("after=1", "after: must be a cursor from a page of this list"),
    ],
)
def test_a_parameter_that_is_not_valid_is_refused_with_what_is_allowed(server, query, title):
    answer = server.call("GET", f"/v2/results?{query}")
    assert answer.status_code == 400, answer.text
    assert answer.json()["title"].removeprefix("Invalid query/").startswith(title), answer.text


def test_pages_are_complete_and_stable_while_others_upload(server, alice):
    before = [shared(server, alice, server.upload(["t"], alice)) for _ in range(7)]
    query = {"uploaded_since": "2020-01-01", "most": 3}
    answer = server.call("GET", "/v2/results", params=query)
    seen = [row["id"] for row in answer.json()["results"]]
    assert seen == before[:-4:-1]
    with ThreadPoolExecutor(2) as threads:
        while url := answer.json()["next"]:
            assert answer.links["next"]["url"] == url
            assert url.startswith(f"{server.url}/v2/results?")
            # Both uploads and a removal are between two pages.
            threads.submit(server.upload, ["t"]).result()
            adding = threads.submit(server.upload, ["t"])
            answer = server.call("GET", url.removeprefix(server.url))
            adding.result()
            assert len(answer.json()["results"]) <= 3
            seen += [row["id"] for row in answer.json()["results"]]
    assert "Link" not in answer.headers
    assert len(seen) == len(set(seen))
    assert seen[: len(before)] == before[::-1]
    assert server.call("DELETE", f"/v1/results/{before[3]}", alice).status_code == 204


def test_a_page_continues_where_its_last_result_was_removed(server, alice):
    made = [shared(server, alice, server.upload(["t"], alice)) for _ in range(4)]
    first = server.call("GET", "/v2/results?most=2").json()
    assert [row["id"] for row in first["results"]] == [made[3], made[2]]
    assert server.call("DELETE", f"/v1/results/{made[2]}", alice).status_code == 204
    second = server.call("GET", first["next"].removeprefix(server.url)).json()
    assert [row["id"] for row in second["results"]] == [made[1], made[0]]


def test_a_cursor_shows_nothing_and_gives_no_right(server, alice, bob):
    of_alice = {server.upload(["t"], alice) for _ in range(2)}
    url = server.call("GET", "/v2/results?mine=true&most=1", alice).json()["next"]
    assert server.call("GET", url.removeprefix(server.url)).status_code == 401
    of_bob = server.call("GET", url.removeprefix(server.url), bob).json()["results"]
    assert not of_alice & {row["id"] for row in of_bob}
    again = server.call("GET", "/v2/results?mine=true&most=1", alice).json()["next"]
    assert again == url


@given(st.integers(0, 2**63 - 1))
def test_a_cursor_is_read_by_its_own_server_only(number):
    text = cursors.write("secret", number)
    assert cursors.read("secret", text) == number
    assert str(number) not in (text, base64.urlsafe_b64decode(text).decode("latin-1"))
    with pytest.raises(InvalidError, match="must be a cursor"):
        cursors.read("other", text)


@given(st.one_of(st.text(), st.binary().map(lambda raw: base64.urlsafe_b64encode(raw).decode())))
def test_no_other_text_is_a_cursor(text):
    with pytest.raises(InvalidError, match="must be a cursor"):
        cursors.read("secret", text)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.sampled_from(PARAMETERS), st.text(max_size=40), min_size=1))
def test_no_query_makes_the_server_fail(server, query):
    answer = server.call("GET", "/v2/results", params=query)
    assert answer.status_code in (200, 400, 401)
    if answer.status_code == 400:
        assert answer.json()["title"].startswith("Invalid query")


@given(st.integers(0, 2**40), st.integers(0, 31), st.characters(codec="ascii"))
def test_a_changed_cursor_is_refused(number, place, character):
    text = cursors.write("secret", number)
    changed = text[:place] + character + text[place + 1 :]
    if changed != text:
        with pytest.raises(InvalidError, match="must be a cursor"):
            cursors.read("secret", changed)
