"""A run that answers a challenge: its mark is in the cloud, in the record and in the stream."""

import hashlib
import json
import ssl
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from support.bundles import make_key
from support.certifying import CERTIFY, CLIENT, only_run, run, start_and_wait_for, tenants_of
from support.challenges import issued

from refstack_client.cloud import cloud_identity
from refstack_client.cloud.connection import connect
from refstack_client.cloud.selection import CloudSelection
from refstack_client.sandbox import lifecycle
from refstack_client.sandbox.state import Sandbox

pytestmark = pytest.mark.cloud
LONG = pytest.mark.long
QUICK = ("--mode", "quick")


@pytest.fixture
def challenge(place: Path):
    """A challenge for the owner of the key ``vendor``, in ``challenge.txt``."""
    for name, namespace in (("vendor", "bundle"), ("certifier", "challenge")):
        make_key(place / name)
        public = (place / f"{name}.pub").read_text()
        with (place / "signers").open("a") as signers:
            signers.write(f'{name} namespaces="{namespace}@refstack-client" {public}')
    made = issued(place / "certifier", place / "vendor.pub", at=datetime.now(UTC))
    Path("challenge.txt").write_bytes(made.file)
    return made


def recorded(made: Path) -> dict:
    attempts = (made / "attempts.jsonl").read_text().splitlines()
    (found,) = [line["challenge"] for line in map(json.loads, attempts) if "challenge" in line]
    return found


def check_of_bundle(place: Path, made: Path) -> dict:
    sign = ("bundle", "sign", str(made), "--key", str(place / "vendor"), "-o", "b.zip")
    assert run(CLIENT, *sign).returncode == 0
    trust = ("--signers", str(place / "signers"), "--challenge", "challenge.txt")
    done = run(CLIENT, "bundle", "verify", "b.zip", *trust, "-f", "json")
    (found,) = [check for check in json.loads(done.stdout) if check["check"] == "challenge"]
    return found


def test_the_mark_is_in_the_names_of_the_run(place, sandbox, challenge):
    answer = ("--challenge", "challenge.txt")
    done = run(*CERTIFY, "--os-cloud", "sandbox", *QUICK, *answer)
    assert done.returncode == 0, done.stderr
    made = only_run(place)
    found = recorded(made)
    assert found["sha256"] == challenge.digest
    assert found["cloud"].keys() == {"auth_url", "region", "identity_version", "catalog_sha256"}
    placed = {(entry["method"], urlsplit(entry["url"]).path) for entry in found["requests"]}
    assert ("POST", "/v3/projects") in placed
    name = f"refstack-{made.name[-6:]}-{challenge.mark}-challenge"
    assert {method for method, path in placed if path.endswith(f"/{name}")} == {"PUT", "DELETE"}
    assert all(entry["request_id"] for entry in found["requests"])
    assert tenants_of(sandbox) == []
    check = check_of_bundle(place, made)
    assert (check["holds"], check["question"]) == ("yes", "fit to certify"), check
    again = run(*CERTIFY, "--os-cloud", "sandbox", "--resume", str(made), *answer)
    assert again.returncode == 2
    assert "--challenge cannot be used with --resume" in again.stderr


@LONG
def test_a_killed_run_answers_the_same_challenge_when_it_is_resumed(place, sandbox, challenge):
    process = start_and_wait_for(
        sandbox, place, "objectstore-container-create: 2 pass", "--challenge", "challenge.txt"
    )
    process.kill()
    process.communicate()
    made = only_run(place)
    again = run(*CERTIFY, "--os-cloud", "sandbox", "--resume", str(made))
    assert again.returncode == 0, again.stderr
    assert tenants_of(sandbox) == []
    assert check_of_bundle(place, made)["holds"] == "yes"


@LONG
def test_a_tenant_places_it_without_an_admin(place, sandbox, challenge):
    accounts = ("--accounts", str(sandbox.accounts_yaml), "--challenge", "challenge.txt")
    done = run(*CERTIFY, "--os-cloud", "sandbox-tenant", *QUICK, *accounts)
    assert done.returncode in (0, 3), done.stderr
    found = recorded(only_run(place))
    assert [entry["method"] for entry in found["requests"]] == ["PUT", "DELETE"]
    assert check_of_bundle(place, only_run(place))["holds"] == "yes"


@LONG
def test_the_certificate_of_the_cloud_is_recorded(new_sandbox, monkeypatch):
    sandbox: Sandbox = new_sandbox()
    for shapes in (("private-ca",), ("private-ca", "http-proxy", "devstack")):
        environment = lifecycle.up(sandbox, None, lambda line: None, shape_names=shapes)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        cloud = connect(CloudSelection("sandbox"))
        found = cloud_identity.read(cloud)
        parts = urlsplit(cloud.auth_url)
        certificate = ssl.PEM_cert_to_DER_cert(
            ssl.get_server_certificate(("127.0.0.1", parts.port))
        )
        assert found["certificate_sha256"] == hashlib.sha256(certificate).hexdigest()
        tenant = cloud_identity.read(connect(CloudSelection("sandbox-tenant")))
        assert tenant == found
