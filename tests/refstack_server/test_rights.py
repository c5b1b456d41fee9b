"""Who may do what: requests by which one user would get at what is another's."""

import json

import pytest
import requests
from support.serving import (
    join,
    official_vendor_of,
    person,
    product_of,
    user_path,
    vendor_of,
)

from refstack_client.upload import rsa_key
from refstack_server.store.audit_log import is_intact


def log(server) -> list[dict]:
    entries = server.call("GET", "/v2/log?most=1000").json()
    assert is_intact(entries)
    return [json.loads(entry["text"]) for entry in entries]


def events(server, **values) -> list[str]:
    return [entry["event"] for entry in log(server) if values.items() <= entry.items()]


def version_of(server, who, product_id, **fields) -> str:
    made = server.call("POST", f"/v1/products/{product_id}/versions", who, json=fields)
    assert made.status_code == 201, made.text
    return made.json()["id"]


def public_version_of(server, who, foundation, cpid="cpid-of-product") -> tuple[str, str, str]:
    """Return the ids of an official vendor, a public product of it, and its version."""
    vendor_id = official_vendor_of(server, who, foundation)
    product_id = product_of(server, who, vendor_id, name="Sky")
    assert server.call("PUT", f"/v1/products/{product_id}", who, json={"public": True}).ok
    return vendor_id, product_id, version_of(server, who, product_id, version="1", cpid=cpid)


def publish(server, who, result_id, version_id=None) -> None:
    if version_id:
        document = {"product_version_id": version_id}
        assert server.call("PUT", f"/v1/results/{result_id}", who, json=document).ok
    for key, value in (("guideline", "2020.06"), ("target", "object"), ("shared", "true")):
        path = f"/v1/results/{result_id}/meta/{key}"
        assert server.call("POST", path, who, data=value).status_code == 201


def test_users_join_a_vendor_only_by_accepting(server, alice, bob, carol):
    vendor_id = vendor_of(server, alice)
    assert server.call("PUT", user_path(vendor_id, bob), alice).status_code == 204
    assert server.call("GET", f"/v1/vendors/{vendor_id}", bob).status_code == 403
    assert server.call("DELETE", f"/v2/invitations/{vendor_id}", bob).status_code == 204
    assert server.call("PUT", f"/v2/invitations/{vendor_id}", bob).status_code == 404
    assert server.call("PUT", f"/v2/invitations/{vendor_id}").status_code == 401
    server.call("PUT", user_path(vendor_id, carol), alice)
    assert server.call("DELETE", user_path(vendor_id, carol), alice).status_code == 204
    assert server.call("PUT", f"/v2/invitations/{vendor_id}", carol).status_code == 404
    assert events(server, vendor=vendor_id) == ["joined"]


def test_joining_and_leaving_are_recorded_without_a_name(server, alice, bob):
    vendor_id = vendor_of(server, alice)
    join(server, vendor_id, alice, bob)
    assert server.call("DELETE", user_path(vendor_id, alice), bob).status_code == 204
    assert events(server, vendor=vendor_id) == ["joined", "joined", "left"]
    last = server.call("DELETE", user_path(vendor_id, bob), bob)
    assert (last.status_code, last.json()["title"]) == (
        409,
        "this is the last user of the vendor; invite another user first",
    )
    assert "id.example.org" not in json.dumps(log(server))


def test_names_and_emails_are_visible_to_their_owner_and_the_foundation(
    server, database, alice, bob, root
):
    vendor_id = vendor_of(server, alice)
    join(server, vendor_id, alice, bob)

    def seen_by(who) -> dict[str, bool]:
        users = server.call("GET", f"/v1/vendors/{vendor_id}/users", who).json()
        return {user["openid"]: bool(user["email"] and user["fullname"]) for user in users}

    assert seen_by(alice) == {alice.openid: True, bob.openid: False}
    assert seen_by(root) == {alice.openid: True, bob.openid: True}


def test_the_foundation_does_not_join_vendors(server, alice, bob, root):
    vendor_id = vendor_of(server, alice)
    for who, invited in ((root, root), (root, bob), (alice, root)):
        assert server.call("PUT", user_path(vendor_id, invited), who).status_code == 403
    assert server.call("PUT", f"/v2/invitations/{vendor_id}", root).status_code == 404


def test_no_result_is_attached_to_a_product_of_another_vendor(server, alice, bob, root):
    cpid = "cloud-of-alice"
    vendor_id = vendor_of(server, bob)
    theirs = version_of(server, bob, product_of(server, bob, vendor_id), version="1", cpid=cpid)
    server.call("PUT", user_path(vendor_id, alice), bob)  # Alice does not accept.
    result_id = server.upload(["t"], alice, cpid=cpid)
    path = f"/v1/results/{result_id}"
    assert server.call("GET", path, bob).status_code == 401
    assert server.call("GET", path, alice).json()["product_version"] is None
    document = {"product_version_id": theirs}
    assert server.call("PUT", path, alice, json=document).status_code == 403
    # The version of another vendor does not make the own one ambiguous either.
    own = version_of(server, alice, product_of(server, alice), version="1", cpid=cpid)
    attached = server.call("GET", f"/v1/results/{server.upload(['t'], alice, cpid=cpid)}", alice)
    assert attached.json()["product_version"]["id"] == own
    by_foundation = server.upload(["t"], root, cpid=cpid)
    shown = server.call("GET", f"/v1/results/{by_foundation}", root).json()
    assert shown["product_version"] is None


def test_the_foundation_takes_no_result(server, alice, root):
    result_id = server.upload(["t"], alice)
    path = f"/v1/results/{result_id}"
    submitted = server.call(
        "PUT", f"/v2/results/{result_id}/sharing", alice, json={"with": "certifier"}
    )
    assert submitted.ok
    own = version_of(server, root, product_of(server, root), version="1")
    assert server.call("GET", path, root).status_code == 200
    refused = [
        server.call("PUT", path, root, json={"product_version_id": own}),
        server.call("PUT", path, root, json={"product_version_id": None}),
        server.call("PUT", f"/v2/results/{result_id}/sharing", root, json={"with": "everybody"}),
        server.call("POST", f"{path}/meta/shared", root, data="true"),
        server.call("POST", f"{path}/meta/target", root, data="object"),
        server.call("DELETE", path, root),
    ]
    assert [answer.status_code for answer in refused] == [403] * len(refused)
    publish(server, alice, result_id)
    assert server.call("DELETE", path, root).status_code == 204
    assert events(server, result=result_id) == ["published", "removed"]


def test_attaching_and_removing_are_recorded_without_a_verdict_while_private(server, alice):
    product_id = product_of(server, alice)
    version_id = version_of(server, alice, product_id, version="1")
    result_id = server.upload(["t"], alice)
    path = f"/v1/results/{result_id}"
    for value in (version_id, version_id, None):
        assert server.call("PUT", path, alice, json={"product_version_id": value}).ok
    assert server.call("DELETE", path, alice).status_code == 204
    entries = [entry for entry in log(server) if entry.get("result") == result_id]
    assert [entry["event"] for entry in entries] == ["attached", "detached", "removed"]
    assert all(set(entry) == {"at", "event", "result"} for entry in entries)


def test_a_verified_result_keeps_the_names_it_was_verified_under(server, alice, root):
    _, product_id, version_id = public_version_of(server, alice, root)
    result_id = server.upload(["t"], alice)
    publish(server, alice, result_id, version_id)
    verified = server.call(
        "PUT", f"/v2/results/{result_id}/verification", root, json={"why": "agreed"}
    )
    assert verified.ok, verified.text

    def product() -> str:
        rows = server.call("GET", "/results.csv").text.splitlines()
        (row,) = (row for row in rows if result_id in row)
        return row.split(",")[5]

    path = f"/v1/products/{product_id}"
    assert product() == "Sky"
    assert server.call("PUT", path, alice, json={"name": "Heaven"}).ok
    assert product() == "Sky (now Heaven)"
    assert "Sky (now Heaven)" in server.call("GET", "/results").text
    assert server.call("PUT", path, alice, json={"public": False}).ok
    assert product() == "Sky"
    (entry,) = (
        entry
        for entry in log(server)
        if entry["event"] == "verified" and entry["result"] == result_id
    )
    assert (entry["product"], entry["version"]) == ("Sky", "1")


def test_the_cpid_filter_finds_only_what_shows_its_cpid(server, alice, bob, root):
    _, _, version_id = public_version_of(server, alice, root, cpid="named-by-product")
    hidden, named = (
        server.upload(["t"], alice, cpid=cpid) for cpid in ("md5-of-host", "named-by-product")
    )
    publish(server, alice, hidden)
    publish(server, alice, named)

    def found(who, cpid) -> list[str]:
        answer = server.call("GET", "/v1/results", who, params={"cpid": cpid})
        return [row["id"] for row in answer.json()["results"]]

    assert found(None, "MD5-of-host") == found(bob, "md5-of-host") == []
    assert found(alice, "MD5-of-host") == found(root, "md5-of-host") == [hidden]
    shown = server.call("GET", f"/v1/results/{named}").json()
    assert shown["product_version"]["cpid"] == "named-by-product"
    assert found(None, "named-by-product") == [named]
    assert version_id == shown["product_version"]["id"]


def test_the_constant_proof_of_v1_gives_no_right_beyond_v1(server, people):
    owner, thief = person("owner"), people["bob"]
    line = rsa_key.public_line(owner.key)
    proof = {"raw_key": line, "self_signature": rsa_key.sign(owner.key, b"signature")}
    assert server.call("POST", "/v1/profile/pubkeys", thief, json=proof).status_code == 201
    token = type(owner)(thief.openid, owner.key)  # Signed with the key, for the thief.
    assert server.call("GET", "/v1/profile", token).status_code == 200
    assert server.call("GET", "/v2/invitations", token).status_code == 400
    assert requests.get(f"{server.url}/mine", headers=token.token, timeout=30).status_code == 400


def test_the_same_signed_upload_again_is_the_same_result(server, alice, bob):
    body = b'{"cpid": "again", "duration_seconds": 1, "results": [{"name": "t"}]}'

    def upload(who) -> str:
        headers = who.signed(body) if who else {}
        answer = server.call("POST", "/v1/results", data=body, headers=headers)
        assert answer.status_code == 201
        return answer.json()["test_id"]

    first = upload(alice)
    assert upload(alice) == first
    assert upload(bob) != first
    assert upload(None) != upload(None)


@pytest.mark.parametrize("field", ["name", "description"])
@pytest.mark.parametrize("text", ["Red Hat\u202e", "a\x1b[31m", "a\u200bb", "a\u2028b", "\ud800"])
def test_hidden_characters_are_refused(server, alice, field, text):
    body = json.dumps({"name": "x", field: text}).encode()
    assert server.call("POST", "/v1/vendors", alice, data=body).status_code == 400


def test_texts_in_lists_are_bounded(server, alice, root):
    vendor_id = official_vendor_of(server, alice, root)
    path = f"/v1/vendors/{vendor_id}"
    for long in ({"description": "x" * 5000}, {"properties": {"x": "x" * 5000}}):
        assert server.call("PUT", path, alice, json=long).status_code == 400
    assert server.call("PUT", path, alice, json={"description": "zwei\nZeilen"}).ok


@pytest.mark.parametrize(
    "name",
    [
        *("Clear Sky International", "CLEARSKY international", "C1ear-Sky lnternational"),
        *("Cle\u0430r Sky International", "\uff23lear Sky International"),
    ],
)
def test_a_name_that_looks_like_an_official_vendors_is_refused(server, alice, bob, root, name):
    listed = server.call("GET", "/v1/vendors").json()["vendors"]
    if not any(vendor["name"] == "Clear Sky International" for vendor in listed):
        official_vendor_of(server, alice, root, "Clear Sky International")
    assert server.call("POST", "/v1/vendors", bob, json={"name": name}).status_code == 409
    own = vendor_of(server, bob)
    assert server.call("PUT", f"/v1/vendors/{own}", bob, json={"name": name}).status_code == 409


def test_a_vendor_is_not_renamed_while_the_foundation_decides(server, alice, root):
    vendor_id = vendor_of(server, alice, "Harmless")
    path, action = f"/v1/vendors/{vendor_id}", f"/v1/vendors/{vendor_id}/action"
    server.call("POST", action, alice, json={"register": True})
    renamed = server.call("PUT", path, alice, json={"name": "Harmful"})
    assert renamed.status_code == 403
    for step in ({"cancel": True}, {"register": True}):
        server.call("POST", action, alice, json=step)
        server.call("PUT", path, alice, json={"name": "Harmful"})
    approved = server.call("POST", action, root, json={"approve": True, "name": "Harmless"})
    assert approved.status_code == 409
    assert server.call("GET", path, alice).json()["type"] == 2
