"""The audit log: entries of publications, verifications and revocations, and their integrity."""

import json
import sqlite3
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from support.bundles import make_key, packed, registered
from support.operating import upload_stream

from refstack_server.store import audit_log


@pytest.fixture
def result_id(server, alice, tmp_path) -> str:
    """Upload a bundle of alice; return the id of the private result."""
    key = make_key(tmp_path / "key")
    registered(server, alice, key)
    answer = server.call("POST", "/v2/bundles", data=packed(tmp_path, key))
    assert answer.status_code == 201
    return answer.json()["id"]


def log(server) -> list[dict]:
    found = server.call("GET", "/v2/log", params={"most": 1000}).json()
    assert audit_log.is_intact(found)
    return [json.loads(entry["text"]) for entry in found]


def events(server, result_id) -> list[str]:
    return [entry["event"] for entry in log(server) if entry.get("result") == result_id]


def share(server, who, result_id) -> None:
    answer = server.call("POST", f"/v1/results/{result_id}/meta/shared", who, data="true")
    assert answer.status_code == 201


def test_the_log_records_publication_verification_and_revocation(
    server, alice, bob, root, result_id
):
    path = f"/v2/results/{result_id}"
    verification = f"{path}/verification"
    for with_, status in (("nobody", 401), ("certifier", 403)):
        shared = server.call("PUT", f"{path}/sharing", alice, json={"with": with_})
        assert shared.json() == {"shared_with": with_}
        assert (
            server.call("PUT", verification, root, json={}).status_code == status
        )  # not published
    assert not events(server, result_id)
    share(server, alice, result_id)
    for who in (alice, bob):
        assert server.call("PUT", verification, who, json={}).status_code == 403
    until = (datetime.now(UTC) + timedelta(days=365)).date().isoformat()
    assert server.call("PUT", verification, root, json={"until": until}).json()["until"] == until
    shown = server.call("GET", path).json()
    assert (shown["verified"], shown["verified_until"]) == (True, f"{until}T00:00:00")
    assert "Verified by the Foundation" in server.call("GET", f"/results/{result_id}").text
    withdrawn = server.call("DELETE", f"/v1/results/{result_id}/meta/shared", alice)
    assert withdrawn.status_code == 403
    assert server.call("POST", f"{path}/revocation", root, json={}).status_code == 400
    why = {"why": "the product changed"}
    assert server.call("POST", f"{path}/revocation", alice, json=why).status_code == 403
    assert server.call("POST", f"{path}/revocation", root, json=why).status_code == 200
    assert "Revoked by the Foundation on " in server.call("GET", f"/results/{result_id}").text
    server.call("DELETE", f"/v1/results/{result_id}/meta/shared", alice)
    share(server, alice, result_id)
    assert server.call("DELETE", f"/v1/results/{result_id}", alice).status_code == 204
    entries = [entry for entry in log(server) if entry.get("result") == result_id]
    assert [entry["event"] for entry in entries] == [
        "published",
        "verified",
        "revoked",
        "withdrawn",
        "published",
        "removed",
    ]
    assert entries[1]["until"].startswith(until)
    assert entries[2]["why"] == "the product changed"
    assert entries[0]["conformance"] == "conformant"
    assert len(entries[0]["sha256"]) == 64
    assert alice.openid not in json.dumps(entries)


def test_the_end_of_a_verification_must_be_in_the_future(server, alice, root, result_id):
    share(server, alice, result_id)
    verification = f"/v2/results/{result_id}/verification"
    for wrong in ("2020-01-01", "nonsense", 7, datetime.now(UTC).date().isoformat()):
        assert server.call("PUT", verification, root, json={"until": wrong}).status_code == 400


def test_an_expired_verification_does_not_count(server, database, alice, root, result_id):
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
def test_the_database_refuses_changes_of_the_log(server, database, alice, result_id, statement):
    share(server, alice, result_id)
    before = log(server)
    with pytest.raises((sqlite3.IntegrityError, psycopg.errors.RaiseException), match="only added"):
        run_sql(server, database, statement)
    assert log(server) == before


def test_a_changed_entry_is_detected_by_the_digests(server, alice, result_id):
    share(server, alice, result_id)
    found = server.call("GET", "/v2/log", params={"most": 1000}).json()
    assert audit_log.is_intact(found)
    for changed in (
        [{**found[0], "text": found[0]["text"] + " "}, *found[1:]],
        [*found[1:]],
        [*found[:-1], {**found[-1], "digest": "0" * 64}],
    ):
        assert not audit_log.is_intact(changed)


def test_results_without_an_owner_are_not_logged(server):
    result_id = server.upload(["t"])
    assert not events(server, result_id)


def test_a_verification_of_what_is_not_conformant_needs_a_reason(server, alice, root):
    result_id = upload_stream(server, alice, "a failure that needs a reason")["id"]
    share(server, alice, result_id)
    verification = f"/v2/results/{result_id}/verification"
    for wrong in ({}, {"why": ""}, {"why": " \n"}, {"why": "a\0b"}, {"why": "x" * 1001}):
        assert server.call("PUT", verification, root, json=wrong).status_code == 400, wrong
    assert events(server, result_id) == ["published"]
    why = {"why": "the test is wrong, bug 7"}
    assert server.call("PUT", verification, alice, json=why).status_code == 403
    assert server.call("PUT", verification, root, json=why).status_code == 200
    (entry,) = (
        entry
        for entry in log(server)
        if (entry.get("result"), entry["event"]) == (result_id, "verified")
    )
    assert (entry["why"], entry["conformance"]) == (why["why"], "not-conformant")
