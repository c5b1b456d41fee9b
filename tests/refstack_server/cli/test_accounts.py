"""``server user`` and ``server key`` while the server runs."""

import base64
import json

import pytest
from support.bundles import make_key, packed, registered
from support.operating import client, listed, session_of, upload_stream, where
from support.serving import add_user, person

from refstack_client.upload import rsa_key
from refstack_server.store.public_keys import parse


@pytest.fixture
def dora(server, database):
    """Return a user whom only one test removes."""
    who = person(f"dora-{id(object())}")
    add_user(server.data, who, database)
    return who


@pytest.fixture
def place(server, database):
    return where(server.data, database)


def user(place, openid):
    found = [user for user in listed("user", "list", *place) if user["openid"] == openid]
    return found[0] if found else None


def share(server, who, result_id, with_):
    path = f"/v2/results/{result_id}/sharing"
    assert server.call("PUT", path, who, json={"with": with_}).status_code == 200


def test_users_are_listed_with_what_they_have(server, place, dora, root):
    client("user", "add", dora.openid, "--email", "d@example.org", "--fullname", "Dora", *place)
    upload_stream(server, dora, f"of {dora.openid}")
    vendor = {"name": "Dora's", "description": ""}
    assert server.call("POST", "/v1/vendors", dora, json=vendor).status_code == 201
    assert user(place, dora.openid) == {
        "openid": dora.openid,
        "name": "Dora",
        "email": "d@example.org",
        "foundation": False,
        "vendors": 1,
        "keys": 1,
        "results": 1,
    }
    assert user(place, root.openid)["foundation"] is True


def test_a_removed_user_leaves_what_others_can_see(server, place, database, dora, root, carol):
    client("user", "add", dora.openid, "--email", "canary@example.org", *place)
    published, submitted, private = (
        upload_stream(server, dora, f"{name} of {dora.openid}")["id"] for name in "abc"
    )
    share(server, dora, published, "everybody")
    share(server, dora, submitted, "certifier")
    verified = server.call(
        "PUT", f"/v2/results/{published}/verification", root, json={"why": "agreed"}
    )
    assert verified.status_code == 200
    vendor = {"name": f"of {dora.openid}", "description": ""}
    answer = server.call("POST", "/v1/vendors", dora, json=vendor)
    assert answer.status_code == 201
    vendor_id = answer.json()["id"]
    cookie = session_of(dora.openid, server.data, database)
    assert dora.openid in server.call("GET", "/mine", headers=cookie).text
    before = server.call("GET", f"/results/{published}", headers={"Accept": "text/html"}).text

    refused = client("user", "remove", dora.openid, *place)
    assert (refused.returncode, "private results: 1" in refused.stderr) == (4, True)
    assert "--private-results" in refused.stderr
    assert user(place, dora.openid)["results"] == 3

    refused = client("user", "remove", dora.openid, "--private-results", *place)
    assert f"is the last user of the vendor of {dora.openid}" in refused.stderr
    assert (refused.returncode, "have another user join" in refused.stderr) == (4, True)
    assert user(place, dora.openid)["results"] == 3
    encoded = base64.b64encode(carol.openid.encode()).decode()
    invited = server.call("PUT", f"/v1/vendors/{vendor_id}/users/{encoded}", dora)
    assert invited.ok, invited.text
    assert server.call("PUT", f"/v2/invitations/{vendor_id}", carol).ok

    done = client("user", "remove", dora.openid, "--private-results", *place)
    assert done.returncode == 0, done.stderr
    assert user(place, dora.openid) is None
    successor = done.stderr.partition("belongs to ")[2].split()[0]
    assert user(place, successor) == {
        "openid": successor,
        "name": "",
        "email": "",
        "foundation": False,
        "vendors": 0,
        "keys": 0,
        "results": 2,
    }
    after = server.call("GET", f"/results/{published}", headers={"Accept": "text/html"}).text
    assert after == before
    for result_id, status in ((published, 200), (submitted, 200), (private, 404)):
        assert server.call("GET", f"/v2/results/{result_id}", root).status_code == status
        bundle = server.call("GET", f"/v2/results/{result_id}/verdict", root)
        assert bundle.status_code == status
    assert server.call("GET", "/v1/profile", dora).status_code == 400
    page = server.call("GET", "/mine", headers=cookie, allow_redirects=False)
    assert (page.status_code, page.headers["location"]) == (303, "/signin")
    log = server.call("GET", "/v2/log", params={"most": 1000}).json()
    events = [json.loads(entry["text"]) for entry in log]
    assert [event["event"] for event in events if event.get("result") == published] == [
        "published",
        "verified",
    ]
    assert [event["event"] for event in events if event.get("vendor") == vendor_id] == [
        "joined",
        "joined",
        "left",
    ]
    for path in (server.data, *server.data.rglob("*")):
        path.chmod(path.stat().st_mode & ~0o077)
    checks = {check["check"]: check for check in listed("check", *place)}
    assert {check["result"] for check in checks.values()} == {"passed"}
    assert checks["orphaned uploads"]["found"] == "none"


def test_a_user_without_anything_leaves_nothing(place, dora):
    before = {user["openid"] for user in listed("user", "list", *place)}
    assert client("user", "remove", dora.openid, *place).returncode == 0
    after = {user["openid"] for user in listed("user", "list", *place)}
    assert before - after == {dora.openid}
    assert after <= before
    again = client("user", "remove", dora.openid, *place)
    assert (again.returncode, "server user list" in again.stderr) == (4, True)


def test_a_revoked_key_signs_nothing_more_and_its_results_stay(server, place, dora, tmp_path):
    key = make_key(tmp_path / "key")
    fingerprint = registered(server, dora, key)
    first = server.call("POST", "/v2/bundles", data=packed(tmp_path / "a", key, failing=1))
    assert first.status_code == 201
    keys = {key["fingerprint"]: key for key in listed("key", "list", *place)}
    assert keys[fingerprint]["openid"] == dora.openid
    assert client("key", "revoke", fingerprint, *place).returncode == 0
    refused = server.call("POST", "/v2/bundles", data=packed(tmp_path / "b", key, failing=2))
    assert refused.status_code == 401
    result = server.call("GET", f"/v2/results/{first.json()['id']}", dora)
    assert result.status_code == 200
    token_key = parse(rsa_key.public_line(dora.key)).fingerprint
    assert client("key", "revoke", token_key, *place).returncode == 0
    assert server.call("GET", "/v1/profile", dora).status_code == 400
    again = client("key", "revoke", fingerprint, *place)
    assert (again.returncode, "server key list" in again.stderr) == (4, True)


@pytest.mark.parametrize(
    "command",
    [
        ("user", "list"),
        ("key", "list"),
        ("key", "revoke", "x"),
        ("user", "remove", "x"),
        ("check",),
    ],
)
def test_a_directory_without_a_server_stays_empty(tmp_path, command):
    data = tmp_path / "data"
    data.mkdir()
    done = client(*command, "--data", data)
    assert (done.returncode, "does not belong to a server" in done.stderr) == (4, True)
    assert list(data.iterdir()) == []
