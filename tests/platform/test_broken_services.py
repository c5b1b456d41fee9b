"""Certification of a cloud with injected faults: verdict, the service in the reason, resuming."""

import json
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.certifying import CLIENT, only_run, run, tenants_of

from capabilities import catalogue
from refstack_client.sandbox import fault_proxy
from refstack_client.sandbox.faults import MODES, Faults
from refstack_client.sandbox.state import Sandbox

pytestmark = [pytest.mark.cloud, pytest.mark.platform]
TESTS = {
    "tempest.api.compute.servers.test_delete_server.DeleteServersTestJSON.test_delete_active_server",
    "tempest.api.compute.test_quotas.QuotasTestJSON.test_get_quotas",
    "tempest.api.identity.v3.test_tokens.TokensV3Test.test_create_token",
    "tempest.api.image.v2.test_images.BasicOperationsImagesTest.test_delete_image",
    "tempest.api.network.test_networks.NetworksTest.test_list_networks",
    "tempest.api.object_storage.test_object_services.ObjectTest.test_create_object",
    "tempest.api.volume.test_snapshot_metadata.SnapshotMetadataTestJSON.test_crud_snapshot_metadata",
}
SERVICES = {
    "keystone": "Keystone (identity)",
    "glance": "Glance (image)",
    "placement": "Nova (compute)",
    "neutron": "Neutron (network)",
    "cinder": "Cinder (block-storage)",
    "nova": "Nova (compute)",
    "swift": "Swift (object-store)",
}
"""The service that the reasons name. Only Nova uses Placement, so its faults fail servers."""


@pytest.fixture(scope="module")
def guideline(tmp_path_factory) -> Path:
    """2020.06 with one or two tests for each service."""
    document = json.loads(catalogue.content("2020.06"))
    for capability in document["capabilities"].values():
        tests = capability["tests"].items()
        capability["tests"] = {name: test for name, test in tests if name in TESTS}
    capabilities = {
        name: capability
        for name, capability in document["capabilities"].items()
        if capability["tests"]
    }
    for component in document["components"].values():
        by_status = component["capabilities"]
        for status, names in by_status.items():
            by_status[status] = [name for name in names if name in capabilities]
    document["capabilities"] = capabilities
    path = tmp_path_factory.mktemp("guideline") / "small.json"
    path.write_text(json.dumps(document))
    return path


@pytest.fixture
def platform(proxied_platform: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """A platform with a fault proxy, without faults at the start and without users at the end."""
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(proxied_platform.clouds_yaml))
    fault_proxy.inject(proxied_platform, Faults())
    yield proxied_platform
    fault_proxy.inject(proxied_platform, Faults())
    assert tenants_of(proxied_platform) == []


def certify(*arguments: str) -> tuple[str, ...]:
    return (CLIENT, "certify", "--os-cloud", "sandbox", *arguments)


def certify_with_faults(sandbox: Sandbox, place: Path, guideline: Path, faults: Faults) -> str:
    """Certify, and inject faults just before Tempest starts. Return the output."""
    output = place / "output"
    command = certify("--guideline", str(guideline), "--programme", "platform")
    with output.open("w") as log:
        started = subprocess.Popen(command, stdout=log, stderr=log)
        while "tests run as" not in output.read_text():
            assert started.poll() is None, output.read_text()
            time.sleep(0.1)
        fault_proxy.inject(sandbox, faults)
        assert started.wait(400) == 1, output.read_text()
    return output.read_text()


@pytest.mark.parametrize("mode", ["down", "errors", "wrong-body"])
@pytest.mark.parametrize("service", SERVICES)
def test_reasons_name_the_failing_service_and_the_run_resumes_once_it_works(
    service, mode, platform, place, guideline
):
    output = certify_with_faults(platform, place, guideline, Faults(modes={service: mode}))
    assert "Traceback" not in output
    assert "NOT CONFORMANT  OpenStack Powered Platform" in output.splitlines()[-1]
    run_directory = only_run(place)
    verdict = json.loads((run_directory / "verdict.json").read_text())
    failed = {
        test["name"]: test["reason"]
        for capability in verdict["capabilities"]
        for test in capability["tests"]
        if test["outcome"] == "fail"
    }
    assert failed
    assert {SERVICES[service] in reason for reason in failed.values()} == {True}, failed
    fault_proxy.inject(platform, Faults())
    done = run(*certify("--resume", str(run_directory), "--rerun-failed"))
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].startswith("CONFORMANT  OpenStack Powered Platform")
    assert "not removed" not in done.stderr


@pytest.mark.parametrize("mode", MODES)
def test_a_fault_of_keystone_is_reported_before_a_run_starts(mode, platform, place):
    fault_proxy.inject(platform, Faults(modes={"keystone": mode}))
    done = run(CLIENT, "cloud", "check", "--os-cloud", "sandbox")
    assert "Traceback" not in done.stderr + done.stdout
    works = mode in ("slow", "no-extensions")
    assert (" problem " in done.stdout.partition("clock")[0]) == (not works), done.stdout
    if not works:
        refused = run(*certify("--programme", "platform"))
        assert refused.returncode == 5, refused.stderr
        assert "unexpected" not in refused.stderr
        assert not (place / "a place" / "runs").exists()


def test_a_missing_extension_is_reported_by_the_check_and_in_the_reasons(platform, place):
    fault_proxy.inject(platform, Faults(modes={"neutron": "no-extensions"}))
    done = run(CLIENT, "cloud", "check", "--os-cloud", "sandbox")
    assert done.returncode == 3
    assert re.search(r"network extension\s+router\s+problem|router\s+problem", done.stdout)
    quick = run(*certify("--programme", "platform", "--mode", "quick"))
    assert quick.returncode == 3, quick.stderr
    assert "router extension not enabled" in quick.stdout
    assert "QUICK LOOK, CERTIFIES NOTHING" in quick.stdout.splitlines()[-1]


def test_an_unknown_service_mode_or_time_is_reported():
    for options in (("--break", "novva"), ("--break", "nova:sad"), ("--latency", "far")):
        done = run(CLIENT, "sandbox", "up", "--profile", "platform", "--name", "none", *options)
        assert (done.returncode, "Traceback" in done.stderr) == (2, False), done.stderr
        assert options[1].partition(":")[0] in done.stderr
