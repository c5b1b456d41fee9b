"""Scripts as vendors, roles and jobs wrote them for the original refstack-client, executed.

Each script is run in a directory like the one that its author had: a checkout of refstack-client
with a virtual environment, openrc files, an accounts file and keys.
"""

import gzip
import json
import os
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import openstack
import pytest
from cryptography.hazmat.primitives import serialization
from support.certifying import CLIENT, ROOT, secrets_of, tenants_of
from support.serving import Server, add_user, person, serving

from refstack_client.sandbox.state import Sandbox

pytestmark = pytest.mark.cloud

SCRIPTS = sorted((ROOT / "tests" / "data" / "old_scripts").glob("*.sh"))
EXPECT = "# expect: "
NAME = "tempest.api.object_storage.test_container_services.ContainerTest.test_create_container"


@pytest.fixture(scope="module")
def collector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Run a server with a user, whose key is beside its data."""
    data = tmp_path_factory.mktemp("collector") / "data"
    alice = person("alice")
    add_user(data, alice)
    key = alice.key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.OpenSSH,
        serialization.NoEncryption(),
    )
    (data.parent / "key").write_bytes(key)
    with serving(data, "--uploads-per-minute", "0") as server:
        yield server


@pytest.fixture
def environ(place: Path, sandbox: Sandbox, collector: Server) -> dict[str, str]:
    """Fill the working directory; return the environment of a script."""
    work = Path.cwd()
    client = work / "refstack-client"
    (client / ".venv" / "bin").mkdir(parents=True)
    (client / "etc").mkdir()
    (client / "refstack-client").symlink_to(CLIENT)
    path = shlex.quote(str(Path(CLIENT).parent))
    (client / ".venv" / "bin" / "activate").write_text(f"export PATH={path}:$PATH\n")
    for name, cloud in (("adminrc", "sandbox"), ("tenantrc", "sandbox-tenant")):
        auth = openstack.connect(cloud=cloud).config.get_auth_args()
        values = {**auth, "region_name": "RegionOne", "identity_api_version": 3}
        Path(name).write_text(
            "".join(
                f"export OS_{key.upper()}={shlex.quote(str(value))}\n"
                for key, value in values.items()
            )
        )
    Path("id_rsa.refstack").write_bytes((collector.data.parent / "key").read_bytes())
    Path("id_rsa.refstack").chmod(0o600)
    Path("short-list.txt").write_text(f"{NAME}[id-92139d73-7819-4db1-85f8-3f2f22a8d91f]\n")
    stream = ROOT / "tests" / "data" / "storage.subunit.gz"
    Path("run.subunit").write_bytes(gzip.decompress(stream.read_bytes()))
    results = {"cpid": "cloud", "duration_seconds": 1, "results": [{"name": NAME}]}
    Path("results.json").write_text(json.dumps(results))
    hidden = ("OS_CLIENT_CONFIG_FILE", "OS_CLOUD")
    return {
        **{name: value for name, value in os.environ.items() if name not in hidden},
        "ACCOUNTS": str(sandbox.accounts_yaml),
        "KEYSTONE": auth["auth_url"],
        "REFSTACK": collector.url,
        "WORK": str(work),
    }


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_a_script_runs_unchanged(
    place: Path, sandbox: Sandbox, environ: dict[str, str], script: Path
) -> None:
    before = tenants_of(sandbox)

    done = subprocess.run(
        ["bash", script],
        env=environ,
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )

    printed = done.stdout + done.stderr
    assert done.returncode == 0, printed
    for line in script.read_text(encoding="utf-8").splitlines():
        if line.startswith(EXPECT):
            assert line.removeprefix(EXPECT) in printed
    assert tenants_of(sandbox) == before
    assert not any(secret in printed for secret in secrets_of(sandbox))
    assert list((place / "tmp").iterdir()) == []


def test_there_are_ten_scripts() -> None:
    assert len(SCRIPTS) >= 10
