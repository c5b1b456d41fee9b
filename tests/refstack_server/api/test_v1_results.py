"""RefStack v1's results over HTTP."""

import json
import uuid

import pytest
from support.making import NAMES

RESULT = {"cpid": "cloud", "duration_seconds": 5, "results": [{"name": "a.B.test_c"}]}


def post(server, document, who=None, **headers):
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    signed = who.signed(body) if who else {}
    return server.call("POST", "/v1/results", data=body, headers={**signed, **headers})


def test_an_unsigned_upload_is_public(server):
    answer = post(server, {**RESULT, "results": [{"name": "b", "uuid": "u"}, {"name": "a"}]})
    assert answer.status_code == 201
    result_id = answer.json()["test_id"]
    assert answer.json()["url"].endswith(f"/results/{result_id}")
    shown = server.call("GET", f"/v1/results/{result_id}").json()
    assert shown["results"] == ["b", "a"]
    assert shown["user_role"] == "user"
    assert "cpid" not in shown
    assert (shown["meta"], shown["product_version"], shown["verification_status"]) == ({}, None, 0)


def test_a_signed_upload_is_private_until_it_is_shared(server, alice, bob):
    result_id = server.upload(["t"], alice)
    assert server.call("GET", f"/v1/results/{result_id}").status_code == 401
    assert server.call("GET", f"/v1/results/{result_id}", bob).status_code == 401
    assert server.call("GET", f"/v1/results/{result_id}/meta", bob).status_code == 401
    own = server.call("GET", f"/v1/results/{result_id}", alice).json()
    assert (own["user_role"], own["cpid"]) == ("owner", "cloud")
    assert list(own) == [
        *("id", "created_at", "duration_seconds", "meta", "product_version"),
        *("verification_status", "cpid", "results", "user_role"),
    ]
    assert own["meta"] == {"user": alice.openid}

    def listed():
        rows = server.call("GET", "/v1/results").json()["results"]
        return [row for row in rows if row["id"] == result_id]

    assert not listed()
    path = f"/v1/results/{result_id}/meta/shared"
    assert server.call("POST", path, bob, data=b"true").status_code == 401
    assert server.call("POST", path, alice, data=b"true").json() is None
    assert listed()[0]["meta"] == {"shared": "true"}
    assert server.call("GET", f"/v1/results/{result_id}").json()["user_role"] == "user"
    assert server.call("GET", f"/v1/results/{result_id}/meta/user").status_code == 403
    assert server.call("DELETE", path, alice).status_code == 204
    assert not listed()
    assert server.call("DELETE", path, alice).status_code == 404


def test_a_signature_covers_the_exact_bytes(server, alice, carol):
    body = json.dumps(RESULT).encode()
    headers = alice.signed(body)
    assert server.call("POST", "/v1/results", data=body, headers=headers).status_code == 201
    upper = {**headers, "X-Signature": headers["X-Signature"].upper()}
    assert server.call("POST", "/v1/results", data=body, headers=upper).status_code == 201
    for changed, title in (
        ({**headers, "X-Signature": "zz"}, "Malformed signature"),
        ({**headers, "X-Signature": "abc"}, "Malformed signature"),
        ({"X-Signature": headers["X-Signature"]}, "Malformed public key"),
        ({**headers, "X-Public-Key": "ssh-rsa nonsense"}, "Malformed public key"),
        ({**headers, "X-Public-Key": "ssh-ed25519 AAAA"}, "Malformed public key"),
        (
            {**headers, "X-Public-Key": carol.signed(body)["X-Public-Key"]},
            "Signature verification failed",
        ),
        ({"X-Public-Key": headers["X-Public-Key"]}, "Signature verification failed"),
    ):
        answer = server.call("POST", "/v1/results", data=body, headers=changed)
        assert (answer.status_code, answer.json()["title"]) == (400, title)
    other = server.call("POST", "/v1/results", data=body + b" ", headers=headers)
    assert other.json()["title"] == "Signature verification failed"


@pytest.mark.parametrize("header", ["X-Signature", "X-Public-Key"])
def test_an_upload_with_an_empty_signature_is_not_an_anonymous_one(server, header):
    body = b'{"cpid": "c", "duration_seconds": 1, "results": [{"name": "t"}]}'
    answer = server.call("POST", "/v1/results", data=body, headers={header: ""})
    assert answer.status_code == 400


def test_an_unregistered_key_is_refused(server):
    from support.serving import person  # noqa: PLC0415

    answer = post(server, RESULT, person("stranger"))
    assert answer.status_code == 401
    assert "specified key not found" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("document", "where"),
    [
        ({}, "/cpid"),
        ([], "/"),
        ({**RESULT, "meta": {}}, "/meta"),
        ({**RESULT, "duration_seconds": 1.5}, "/duration_seconds"),
        ({**RESULT, "duration_seconds": True}, "/duration_seconds"),
        ({**RESULT, "duration_seconds": "10"}, "/duration_seconds"),
        ({**RESULT, "duration_seconds": 2**31}, "/duration_seconds"),
        ({**RESULT, "cpid": 7}, "/cpid"),
        ({**RESULT, "cpid": "x" * 129}, "/cpid"),
        ({**RESULT, "cpid": "a\0b"}, "/cpid"),
        ({**RESULT, "results": {}}, "/results"),
        ({**RESULT, "results": [{"uuid": "x"}]}, "/results/0/name"),
        ({**RESULT, "results": [{"name": "a"}, "b"]}, "/results/1"),
        ({**RESULT, "results": [{"name": "a"}, {"name": 7}]}, "/results/1/name"),
        ({**RESULT, "results": [{"name": "x" * 513}]}, "/results/0/name"),
        ({**RESULT, "results": [{"name": "a", "uuid": "x" * 37}]}, "/results/0/uuid"),
    ],
)
def test_an_invalid_upload_is_refused_with_the_place_of_the_error(server, document, where):
    answer = post(server, document)
    assert answer.status_code == 400
    assert answer.json()["title"] == "Request doesnt correspond to schema"
    assert answer.json()["detail"].startswith(f"{where}: ")


@pytest.mark.parametrize(
    "body", [b"", b"{", b"\xff\xfe", b'{"cpid": "\xff"}', b'{"cpid": "\\ud800"}', b"[" * 5000]
)
def test_an_upload_that_is_not_json_is_refused(server, body):
    answer = post(server, body)
    assert (answer.status_code, answer.json()["title"]) == (400, "Malformed request")


def test_an_upload_without_a_pass_is_refused(server):
    answer = post(server, {**RESULT, "results": []})
    assert answer.json() == {
        "code": 400,
        "title": "Uploaded results must contain at least one passing test.",
    }


def test_uploads_that_refstack_v1_accepted_are_accepted(server):
    for document in (
        {**RESULT, "cpid": ""},
        {**RESULT, "duration_seconds": -1},
        {**RESULT, "cpid": "☁ \U0001f600"},
        {**RESULT, "results": [{"name": "a", "uuid": "not-a-uuid", "extra": 1}]},
        {**RESULT, "results": [{"name": "日本"}, {"name": "b"}, {"name": "b"}]},
    ):
        assert post(server, document).status_code == 201
    for content_type in ("text/plain", "application/x-www-form-urlencoded"):
        assert post(server, RESULT, **{"Content-Type": content_type}).status_code == 201
    for path in ("/v1/results/", "/v1/results.json"):
        assert server.call("POST", path, json=RESULT).status_code == 201


def test_a_test_named_twice_counts_once(server):
    result_id = server.upload(["a", "b", "a"])
    assert server.call("GET", f"/v1/results/{result_id}.json").json()["results"] == ["a", "b"]


def test_lists_have_pages_with_each_result_once_newest_first(server, root):
    cpid = f"Paged-{uuid.uuid4()}"
    made = [server.upload([f"t{number}"], cpid=cpid) for number in range(45)]
    pages = [
        server.call("GET", "/v1/results", root, params={"cpid": cpid.lower(), "page": page}).json()
        for page in ("1", "+2", "03")
    ]
    assert [page["pagination"] for page in pages] == [
        {"current_page": page, "total_pages": 3} for page in (1, 2, 3)
    ]
    seen = [row["id"] for page in pages for row in page["results"]]
    assert seen == list(reversed(made))
    assert pages[0]["results"][0].keys() == {
        "id",
        "created_at",
        "duration_seconds",
        "meta",
        "product_version",
        "verification_status",
        "url",
    }


@pytest.mark.parametrize(
    ("filters", "title"),
    [
        ({"page": "0"}, "Invalid page number: The page number less or equal zero."),
        ({"page": "-1"}, "Invalid page number: The page number less or equal zero."),
        ({"page": ""}, "Invalid page number: The page number can not be converted to an integer"),
        ({"page": "x"}, "Invalid page number: The page number can not be converted to an integer"),
        (
            {"page": "9999"},
            "Invalid page number: The page number is greater than the total number of pages.",
        ),
        ({"start_date": ""}, "Invalid date format: "),
        ({"end_date": "2020-01-01"}, "Invalid date format: "),
        (
            {"start_date": "2020-01-02 00:00:00", "end_date": "2020-01-01 00:00:00"},
            "Invalid dates: start_date more than end_date",
        ),
        ({"signed": "false"}, "To see signed test results you need to authenticate"),
    ],
)
def test_invalid_filters_are_refused(server, filters, title):
    answer = server.call("GET", "/v1/results", params=filters)
    assert answer.status_code == 400
    assert answer.json()["title"].startswith(title)


def test_filters_select_results(server, alice, root):
    mine = server.upload(["t"], alice, cpid="narrow")
    anonymous = server.upload(["t"], cpid="narrow")

    def ids(who=None, **filters):
        answer = server.call("GET", "/v1/results", who, params={"cpid": "NARROW", **filters})
        return [row["id"] for row in answer.json()["results"]]

    assert ids(root) == [anonymous]
    assert ids(alice, signed="false") == [mine]
    period = {"start_date": "2020-01-01 00:00:00", "end_date": "2999-01-01 00:00:00"}
    assert ids(root, **period) == [anonymous]
    assert ids(root, start_date="2999-01-01 00:00:00") == []
    assert ids(root, verification_status="1") == []
    assert ids(root, verification_status="abc") == [anonymous]
    assert anonymous in ids(cpid="")  # An empty filter selects all.
    empty = server.call("GET", "/v1/results", params={"cpid": "no such cloud"})
    assert empty.json() == {
        "results": [],
        "pagination": {"current_page": 1, "total_pages": 0},
    }
    unknown = server.call("GET", "/v1/results", params={"product_id": "x"})
    assert (unknown.status_code, unknown.json()["title"]) == (404, 'Product with id "x" not found')


def test_only_its_owner_and_the_foundation_remove_a_result(server, alice, bob, root):
    result_id, anonymous = server.upload(["t"], alice), server.upload(["t"])
    path = f"/v1/results/{result_id}"
    assert server.call("DELETE", path).status_code == 403
    assert server.call("DELETE", path, bob).status_code == 401
    assert server.call("DELETE", f"/v1/results/{anonymous}", bob).status_code == 403
    assert server.call("POST", f"{path}?_method=delete", alice).status_code == 204
    assert server.call("GET", path, alice).status_code == 404
    assert server.call("DELETE", f"/v1/results/{anonymous}", root).status_code == 204
    assert server.call("DELETE", f"/v1/results/{anonymous}", root).status_code == 404


def test_a_verified_result_cannot_be_changed(server, alice, root):
    result_id = server.upload(["t"], alice)
    path = f"/v1/results/{result_id}"
    assert server.call("PUT", path, root, json={"verification_status": 1}).status_code == 403
    for key, value in (("shared", "true"), ("guideline", "2020.06.json"), ("target", "object")):
        assert server.call("POST", f"{path}/meta/{key}", alice, data=value).status_code == 201
    assert server.call("PUT", path, alice, json={"verification_status": 1}).status_code == 403
    for wrong in (2, "1", -1, None):
        answer = server.call("PUT", path, root, json={"verification_status": wrong})
        assert answer.status_code == 400, wrong
    incomplete = server.call("PUT", path, root, json={"verification_status": True})
    assert (incomplete.status_code, "needs a reason" in incomplete.json()["title"]) == (400, True)
    assert incomplete.json()["detail"] == f"use PUT /v2/results/{result_id}/verification with why"
    result_id = server.upload(NAMES, alice)
    path = f"/v1/results/{result_id}"
    for key, value in (("shared", "true"), ("guideline", "2020.06.json"), ("target", "object")):
        assert server.call("POST", f"{path}/meta/{key}", alice, data=value).status_code == 201
    verified = server.call("PUT", path, root, json={"verification_status": True})
    assert (verified.status_code, verified.json()["verification_status"]) == (201, 1)
    for who in (alice, root):
        assert server.call("DELETE", path, who).status_code == 403
        assert server.call("DELETE", f"{path}/meta/shared", who).status_code == 403
        assert server.call("POST", f"{path}/meta/target", who, data="x").status_code == 403
        changed = server.call("PUT", path, who, json={"product_version_id": None})
        assert changed.status_code == 403
    assert server.call("PUT", path, root, json={"verification_status": 0}).status_code == 201
    assert server.call("DELETE", path, alice).status_code == 204


def test_metadata_has_known_keys_and_unchanged_values(server, alice):
    path = f"/v1/results/{server.upload(['t'], alice)}/meta"
    assert server.call("POST", f"{path}/user", alice, data="x").status_code == 403
    assert server.call("POST", f"{path}/other", alice, data="x").status_code == 403
    assert server.call("POST", f"{path}/target", alice, data='"bogus"').status_code == 201
    assert server.call("GET", f"{path}/target", alice).json() == '"bogus"'
    assert server.call("GET", f"{path}/guideline", alice).json() is None
    assert server.call("POST", f"{path}/target", alice, data=b"\xff").status_code == 400
    assert server.call("POST", f"{path}/target", alice, data=b"x" * 65537).status_code == 400
    assert server.call("PUT", f"{path}/target", alice, data="x").status_code == 405


def test_errors_of_the_protocol_have_its_shape(server):
    unknown = server.call("GET", "/v1/nothing")
    assert unknown.json() == {"code": 404, "title": "Not Found", "detail": ""}
    missing = server.call("GET", "/v1/results/none")
    assert missing.json() == {"code": 404, "title": "Test result none not found"}
    for method in ("OPTIONS", "PATCH"):
        assert server.call(method, "/v1/results").status_code == 405


@pytest.mark.parametrize(
    ("header", "title"),
    [
        ("Basic eDp5", "Authorization schema 'Bearer' should be used"),
        ("Bearer nonsense", "Token is not valid"),
        ("Bearer ", "Token is not valid"),
    ],
)
def test_a_bad_token_is_refused_everywhere(server, header, title):
    for path in ("/v1/results", "/v1/vendors", "/v1/profile"):
        answer = server.call("GET", path, headers={"Authorization": header})
        assert (answer.status_code, answer.json()["title"]) == (400, title)


def test_only_tokens_signed_with_the_users_own_key_are_accepted(server, alice, bob):
    import jwt  # noqa: PLC0415

    claims = {"user_openid": alice.openid, "exp": 4_000_000_000}

    def status(token):
        return server.call(
            "GET", "/v1/profile", headers={"Authorization": f"Bearer {token}"}
        ).status_code

    assert status(jwt.encode(claims, alice.key, algorithm="RS256")) == 200
    assert status(jwt.encode(claims, alice.key, algorithm="RS512")) == 200
    assert status(jwt.encode(claims, bob.key, algorithm="RS256")) == 400
    assert status(jwt.encode({**claims, "exp": 1}, alice.key, algorithm="RS256")) == 400
    assert status(jwt.encode(claims, "k" * 64, algorithm="HS256")) == 400
    assert status(jwt.encode(claims, None, algorithm="none")) == 400
    assert status(jwt.encode({"exp": 4_000_000_000}, alice.key, algorithm="RS256")) == 400
    for audience, expected in (
        (server.url, 200),
        (["x", server.url], 200),
        ("http://x", 400),
        (7, 400),
    ):
        token = jwt.encode({**claims, "aud": audience}, alice.key, algorithm="RS256")
        assert status(token) == expected
    without_end = {"user_openid": alice.openid}
    assert status(jwt.encode(without_end, alice.key, algorithm="RS256")) == 400
