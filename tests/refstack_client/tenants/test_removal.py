"""What removes the tenants of a run, whatever Keystone lists."""

import json
import threading
from collections.abc import Iterator

import pytest
from support.any_services import Response, Services

from refstack_client.cloud.connection import Cloud, connect
from refstack_client.cloud.selection import CloudSelection
from refstack_client.tempest.log import CreatedIds
from refstack_client.tenants import provision, removal
from refstack_client.tenants.resource_record import ResourceRecord, recorded
from refstack_client.tenants.tenancy import Tenancy

TENANCY = Tenancy("refstack-1a2b3c", frozenset({"old"}), frozenset({"SomeTest"}), ("member",))
NONE = CreatedIds()
KEYSTONE = "/identity/v3"


def listed(kind: str, *resources: object) -> list[Response]:
    return [Response(200, json.dumps({kind: resources}).encode())]


@pytest.fixture
def services() -> Iterator[Services]:
    with Services() as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        server.responses = (Response(200, b"[]"),)
        server.by_request = {
            f"GET {KEYSTONE}/projects": listed("projects"),
            f"GET {KEYSTONE}/users": listed("users"),
            f"GET {KEYSTONE}/roles": listed("roles"),
        }
        yield server
        server.shutdown()


@pytest.fixture
def cloud(services: Services, monkeypatch: pytest.MonkeyPatch, tmp_path) -> Cloud:
    monkeypatch.chdir(tmp_path)
    for name, value in services.environment.items():
        monkeypatch.setenv(name, value)
    return connect(CloudSelection(), ("swift",))


def test_what_has_no_name_is_of_another(services, cloud):
    odd = [{"id": "1", "name": None}, {"id": "2"}, {"id": "3", "name": 5}, {"name": "nameless"}]
    services.by_request[f"GET {KEYSTONE}/projects"] = listed("projects", *odd)
    services.by_request[f"GET {KEYSTONE}/users"] = listed("users", *odd)
    assert removal.remove_tenants(cloud, TENANCY, NONE) == removal.Removal()
    assert removal.remaining(cloud, TENANCY, NONE) == ()
    assert removal.foreign(cloud, TENANCY, NONE) == ()
    assert not [one for one in services.received if one.startswith("DELETE")]


def test_a_cleaner_that_is_removed_at_the_second_attempt_is_no_leak(services, cloud):
    project = {"id": "p", "name": "refstack-1a2b3c-1", "domain_id": "default"}
    cleaner = {"id": "c", "name": "refstack-1a2b3c-cleaner", "domain_id": "default"}
    of = services.by_request
    of[f"GET {KEYSTONE}/projects"] = [*listed("projects", project), *listed("projects")]
    of[f"GET {KEYSTONE}/users"] = [*listed("users"), *listed("users", cleaner)]
    of[f"POST {KEYSTONE}/users"] = [Response(201, json.dumps({"user": cleaner}).encode())]
    of[f"DELETE {KEYSTONE}/users/c"] = [Response(500, b""), Response(204, b"")]
    of[f"DELETE {KEYSTONE}/projects/p"] = [Response(204, b"")]
    done = removal.remove_tenants(cloud, TENANCY, NONE)
    assert done.leaked == ()
    assert set(done.removed) >= {
        "user refstack-1a2b3c-cleaner (c)",
        "project refstack-1a2b3c-1 (p)",
    }


def test_a_removal_that_fails_says_what_may_remain(services, cloud, tmp_path):
    record = ResourceRecord(TENANCY.prefix, tmp_path / "tempest.log", tmp_path / "tenancy.json")
    with recorded(record, TENANCY):
        pass
    record.path.write_text("not JSON")
    found = provision._remove(cloud, record, "projects and users", ["project x (1)"])
    assert found[0].startswith("the removal failed: ")
    assert found[1:] == ("project x (1)", "projects and users")


def test_what_keystone_created_without_a_response_is_named_by_its_prefix(services, cloud, tmp_path):
    services.by_request[f"GET {KEYSTONE}/projects"] = [Response(500, b"")]
    record = ResourceRecord(TENANCY.prefix, tmp_path / "tempest.log", tmp_path / "tenancy.json")
    with recorded(record, TENANCY):
        pass
    reason, *named = provision._remove(cloud, record, "projects and users", ["project x (1)"])
    assert reason.startswith("cannot remove the tenants of this run: ")
    assert named == ["project x (1)", "projects and users"]
