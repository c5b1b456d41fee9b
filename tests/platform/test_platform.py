"""Certifying a cloud with every service of the platform: minutes, by ``make test-platform``."""

import json
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import openstack
import psutil
import pytest
from support.certifying import CERTIFY, CLIENT, only_run, run, tenants_of

from refstack_client.cloud.connection import connect
from refstack_client.cloud.selection import CloudSelection
from refstack_client.outcomes import challenge
from refstack_client.running import challenge_placement
from refstack_client.sandbox import lifecycle, services
from refstack_client.sandbox.state import Sandbox
from refstack_client.tenants import accounts_file

pytestmark = [pytest.mark.cloud, pytest.mark.platform]
MOST_MEMORY = 2.5e9
SECONDS = 900
NEED_A_GUEST = {"test_host_name_is_same_as_server_name", "test_verify_created_server_vcpus"}


@pytest.fixture
def platform(new_sandbox, monkeypatch) -> Sandbox:
    sandbox = new_sandbox("platform")
    lifecycle.up(sandbox, None, lambda line: None)
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(sandbox.clouds_yaml))
    return sandbox


def memory(sandbox: Sandbox) -> int:
    """Return what the sandbox's processes use, shared pages counted once."""
    pids = [daemon.pid for daemon in services.status(sandbox) if daemon.pid]
    parents = [psutil.Process(pid) for pid in pids]
    processes = {p for parent in parents for p in (parent, *parent.children(recursive=True))}
    return sum(process.memory_full_info().pss for process in processes)


@pytest.mark.long
@pytest.mark.parametrize(("guideline", "passed"), [("2020.06", "271/273"), ("2022.11", "326/328")])
def test_the_platform_comes_to_all_but_what_needs_a_guest(platform, place: Path, guideline, passed):
    command = (CLIENT, "certify", "--os-cloud", "sandbox", "--programme", "platform")
    command += ("--guideline", guideline)
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.stdout.splitlines()[-1] == (
        f"INCOMPLETE  OpenStack Powered Platform  {guideline}  {passed} required tests"
    ), done.stderr
    assert done.returncode == 3
    verdict = json.loads((only_run(place) / "verdict.json").read_text())
    missing = {
        test["name"].rpartition(".")[2]: test["reason"]
        for capability in verdict["capabilities"]
        if capability["status"] == "required"
        for test in capability["tests"]
        if test["outcome"] != "pass" and not test["flagged"]
    }
    assert missing.keys() == NEED_A_GUEST
    assert set(missing.values()) == {"Instance validation tests are disabled."}
    assert tenants_of(platform) == []
    assert memory(platform) < MOST_MEMORY


def test_storage_is_certified_on_a_cloud_with_every_service(platform, place: Path):
    images = [image.id for image in openstack.connect(cloud="sandbox").image.images()]
    done = run(*CERTIFY, "--os-cloud", "sandbox")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == (
        "CONFORMANT  OpenStack Powered Storage  2020.06  58/58 required tests"
    )
    places_challenges(platform)
    assert [image.id for image in openstack.connect(cloud="sandbox").image.images()] == images
    assert tenants_of(platform) == []


def places_challenges(sandbox: Sandbox) -> None:
    """Let a tenant of each service place a challenge, and remove it again."""
    new = challenge.new("F", f"SHA256:{'a' * 43}", datetime.now(UTC), timedelta(days=1))
    armour = b"-----BEGIN SSH SIGNATURE-----\nAAAA\n-----END SSH SIGNATURE-----\n"
    signed = challenge.parse(new.content + armour, "challenge")
    (user, *_) = accounts_file.read(sandbox.accounts_yaml)
    prefix = f"refstack-1a2b3c-{signed.mark}"
    for service, created in {
        "swift": "PUT",
        "nova": "POST",
        "neutron": "POST",
        "glance": "POST",
    }.items():
        cloud = connect(CloudSelection("sandbox"))
        with challenge_placement.observed(cloud, signed):
            placed = challenge_placement.place(
                cloud, user, signed, projects=[service], prefix=prefix
            )
        first = placed["requests"][0]
        assert (first["method"], first["status"]) == (created, 201)
        assert first["request_id"]
    tenant = openstack.connect(cloud="sandbox-tenant")
    groups = [group.name for group in tenant.network.security_groups()]
    assert not [name for name in groups if name.startswith(prefix)]


@pytest.mark.long
def test_a_list_of_tests_is_certified_like_a_programme(platform, place: Path):
    checked = run(CLIENT, "cloud", "check", "--os-cloud", "sandbox", "--programme", "scs-0128")
    assert checked.returncode == 0, checked.stdout
    for service in ("identity", "block-storage", "image", "network", "compute"):
        assert f"service {service} " in checked.stdout
    assert "object-store" not in checked.stdout
    command = (CLIENT, "certify", "--os-cloud", "sandbox", "--programme", "SCS-0128")
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.stdout.splitlines()[-1] == (
        "CONFORMANT  scs-0128  258 tests: 256 passed, 0 failed, 2 skipped"
    ), done.stdout
    assert done.returncode == 0
    verdict = json.loads((only_run(place) / "verdict.json").read_text())
    (capability,) = verdict["capabilities"]
    assert {
        test["name"].rpartition(".")[2] for test in capability["tests"] if test["outcome"] != "pass"
    } == NEED_A_GUEST
    assert tenants_of(platform) == []


QUICK = (
    pytest.param("2020.06", "platform", 5, marks=pytest.mark.long),
    pytest.param("2020.06", "platform", 2, marks=pytest.mark.long),
    pytest.param("2020.06", "compute", 3, marks=pytest.mark.long),
    pytest.param("2022.11", "platform", 3, marks=pytest.mark.long),
    pytest.param("2022.11", "platform", 6, marks=pytest.mark.long),
    pytest.param("scs-0128", "scs-0128", 1, marks=pytest.mark.long),
    pytest.param("scs-0128", "scs-0128", 4, marks=pytest.mark.long),
)


@pytest.mark.parametrize(("guideline", "programme", "workers"), QUICK)
def test_a_quick_look_fails_no_test_whatever_the_number_of_workers(
    platform, place: Path, guideline, programme, workers
):
    command = (CLIENT, "certify", "--os-cloud", "sandbox", "--mode", "quick")
    command += ("--guideline", guideline, "--programme", programme)
    done = subprocess.run(
        (*command, "--concurrency", str(workers)),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    verdict = json.loads((only_run(place) / "verdict.json").read_text())
    assert verdict["required"]["failed"] == 0, done.stdout
    assert verdict["required"]["passed"] > 40
