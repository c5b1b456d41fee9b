"""RefStack v1's vendors, products, profile and guidelines over HTTP."""

import base64
import uuid

import pytest
from support.serving import join, product_of, user_path, vendor_of

from refstack_client.upload import rsa_key


def test_a_private_vendor_is_visible_to_its_users(server, alice, bob, root):
    vendor_id = vendor_of(server, alice)
    path = f"/v1/vendors/{vendor_id}"
    assert server.call("GET", path).status_code == 403
    assert server.call("GET", path, bob).status_code == 403
    shown = server.call("GET", path, alice).json()
    assert (shown["type"], shown["can_manage"], shown["created_by_user"]) == (1, True, alice.openid)
    assert server.call("GET", path, root).json()["can_manage"] is True

    def listed(who=None):
        return {vendor["id"] for vendor in server.call("GET", "/v1/vendors", who).json()["vendors"]}

    assert vendor_id in listed(alice) & listed(root)
    assert vendor_id not in listed() | listed(bob)


@pytest.mark.parametrize(
    "document",
    [{}, {"name": ""}, {"name": "  "}, {"name": 7}, {"name": "x" * 81}, {"name": "x", "type": 3}],
)
def test_an_invalid_vendor_is_refused(server, alice, document):
    assert server.call("POST", "/v1/vendors", alice, json=document).status_code == 400
    assert server.call("POST", "/v1/vendors", json=document).status_code == 401


def test_a_vendor_becomes_official_when_the_foundation_approves_it(server, alice, bob, root):
    vendor_id = vendor_of(server, alice, "Good Clouds")
    path = f"/v1/vendors/{vendor_id}/action"

    def act(who, **keys):
        return server.call("POST", path, who, json=keys)

    assert act(root, approve=True).json()["title"] == "Invalid organization state for this action."
    assert act(alice).status_code == 400
    assert act(alice, register=True, cancel=True).status_code == 400
    assert act(bob, register=True).status_code == 403
    assert act(alice, register=True).json() is None
    assert act(alice, approve=True).status_code == 403
    assert act(root, deny=True).status_code == 400
    assert act(root, deny=True, registration_decline_reason="no").status_code == 200
    refused = server.call("GET", f"/v1/vendors/{vendor_id}", alice).json()
    assert refused["properties"] == '{"registration_decline_reason": "no"}'
    act(alice, register=True)
    assert act(alice, cancel=True).status_code == 200
    act(alice, register=True)
    assert act(root, approve=True).status_code == 200
    official = server.call("GET", f"/v1/vendors/{vendor_id}", alice).json()
    assert (official["type"], official["properties"]) == (3, None)
    assert server.call("GET", f"/v1/vendors/{vendor_id}").json()["name"] == "Good Clouds"
    renamed = {"name": "Better Clouds"}
    assert server.call("PUT", f"/v1/vendors/{vendor_id}", alice, json=renamed).status_code == 403
    assert server.call("PUT", f"/v1/vendors/{vendor_id}", root, json=renamed).status_code == 200
    described = server.call("PUT", f"/v1/vendors/{vendor_id}?description=x", alice)
    assert described.json()["description"] == "x"


def test_users_act_for_a_vendor_after_they_are_added(server, alice, bob, carol):
    vendor_id = vendor_of(server, alice)
    assert server.call("GET", f"/v1/vendors/{vendor_id}/users").status_code == 401
    assert server.call("GET", f"/v1/vendors/{vendor_id}/users", bob).json() is None
    assert server.call("PUT", user_path(vendor_id, bob), bob).status_code == 403
    for _ in range(2):
        assert server.call("PUT", user_path(vendor_id, bob), alice).status_code == 204
    assert server.call("GET", f"/v1/vendors/{vendor_id}/users", bob).json() is None
    (invitation,) = server.call("GET", "/v2/invitations", bob).json()
    assert invitation["vendor_id"] == vendor_id
    assert server.call("PUT", f"/v2/invitations/{vendor_id}", carol).status_code == 404
    assert server.call("PUT", f"/v2/invitations/{vendor_id}", bob).status_code == 204
    assert server.call("GET", "/v2/invitations", bob).json() == []
    users = server.call("GET", f"/v1/vendors/{vendor_id}/users", bob).json()
    assert {user["openid"] for user in users} == {alice.openid, bob.openid}
    for _ in range(2):
        assert server.call("DELETE", user_path(vendor_id, bob), alice).status_code == 204
    assert server.call("PUT", f"/v1/vendors/{vendor_id}/users/%21", alice).status_code == 400
    unknown = base64.b64encode(b"unknown").decode()
    added = server.call("PUT", f"/v1/vendors/{vendor_id}/users/{unknown}", alice)
    assert added.status_code == 404


def test_results_of_a_product_belong_to_all_users_of_its_vendor(server, alice, bob, carol):
    vendor_id = vendor_of(server, alice)
    product_id = product_of(server, alice, vendor_id, version="1")
    (version,) = server.call("GET", f"/v1/products/{product_id}/versions", alice).json()
    assert version["version"] == "1"
    result_id = server.upload(["t"], alice)
    path = f"/v1/results/{result_id}"
    join(server, vendor_id, alice, bob)
    assert server.call("GET", path, bob).status_code == 401
    attached = server.call("PUT", path, alice, json={"product_version_id": version["id"]})
    assert attached.json()["product_version"]["product_info"]["id"] == product_id
    assert server.call("GET", path, bob).json()["user_role"] == "owner"
    assert server.call("GET", path, carol).status_code == 401
    listed = server.call("GET", f"/v1/results?product_id={product_id}", bob).json()["results"]
    assert [result["id"] for result in listed] == [result_id]
    assert server.call("GET", f"/v1/results?product_id={product_id}", carol).status_code == 403
    assert server.call("POST", f"{path}/meta/shared", bob, data="true").status_code == 201
    assert server.call("GET", path).json()["product_version"] is None  # the product is private
    for what in (f"products/{product_id}", f"vendors/{vendor_id}"):
        assert server.call("DELETE", f"/v1/{what}", alice).status_code == 400
    server.call("DELETE", user_path(vendor_id, bob), alice)
    assert server.call("DELETE", path, bob).status_code == 403
    assert server.call("DELETE", path, alice).status_code == 204
    assert server.call("DELETE", f"/v1/vendors/{vendor_id}", alice).status_code == 204
    assert server.call("GET", f"/v1/products/{product_id}", alice).status_code == 404


def test_an_upload_is_attached_to_the_version_with_its_cpid(server, alice, bob):
    vendor_id = vendor_of(server, alice)
    product_id = product_of(server, alice, vendor_id)
    cpid = str(uuid.uuid4())
    versions = f"/v1/products/{product_id}/versions"
    made = server.call("POST", versions, alice, json={"version": "2", "cpid": cpid}).json()

    def attached_to(who):
        result_id = server.upload(["t"], who, cpid=cpid)
        return server.call("GET", f"/v1/results/{result_id}", who).json()["product_version"]

    assert attached_to(alice)["id"] == made["id"]
    assert attached_to(bob) is None
    server.call("POST", versions, alice, json={"version": "3", "cpid": cpid})
    assert attached_to(alice) is None  # The cpid is ambiguous.


def test_versions_of_a_product(server, alice, bob):
    product_id = product_of(server, alice)
    versions = f"/v1/products/{product_id}/versions"
    assert server.call("GET", versions).status_code == 403
    (unnamed,) = server.call("GET", versions, alice).json()
    assert unnamed["version"] is None
    assert server.call("DELETE", f"{versions}/{unnamed['id']}", alice).status_code == 400
    assert server.call("POST", versions, alice, json={"version": " "}).status_code == 400
    made = server.call("POST", versions, alice, json={"version": "1"})
    assert made.status_code == 201
    assert server.call("POST", versions, alice, json={"version": "1"}).status_code == 409
    path = f"{versions}/{made.json()['id']}"
    assert server.call("GET", path, alice).json() == made.json()
    long = "x" * 128
    assert server.call("PUT", path, alice, json={"cpid": long}).json()["cpid"] == long
    assert server.call("PUT", path, alice, json={"cpid": long + "x"}).status_code == 400
    assert server.call("PUT", path, bob, json={"cpid": "x"}).status_code == 403
    other = product_of(server, alice)
    wrong = f"/v1/products/{other}/versions/{made.json()['id']}"
    assert server.call("GET", wrong, alice).status_code == 404
    assert server.call("DELETE", path, alice).status_code == 204


def test_a_product_can_become_public_after_its_vendor_is_official(server, alice, root):
    vendor_id = vendor_of(server, alice)
    product_id = product_of(server, alice, vendor_id)
    path = f"/v1/products/{product_id}"
    assert server.call("PUT", path, alice, json={"public": True}).status_code == 403
    assert server.call("GET", path, alice).json()["public"] is False
    for who, step in ((alice, "register"), (root, "approve")):
        server.call("POST", f"/v1/vendors/{vendor_id}/action", who, json={step: True})
    assert server.call("PUT", path, alice, json={"public": True}).json() == {
        "id": product_id,
        "name": "Product",
        "organization_id": vendor_id,
        "public": True,
        "can_manage": True,
    }
    assert "properties" not in server.call("GET", path).json()
    listed = server.call("GET", f"/v1/products?organization_id={vendor_id}").json()["products"]
    assert [(product["id"], product["can_manage"]) for product in listed] == [(product_id, False)]


def test_properties_of_a_product_are_json_text(server, alice):
    path = f"/v1/products/{product_of(server, alice)}"
    assert server.call("GET", path, alice).json()["properties"] is None
    assert server.call("PUT", path, alice, json={"properties": {"a": 1}}).ok
    assert server.call("GET", path, alice).json()["properties"] == '{"a": 1}'


def test_a_product_is_added_only_to_the_users_own_vendor(server, alice, bob):
    vendor_id = vendor_of(server, alice)
    mine = {"name": "x", "product_type": 0, "organization_id": vendor_id}
    assert server.call("POST", "/v1/products", bob, json=mine).status_code == 403
    for wrong in ({"product_type": 9}, {"organization_id": "none"}, {"name": " "}):
        assert server.call("POST", "/v1/products", alice, json={**mine, **wrong}).status_code == 400
    software = server.call("GET", f"/v1/products/{product_of(server, bob, product_type=0)}", bob)
    assert software.json()["type"] == 1


def test_a_key_is_registered_with_proof_of_possession(server, alice, bob):
    from support.serving import person  # noqa: PLC0415

    assert server.call("GET", "/v1/profile").status_code == 401
    profile = server.call("GET", "/v1/profile", alice).json()
    assert (profile["openid"], profile["is_admin"]) == (alice.openid, False)
    new = person("new").key
    line = f"{rsa_key.public_line(new)} my laptop, the old one"
    proof = rsa_key.sign(new, b"signature")

    def add(who, raw_key, self_signature):
        document = {"raw_key": raw_key, "self_signature": self_signature}
        return server.call("POST", "/v1/profile/pubkeys", who, json=document)

    added = add(alice, line, proof)
    assert added.status_code == 201
    keys = {key["id"]: key for key in server.call("GET", "/v1/profile/pubkeys", alice).json()}
    assert keys[added.json()]["comment"] == "my laptop, the old one"
    assert keys[added.json()]["format"] == "ssh-rsa"
    assert add(bob, line, proof).json()["title"] == "Public key already exists."
    for raw_key, signature, title in (
        ("", proof, "Public key has unsupported format"),
        ("ssh-ed25519 AAAA x", proof, "Public key has unsupported format"),
        ("ssh-rsa AAAA", proof, "Malformed public key"),
        (line, "zz", "Malformed signature"),
        (line, rsa_key.sign(new, b"other"), "Signature verification failed"),
    ):
        answer = add(alice, raw_key, signature)
        assert (answer.status_code, answer.json()["title"]) == (400, title)
    assert server.call("DELETE", f"/v1/profile/pubkeys/{added.json()}", bob).status_code == 404
    assert server.call("DELETE", f"/v1/profile/pubkeys/{added.json()}", alice).status_code == 204


def test_the_shipped_guidelines_are_served(server):
    groups = server.call("GET", "/v1/guidelines").json()
    assert {"name": "2020.06.json", "file": "2020.06.json"} in groups["powered"]
    assert {"name": "2020.06.json", "file": "dns.2020.06.json"} in groups["dns"]
    assert groups.keys() == {"powered", "dns", "orchestration"}
    for name in ("2020.06", "2020.06.json", "dns.2020.06"):
        assert server.call("GET", f"/v1/guidelines/{name}").json()["capabilities"]
    for name in ("1999.01", "..", "%2e%2e%2fREADME", "README.rst", "%2Fetc%2Fpasswd"):
        assert server.call("GET", f"/v1/guidelines/{name}").status_code == 404


# RefStack's own line counts: platform, compute, object.
LINES = {
    "2015.03": (127, 112, 15),
    "2015.05": (128, 113, 17),
    "2016.08": (403, 356, 49),
    "2018.02": (519, 460, 60),
    "2020.06": (390, 331, 61),
}


@pytest.mark.parametrize("guideline", LINES)
def test_lists_of_tests_have_as_many_lines_as_in_refstack(server, guideline):
    counts = tuple(
        len(
            server.call(
                "GET", f"/v1/guidelines/{guideline}/tests", params={"target": target}
            ).text.split("\n")
        )
        for target in ("platform", "compute", "object")
    )
    assert counts == LINES[guideline]


@pytest.mark.parametrize(
    ("path", "filters", "lines"),
    [
        ("dns.2020.06", {"target": "dns"}, 10),
        ("orchestration.2020.06", {"target": "orchestration"}, 60),
        ("2020.06", {"alias": "false"}, 286),
        ("2020.06", {"flag": "false"}, 377),
        ("2020.06", {"alias": "0", "flag": "no", "type": "required"}, 275),
    ],
)
def test_lists_of_tests_are_filtered(server, path, filters, lines):
    answer = server.call("GET", f"/v1/guidelines/{path}/tests", params=filters)
    assert answer.headers["content-type"].lower() == "text/plain; charset=utf-8"
    assert len(answer.text.split("\n")) == lines
    assert answer.text.split("\n") == sorted(answer.text.split("\n"))


def test_unknown_lists_of_tests_are_refused(server):
    path = "/v1/guidelines/2020.06/tests"
    assert server.call("GET", path, params={"target": "bogus"}).status_code == 400
    assert server.call("GET", path, params={"type": "bogus"}).status_code == 400
    assert server.call("GET", "/v1/guidelines/none/tests").status_code == 404
    assert server.call("GET", path, params={"type": "removed"}).status_code == 204
