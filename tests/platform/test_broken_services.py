"""Certifying a cloud that is really broken: the verdict, who is to blame, and going on."""

import json
import re
import subprocess
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.certifying import CLIENT, SANDBOX_ROOT, only_run, run, tenants_of

from capabilities import catalogue
from refstack_client.sandbox import lifecycle
from refstack_client.sandbox.faults import HOWS, Trouble
from refstack_client.sandbox.lifecycle import Sandbox

pytestmark = [pytest.mark.cloud, pytest.mark.platform]
WANTED = {
    "tempest.api.compute.servers.test_delete_server.DeleteServersTestJSON.test_delete_active_server",
    "tempest.api.compute.test_quotas.QuotasTestJSON.test_get_quotas",
    "tempest.api.identity.v3.test_tokens.TokensV3Test.test_create_token",
    "tempest.api.image.v2.test_images.BasicOperationsImagesTest.test_delete_image",
    "tempest.api.network.test_networks.NetworksTest.test_list_networks",
    "tempest.api.object_storage.test_object_services.ObjectTest.test_create_object",
    "tempest.api.volume.test_snapshot_metadata.SnapshotMetadataTestJSON.test_crud_snapshot_metadata",
}
CULPRITS = {
    "keystone": "Keystone (identity)",
    "glance": "Glance (image)",
    "placement": "Nova (compute)",
    "neutron": "Neutron (network)",
    "cinder": "Cinder (block-storage)",
    "nova": "Nova (compute)",
    "swift": "Swift (object-store)",
}
"""Whom the reasons name. Nobody but Nova speaks with Placement, and it is servers that fail."""


@pytest.fixture(scope="module")
def guideline(tmp_path_factory) -> Path:
    """2020.06 with one or two tests for each service."""
    document = json.loads(catalogue.content("2020.06"))
    for capability in document["capabilities"].values():
        kept = capability["tests"].items()
        capability["tests"] = {name: test for name, test in kept if name in WANTED}
    kept = {name for name, each in document["capabilities"].items() if each["tests"]}
    for component in document["components"].values():
        by_status = component["capabilities"]
        for status, names in by_status.items():
            by_status[status] = [name for name in names if name in kept]
    document["capabilities"] = {
        name: each for name, each in document["capabilities"].items() if name in kept
    }
    path = tmp_path_factory.mktemp("guideline") / "small.json"
    path.write_text(json.dumps(document))
    return path


@pytest.fixture(scope="module")
def _far_platform() -> Iterator[Sandbox]:
    sandbox = lifecycle.find(SANDBOX_ROOT, f"test-{uuid.uuid4().hex[:8]}", "platform")
    try:
        lifecycle.up(sandbox, None, lambda line: None, Trouble())
        yield sandbox
    finally:
        lifecycle.wipe(sandbox)


@pytest.fixture
def platform(_far_platform: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """A platform that can be broken; whole at the beginning, and nothing left in it at the end."""
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(_far_platform.clouds_yaml))
    lifecycle.suffer(_far_platform, Trouble())
    yield _far_platform
    lifecycle.suffer(_far_platform, Trouble())
    assert tenants_of(_far_platform) == []


def certify(*arguments: str) -> tuple[str, ...]:
    return (CLIENT, "certify", "--os-cloud", "sandbox", *arguments)


def certify_while_it_breaks(sandbox: Sandbox, place: Path, guideline: Path, how: Trouble) -> str:
    """Certify; break the cloud when Tempest is about to start. Return all that was said."""
    talk = place / "talk"
    command = certify("--guideline", str(guideline), "--programme", "platform")
    with talk.open("w") as log:
        started = subprocess.Popen(command, stdout=log, stderr=log)
        while "tests run as" not in talk.read_text():
            assert started.poll() is None, talk.read_text()
            time.sleep(0.1)
        lifecycle.suffer(sandbox, how)
        assert started.wait(400) == 1, talk.read_text()
    return talk.read_text()


@pytest.mark.parametrize("how", ["down", "errors", "wrong-body"])
@pytest.mark.parametrize("service", CULPRITS)
def test_who_breaks_is_named_and_the_run_goes_on_when_it_is_mended(
    service, how, platform, place, guideline
):
    said = certify_while_it_breaks(platform, place, guideline, Trouble(broken={service: how}))
    assert "Traceback" not in said
    assert "NOT CONFORMANT  OpenStack Powered Platform" in said.splitlines()[-1]
    made = only_run(place)
    verdict = json.loads((made / "verdict.json").read_text())
    failed = {
        test["name"]: test["reason"]
        for capability in verdict["capabilities"]
        for test in capability["tests"]
        if test["outcome"] == "fail"
    }
    assert failed
    assert {CULPRITS[service] in reason for reason in failed.values()} == {True}, failed
    lifecycle.suffer(platform, Trouble())
    done = run(*certify("--resume", str(made), "--rerun-failed"))
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].startswith("CONFORMANT  OpenStack Powered Platform")
    assert "left behind" not in done.stderr


@pytest.mark.parametrize("how", HOWS)
def test_a_cloud_that_is_broken_from_the_start_is_told_of_before_anything_runs(
    how, platform, place
):
    lifecycle.suffer(platform, Trouble(broken={"keystone": how}))
    done = run(CLIENT, "cloud", "check", "--os-cloud", "sandbox")
    assert "Traceback" not in done.stderr + done.stdout
    works = how in ("slow", "no-extensions")
    assert (" problem " in done.stdout.partition("clock")[0]) == (not works), done.stdout
    if not works:
        refused = run(*certify("--programme", "platform"))
        assert refused.returncode == 5, refused.stderr
        assert "unexpected" not in refused.stderr
        assert not (place / "a place" / "runs").exists()


def test_a_missing_extension_is_found_before_and_told_after(platform, place):
    lifecycle.suffer(platform, Trouble(broken={"neutron": "no-extensions"}))
    done = run(CLIENT, "cloud", "check", "--os-cloud", "sandbox")
    assert done.returncode == 3
    assert re.search(r"network extension\s+router\s+problem|router\s+problem", done.stdout)
    quick = run(*certify("--programme", "platform", "--mode", "quick"))
    assert quick.returncode == 3, quick.stderr
    assert "router extension not enabled" in quick.stdout
    assert "QUICK LOOK, CERTIFIES NOTHING" in quick.stdout.splitlines()[-1]


def test_nothing_can_be_broken_that_is_not_there():
    for words in (("--break", "novva"), ("--break", "nova:sad"), ("--latency", "far")):
        done = run(CLIENT, "sandbox", "up", "--profile", "platform", "--name", "none", *words)
        assert (done.returncode, "Traceback" in done.stderr) == (2, False), done.stderr
        assert words[1].partition(":")[0] in done.stderr
