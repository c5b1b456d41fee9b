"""``config`` and ``test`` as vendors' scripts call them, against the sandbox."""

import json
from pathlib import Path

import openstack
import pytest
import yaml
from support.certifying import CLIENT, run, secrets_of, watching_processes

from refstack_client.cli.app import main

pytestmark = pytest.mark.cloud


@pytest.fixture
def conf(place, sandbox) -> Path:
    """A tempest.conf as ``config`` writes it, and an accounts file as Tempest wants it."""
    users = yaml.safe_load(sandbox.accounts_yaml.read_text())
    roles = {"operator": ["member", "SwiftOperator"], "reseller": ["member", "ResellerAdmin"]}
    for user in users:
        user["roles"] = roles[user["username"].partition("-")[0]]
    accounts = place / "accounts.yaml"
    accounts.write_text(yaml.safe_dump(users, allow_unicode=True))
    written = run(
        *(CLIENT, "config", "--os-cloud", "sandbox-tenant", "--programme", "storage"),
        *("--accounts", str(sandbox.accounts_yaml), "-o", "tempest.conf"),
    )
    assert written.returncode == 0, written.stderr
    path = Path("tempest.conf").resolve()
    text = path.read_text()
    assert str(place / "tmp") not in text
    path.write_text(text.replace("accounts.yaml (removed after the run)", str(accounts)))
    return path


def test_a_list_is_run_with_a_given_tempest_conf(place, sandbox, conf):
    Path("list.txt").write_text(
        "# two tests\n"
        "tempest.api.object_storage.test_container_services.ContainerTest.test_create_container"
        "[id-92139d73-7819-4db1-85f8-3f2f22a8d91f]\n"
        "tempest.api.object_storage.test_container_services.ContainerTest.test_delete_container\n"
        "tempest.api.nowhere.Class.test\n"
    )
    with watching_processes(secrets_of(sandbox)) as shown:
        done = run(CLIENT, "test", "-c", str(conf), "-v", "--test-list", "list.txt", "-r", "mine")
    assert done.returncode == 0, done.stderr
    assert shown == []
    assert (
        "the installed Tempest does not have the test tempest.api.nowhere.Class.test" in done.stderr
    )
    assert "Number of passed tests: 2" in done.stderr
    (made,) = Path("runs").iterdir()
    document = json.loads((made / "mine-results.json").read_text())
    names = [each["name"].rpartition(".")[2] for each in document["results"]]
    assert sorted(names) == ["test_create_container", "test_delete_container"]
    assert document["results"][0]["uuid"] == "92139d73-7819-4db1-85f8-3f2f22a8d91f"
    identity = openstack.connect(cloud="sandbox").identity.find_service("keystone")
    assert document["cpid"] == identity.id
    assert list((place / "tmp").iterdir()) == []
    for path in made.iterdir():
        assert not any(secret.encode() in path.read_bytes() for secret in secrets_of(sandbox))
    assert main(["verdict", str(made / "stream.subunit"), "--programme", "storage"]) == 3


@pytest.mark.long
def test_names_after_two_dashes_are_run_and_a_wrong_conf_is_said(place, sandbox, conf):
    start = "tempest.api.object_storage.test_container_services.ContainerTest.test_create"
    done = run(CLIENT, "test", "-c", str(conf), "--", start)
    assert done.returncode == 0, done.stderr
    assert "Number of passed tests: 6" in done.stderr
    none = run(CLIENT, "test", "-c", str(conf), "--", "tempest.nothing")
    assert (none.returncode, "has none of the requested tests" in none.stderr) == (4, True)
    absent = run(CLIENT, "test", "-c", "absent.conf")
    assert (absent.returncode, "absent.conf: No such file" in absent.stderr) == (4, True)
    Path("bad.conf").write_text("no section\n")
    bad = run(CLIENT, "test", "-v", "-c", "bad.conf")
    assert (bad.returncode, "--conf-file must name a tempest.conf" in bad.stderr) == (4, True)
    assert "Traceback" not in bad.stderr
