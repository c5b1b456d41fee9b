"""Certifying a cloud with every service of the platform: minutes, by ``make test-platform``."""

import json
import subprocess
from pathlib import Path

import openstack
import psutil
import pytest
from support.certifying import CERTIFY, CLIENT, only_run, run, tenants_of

from refstack_client.sandbox import lifecycle, services
from refstack_client.sandbox.state import Sandbox

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


def test_the_platform_comes_to_all_but_what_needs_a_guest(platform, place: Path):
    command = (CLIENT, "certify", "--os-cloud", "sandbox", "--programme", "platform")
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.stdout.splitlines()[-1] == (
        "INCOMPLETE  OpenStack Powered Platform  2020.06  271/273 required tests"
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
    assert [image.id for image in openstack.connect(cloud="sandbox").image.images()] == images
    assert tenants_of(platform) == []
