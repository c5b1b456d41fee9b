"""The image, built and run by a real engine against the sandbox on the host."""

import json
import os
import re
import time
from pathlib import Path

import pytest
from support.certifying import UNDER_WAY, secrets_of
from support.engines import BASE, docker

from refstack_client.sandbox.state import Sandbox

pytestmark = [pytest.mark.cloud, pytest.mark.container, pytest.mark.long]
MOST_MEGABYTES_MORE = 110
HARDENED = (
    *("--network", "host", "--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL"),
    *("--security-opt", "no-new-privileges"),
)
CONFORMANT = "CONFORMANT  OpenStack Powered Storage  2020.06  58/58 required tests"


@pytest.fixture
def volumes(tmp_path: Path, sandbox: Sandbox) -> tuple[str, ...]:
    """Options that mount the sandbox's credentials and a directory for results."""
    (tmp_path / "results").mkdir()
    (tmp_path / "results").chmod(0o777)
    (tmp_path / "openstack").mkdir()
    config = tmp_path / "openstack" / "clouds.yaml"
    config.write_text(sandbox.clouds_yaml.read_text())
    config.chmod(0o444)
    return (
        *("-v", f"{tmp_path}/openstack:/etc/openstack:ro"),
        *("-v", f"{tmp_path}/results:/results"),
    )


CERTIFY = ("certify", "--os-cloud", "sandbox", "--programme", "storage")


def secret_bytes(sandbox: Sandbox) -> list[bytes]:
    return [secret.encode() for secret in secrets_of(sandbox)]


def assert_no_secret(sandbox: Sandbox, content: bytes) -> None:
    for secret in secret_bytes(sandbox):
        assert secret not in content
        assert json.dumps(secret.decode()).encode()[1:-1] not in content
    assert not re.search(rb"gAAAA[\w-]{60,}", content)


def only_run(tmp_path: Path) -> Path:
    (made,) = (each for each in (tmp_path / "results").iterdir() if each.is_dir())
    return made


def test_the_image_is_small_labelled_and_runs_as_nobody(image):
    sizes = [
        int(docker("image", "inspect", "-f", "{{.Size}}", each).stdout) for each in (image, BASE)
    ]
    assert sizes[0] - sizes[1] <= MOST_MEGABYTES_MORE * 1_000_000
    (inspected,) = json.loads(docker("image", "inspect", image).stdout)
    labels = inspected["Config"]["Labels"]
    assert labels["org.opencontainers.image.title"] == "refstack-client"
    assert {"org.opencontainers.image.source", "refstack.guidelines"} <= labels.keys()
    assert inspected["Config"]["User"] == "65532:65532"
    shown = docker("run", "--rm", *HARDENED, image, "plan", "--programme", "storage").stdout
    assert f"tempest {labels['refstack.tempest']}".encode() in shown
    whole = docker("run", "--rm", "--entrypoint", "sh", image, "-c", "command -v gcc pip; id -u")
    assert whole.stdout == b"65532\n" or b"/usr/local/bin/pip" in whole.stdout  # the base's own


def test_a_hardened_container_certifies_and_leaves_no_secret(image, volumes, sandbox, tmp_path):
    name = f"refstack-test-{os.getpid()}"
    known_as = ("-e", "REFSTACK_IMAGE=refstack-client@sha256:0123")
    user = ("--user", "1234:5678")
    started = ("run", "--name", name, *user, *known_as, *HARDENED, *volumes, image)
    try:
        done = docker(*started, *CERTIFY, check=False)
        assert done.returncode == 0, done.stderr.decode()
        assert done.stdout.decode().splitlines()[-1] == CONFORMANT
        for look in (("inspect", name), ("logs", name), ("image", "inspect", image)):
            found = docker(*look)
            assert_no_secret(sandbox, found.stdout + found.stderr)
        assert_no_secret(sandbox, docker("history", "--no-trunc", image).stdout)
        assert_no_secret(sandbox, docker("export", name).stdout)
        assert_no_secret(sandbox, docker("save", image).stdout)
    finally:
        docker("rm", "--force", "--volumes", name, check=False)
    made = only_run(tmp_path)
    assert (made / "verdict.json").stat().st_uid == 1234
    told = json.loads((made / "attempts.jsonl").read_text().splitlines()[0])["image"]
    assert (told["name"], told["digest"]) == ("refstack-client", "sha256:0123")
    assert told["base"] == {"name": BASE, "digest": None}
    for path in made.iterdir():
        assert_no_secret(sandbox, path.read_bytes())


def test_docker_stop_ends_soon_and_a_second_container_goes_on(image, volumes, tmp_path, sandbox):
    name = f"refstack-test-{os.getpid()}"
    try:
        docker("run", "--detach", "--name", name, *HARDENED, *volumes, image, *CERTIFY)
        deadline = time.monotonic() + 120
        while UNDER_WAY.encode() not in docker("logs", name).stderr:
            assert time.monotonic() < deadline
            time.sleep(0.3)
        asked = time.monotonic()
        docker("stop", "--time", "10", name)
        assert time.monotonic() - asked < 10
        code = docker("inspect", "--format", "{{.State.ExitCode}}", name).stdout
        assert code == b"130\n"
    finally:
        docker("rm", "--force", "--volumes", name, check=False)
    made = only_run(tmp_path)
    resume = (*CERTIFY, "--resume", f"/results/{made.name}")
    done = docker("run", "--rm", *HARDENED, *volumes, image, *resume, check=False)
    assert done.returncode == 0, done.stderr.decode()
    assert "tests to run; the others have an outcome" in done.stderr.decode()
    assert done.stdout.decode().splitlines()[-1] == CONFORMANT
