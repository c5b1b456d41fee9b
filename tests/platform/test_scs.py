"""SCS-0128 on a cloud with every service of the list, run as SCS runs its check programs."""

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import scs
from support.certifying import CLIENT, only_run, run, tenants_of
from support.making import SCS

from refstack_client.cloud.connection import connect
from refstack_client.cloud.selection import CloudSelection
from refstack_client.sandbox import fault_proxy
from refstack_client.sandbox.faults import Faults
from refstack_client.sandbox.state import Sandbox
from refstack_client.tenants import accounts_file

pytestmark = [pytest.mark.cloud, pytest.mark.platform]
IDS = tuple(
    f"scs-0128-e2e{service}"
    for service in ("", "-compute", "-identity", "-image", "-network", "-volume")
)
TESTS = (
    "test_delete_server.DeleteServersTestJSON.test_delete_active_server",
    "test_tokens.TokensV3Test.test_create_token",
    "test_images.BasicOperationsImagesTest.test_delete_image",
    "test_networks.NetworksTest.test_list_networks",
    "test_snapshot_metadata.SnapshotMetadataTestJSON.test_crud_snapshot_metadata",
)
"""One test for each service."""
CINDER = f"tempest.api.volume.{TESTS[-1]}"
SECONDS = 400


@pytest.fixture
def platform(proxied_platform: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """A platform with a fault proxy, without faults at the start."""
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(proxied_platform.clouds_yaml))
    fault_proxy.inject(proxied_platform, Faults())
    yield proxied_platform
    fault_proxy.inject(proxied_platform, Faults())


@pytest.fixture
def listed(place: Path) -> Path:
    """A list with a test for each service, by name only."""
    path = place / "newer.lst"
    names = [test.name for test in SCS.counted_tests() if test.name.endswith(TESTS)]
    assert len(names) == len(TESTS)
    path.write_text("\n".join(names))
    return path


def checked_with_faults(
    sandbox: Sandbox, place: Path, listed: Path, modes: dict[str, str]
) -> scs.Invocation:
    """Check, and inject faults just before Tempest starts."""
    command = [CLIENT, "scs", "check", "-c", "sandbox", "--guideline", str(listed)]
    out, err = place / "out", place / "err"
    with out.open("w") as stdout, err.open("w") as stderr:
        started = subprocess.Popen(command, stdout=stdout, stderr=stderr)
        while "tests run as" not in err.read_text():
            assert started.poll() is None, err.read_text()
            time.sleep(0.1)
        fault_proxy.inject(sandbox, Faults(modes=modes))
        started.wait(SECONDS)
    return scs.read(out.read_text(), err.read_text(), started.returncode, IDS)


def assert_removed(sandbox: Sandbox, place: Path, found: scs.Invocation) -> None:
    """Assert that what remains in the cloud is named, and can be removed once it works again."""
    fault_proxy.inject(sandbox, Faults())
    if tenants_of(sandbox):
        (line,) = [line for line in found.stderr if "certify --clean" in line]
        directory = only_run(place)
        assert directory.name in line
        assert "WARNING: some resources could not be removed from the cloud" in found.stderr
        done = run(CLIENT, "certify", "--os-cloud", "sandbox", "--clean", str(directory))
        assert done.returncode == 0, done.stderr
    assert tenants_of(sandbox) == []


def test_the_whole_list_passes(platform, place):
    args = "scs check -c {os_cloud} {testcases}"
    found = scs.invoke(Path(CLIENT), args, "sandbox", IDS)
    assert found.results == dict.fromkeys(IDS, 1), found.stderr
    assert (found.rc, found.counts["warning"], found.counts["error"]) == (0, 2, 0)
    assert "INFO: CONFORMANT  scs-0128  258 tests: 256 passed, 0 failed, 2 skipped" in found.stderr
    assert tenants_of(platform) == []


@pytest.mark.parametrize("mode", ["down", "errors", "wrong-body"])
def test_a_cloud_without_keystone_is_abort(platform, place, mode):
    fault_proxy.inject(platform, Faults(modes={"keystone": mode}))
    found = scs.invoke(Path(CLIENT), "scs check -c {os_cloud} {testcases}", "sandbox", IDS)
    assert (found.results, found.rc) == (dict.fromkeys(IDS, 0), 5)
    assert found.counts["critical"] == 1
    assert not (place / "a place" / "runs").exists()


def test_a_cloud_that_loses_keystone_is_abort_and_what_remains_is_named(platform, place, listed):
    found = checked_with_faults(platform, place, listed, {"keystone": "down"})
    assert (found.results, found.rc) == (dict.fromkeys(IDS, 0), 5), found.stderr
    assert found.counts["error"] == 0
    assert found.stderr[-1].startswith("CRITICAL: the cloud cannot be used any more: ")
    assert_removed(platform, place, found)


@pytest.mark.parametrize("mode", ["down", "errors", "wrong-body"])
def test_a_cloud_with_a_broken_cinder_fails_and_the_test_is_named(platform, place, listed, mode):
    found = checked_with_faults(platform, place, listed, {"cinder": mode})
    failed = {"scs-0128-e2e": -1, "scs-0128-e2e-volume": -1}
    assert found.results == {**dict.fromkeys(IDS, 1), **failed}, found.stderr
    assert found.rc == 1
    (error,) = [line for line in found.stderr if line.startswith("ERROR: ")]
    assert error.startswith(f"ERROR: failed: {CINDER} (")
    assert_removed(platform, place, found)


def test_projects_of_an_accounts_file_without_a_network_are_named(platform):
    check = (CLIENT, "cloud", "check", "--programme", "SCS-0128", "-f", "json")
    command = (*check, "--os-cloud", "sandbox-tenant", "--accounts", str(platform.accounts_yaml))
    done = run(*command)
    found = {one["name"]: one for one in json.loads(done.stdout)}
    assert (done.returncode, found["tenant networks"]["level"]) == (0, "warning"), done.stdout
    names = {account.project_name for account in accounts_file.read(platform.accounts_yaml)}
    assert all(name in found["tenant networks"]["found"] for name in names)
    for account in accounts_file.read(platform.accounts_yaml):
        network = connect(CloudSelection("sandbox")).connect_as(account.as_auth()).network
        if not list(network.networks(name="inside")):
            inside = network.create_network(name="inside")
            network.create_subnet(network_id=inside.id, ip_version=4, cidr="10.9.8.0/24")
    done = run(*command)
    assert "tenant networks" not in done.stdout
    assert done.returncode == 0
