"""Publishing, verifying, taking back: what the public log says of it, and that it stays."""

import json
import sqlite3
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from support.bundles import make_key, packed, registered

from refstack_server.store import audit_log


@pytest.fixture
def result_id(server, alice, tmp_path) -> str:
    """A private result of alice's, by a bundle."""
    key = make_key(tmp_path / "key")
    registered(server, alice, key)
    answer = server.call("POST", "/v2/bundles", data=packed(tmp_path, key))
    assert answer.status_code == 201
    return answer.json()["id"]


def log(server) -> list[dict]:
    found = server.call("GET", "/v2/log", params={"most": 1000}).json()
    assert audit_log.is_whole(found)
    return [json.loads(each["text"]) for each in found]


def events(server, result_id) -> list[str]:
    return [each["event"] for each in log(server) if each["result"] == result_id]


def share(server, who, result_id) -> None:
    answer = server.call("POST", f"/v1/results/{result_id}/meta/shared", who, data="true")
    assert answer.status_code == 201


def test_a_result_goes_its_way_and_the_log_says_so(server, alice, bob, root, result_id):
    path = f"/v2/results/{result_id}"
    word = f"{path}/verification"
    for with_, status in (("nobody", 401), ("certifier", 403)):
        shared = server.call("PUT", f"{path}/sharing", alice, json={"with": with_})
        assert shared.json() == {"shared_with": with_}
        assert server.call("PUT", word, root, json={}).status_code == status  # not published
    assert not events(server, result_id)
    share(server, alice, result_id)
    for who in (alice, bob):
        assert server.call("PUT", word, who, json={}).status_code == 403
    until = (datetime.now(UTC) + timedelta(days=365)).date().isoformat()
    assert server.call("PUT", word, root, json={"until": until}).json()["until"] == until
    shown = server.call("GET", path).json()
    assert (shown["verified"], shown["verified_until"]) == (True, f"{until}T00:00:00")
    assert "Verified by the Foundation" in server.call("GET", f"/results/{result_id}").text
    withdrawn = server.call("DELETE", f"/v1/results/{result_id}/meta/shared", alice)
    assert withdrawn.status_code == 403
    assert server.call("POST", f"{path}/revocation", root, json={}).status_code == 400
    why = {"why": "the product changed"}
    assert server.call("POST", f"{path}/revocation", alice, json=why).status_code == 403
    assert server.call("POST", f"{path}/revocation", root, json=why).status_code == 200
    assert "Unofficial Results" in server.call("GET", f"/results/{result_id}").text
    server.call("DELETE", f"/v1/results/{result_id}/meta/shared", alice)
    share(server, alice, result_id)
    assert server.call("DELETE", f"/v1/results/{result_id}", alice).status_code == 204
    told = [each for each in log(server) if each["result"] == result_id]
    assert [each["event"] for each in told] == [
        "published",
        "verified",
        "revoked",
        "withdrawn",
        "published",
        "removed",
    ]
    assert told[1]["until"].startswith(until)
    assert told[2]["why"] == "the product changed"
    assert told[0]["conformance"] == "conformant"
    assert len(told[0]["sha256"]) == 64
    assert alice.openid not in json.dumps(told)


def test_a_verification_ends_in_the_future(server, alice, root, result_id):
    share(server, alice, result_id)
    word = f"/v2/results/{result_id}/verification"
    for wrong in ("2020-01-01", "nonsense", 7, datetime.now(UTC).date().isoformat()):
        assert server.call("PUT", word, root, json={"until": wrong}).status_code == 400


def test_a_verification_that_ran_out_is_none(server, database, alice, root, result_id):
    share(server, alice, result_id)
    server.call("PUT", f"/v2/results/{result_id}/verification", root, json={"until": "2999-01-01"})
    change = f"UPDATE results SET verified_until = '2020-01-01 00:00:00' WHERE id = '{result_id}'"
    run_sql(server, database, change)
    assert server.call("GET", f"/v2/results/{result_id}").json()["verified"] is False
    assert server.call("GET", f"/v1/results/{result_id}").json()["verification_status"] == 0
    listed = server.call("GET", "/v1/results", params={"verification_status": "1"}).json()
    assert result_id not in json.dumps(listed)


def run_sql(server, database, statement) -> None:
    if database:
        with psycopg.connect(database) as connection:
            connection.execute(statement)
    else:
        with sqlite3.connect(server.data / "refstack.sqlite") as connection:
            connection.execute(statement)


@pytest.mark.parametrize("statement", ["UPDATE log SET text = 'x'", "DELETE FROM log"])
def test_the_database_itself_keeps_the_log(server, database, alice, result_id, statement):
    share(server, alice, result_id)
    before = log(server)
    with pytest.raises((sqlite3.IntegrityError, psycopg.errors.RaiseException), match="only added"):
        run_sql(server, database, statement)
    assert log(server) == before


def test_a_line_that_was_changed_is_told_by_the_digests(server, alice, result_id):
    share(server, alice, result_id)
    found = server.call("GET", "/v2/log", params={"most": 1000}).json()
    assert audit_log.is_whole(found)
    for changed in (
        [{**found[0], "text": found[0]["text"] + " "}, *found[1:]],
        [*found[1:]],
        [*found[:-1], {**found[-1], "digest": "0" * 64}],
    ):
        assert not audit_log.is_whole(changed)


def test_what_is_nobodys_has_no_line(server):
    result_id = server.upload(["t"])
    assert not events(server, result_id)
