"""``container run``: from outside, and what becomes of it when something dies."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest
import yaml
from support.bundles import make_key
from support.certifying import (
    CLIENT,
    FERNET_TOKEN,
    UNDER_WAY,
    run,
    secrets_of,
    tenants_of,
    watching_processes,
)
from support.challenges import issued
from support.engines import ROOT, docker

from refstack_client.bundle import archive, pack
from refstack_client.bundle import verify as bundle_verify
from refstack_client.bundle.checks import State
from refstack_client.bundle.contents import Bundle
from refstack_client.container import launch
from refstack_client.outcomes import run_directory as runs

pytestmark = [pytest.mark.cloud, pytest.mark.container, pytest.mark.long]
CONFORMANT = "CONFORMANT  OpenStack Powered Storage  2020.06  58/58 required tests"


@pytest.fixture
def launcher(image, sandbox, tmp_path, monkeypatch) -> Iterator[tuple[str, ...]]:
    """The command that certifies the sandbox; none of its resources may remain at the end."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DOCKER_HOST", ENGINE)
    yield (CLIENT, "container", "run", "--image", image, "--output", str(tmp_path / "runs"))
    assert left() == ("", "")
    assert tenants_of(sandbox) == []


ENGINE = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
STORAGE = ("--os-cloud", "sandbox", "--programme", "storage")


def left() -> tuple[str, str]:
    """Return the containers and volumes of launchers, as the engine lists them."""
    wanted = ("--quiet", "--filter", f"label={launch.LABEL}")
    return tuple(
        docker(*what, *wanted).stdout.decode() for what in (("ps", "--all"), ("volume", "ls"))
    )


def made(tmp_path: Path) -> list[Path]:
    return sorted((tmp_path / "runs").iterdir())


def start(command: tuple[str, ...], tmp_path: Path, until: str) -> subprocess.Popen:
    """Start a launcher; return once it has printed ``until``."""
    talk = tmp_path / "talk"
    with talk.open("w") as log:
        started = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
    wait_for(lambda: until in talk.read_text() or started.poll() is not None)
    assert started.poll() is None, talk.read_text()
    return started


def wait_for(holds: Callable[[], bool], seconds: int = 120) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def assert_resumes(launcher: tuple[str, ...], tmp_path: Path) -> None:
    """Check that the one run there is goes on to its end, and leaves nothing anywhere."""
    (unfinished,) = made(tmp_path)
    done = run(*launcher[:5], "--resume", str(unfinished))
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == CONFORMANT
    assert made(tmp_path) == [unfinished]
    assert left() == ("", "")


def test_it_certifies_unseen_and_brings_the_results_home(launcher, sandbox, tmp_path):
    secrets = secrets_of(sandbox)
    shown: list[bytes] = []
    done = threading.Event()

    def look() -> None:
        while not done.wait(0.3):
            for name in left()[0].split():
                for each in (("inspect", name), ("logs", name)):
                    found = docker(*each, check=False)
                    shown.append(found.stdout + found.stderr)

    watcher = threading.Thread(target=look)
    watcher.start()
    with watching_processes(secrets) as seen:
        ended = run(*launcher, *STORAGE)
    done.set()
    watcher.join()
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.splitlines()[-1] == CONFORMANT
    assert "58 wanted" in ended.stderr  # the plan
    assert left() == ("", "")
    (directory,) = made(tmp_path)
    assert f"run:    {directory}" in ended.stderr
    files = {path: path.read_bytes() for path in directory.iterdir()}
    assert {path.stat().st_uid for path in files} == {os.getuid()}
    assert not (directory / "tenancy.json").exists()
    assert seen == []
    assert len(shown) > 4
    for content in (*shown, *files.values(), ended.stderr.encode()):
        assert not FERNET_TOKEN.search(content)
        for secret in secrets:
            assert secret.encode() not in content
            assert json.dumps(secret)[1:-1].encode() not in content
    assert tenants_of(sandbox) == []

    members = pack.make(pack.of_run(runs.Run(directory)), attested={})
    manifest = Bundle(members).manifest
    (told,) = manifest.images
    known = json.loads(docker("image", "inspect", told["name"]).stdout)[0]
    assert told["digest"] == known["Id"]
    assert told["base"]["name"] == "python:3.11-slim-bookworm"
    assert told["versions"]["tempest"] == manifest.versions["tempest"]
    packed = tmp_path / "b.zip"
    packed.write_bytes(archive.pack(members))
    checks = {
        each.name: each for each in bundle_verify.verify(packed, None, any_signer=True).checks
    }
    assert all(each.passed for each in checks.values()), checks
    assert re.match(r"\d\d+ packages, Tempest", checks["sbom"].found)


def test_two_shards_come_to_the_same_verdict_and_answer_one_challenge(launcher, sandbox, tmp_path):
    vendor, certifier = (make_key(tmp_path / name) for name in ("vendor", "certifier"))
    challenge = issued(certifier, tmp_path / "vendor.pub", at=datetime.now(UTC))
    (tmp_path / "challenge.txt").write_bytes(challenge.file)
    answer = ("--challenge", str(tmp_path / "challenge.txt"))
    done = run(*launcher, *STORAGE, "--shards", "2", *answer)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == CONFORMANT
    packed = pack.signed(pack.make(pack.of_run(runs.Run(made(tmp_path)[-1]))), vendor)
    trust = bundle_verify.Trust(any_signer=True, challenge=challenge)
    checks = bundle_verify.verify_bundle(Bundle(packed), trust).checks
    (check,) = [check for check in checks if check.name == "challenge"]
    assert check.state is State.PASS, check.found
    *parts, merged = (runs.read_plan(runs.Run(each))[1] for each in made(tmp_path))
    assert sorted(part.shard for part in parts) == ["1/2", "2/2"]
    assert sorted(part.shard for part in merged.merged) == ["1/2", "2/2"]
    assert left() == ("", "")
    assert tenants_of(sandbox) == []


@pytest.mark.parametrize("moment", ["tests run as", "objectstore-account-quotas", UNDER_WAY])
def test_a_killed_container_keeps_what_was_done(launcher, sandbox, tmp_path, moment):
    started = start((*launcher, *STORAGE), tmp_path, moment)
    docker("kill", left()[0].split()[0])
    assert started.wait(60) == 5
    said = (tmp_path / "talk").read_text()
    assert "the container was killed" in said
    assert f"container run --resume {made(tmp_path)[0]}" in said
    assert left() == ("", "")
    assert_resumes(launcher, tmp_path)
    assert tenants_of(sandbox) == []


def test_a_killed_launcher_leaves_nothing_but_its_results(launcher, sandbox, tmp_path):
    started = start((*launcher, *STORAGE), tmp_path, "objectstore-account-quotas")
    started.kill()
    started.wait()
    wait_for(lambda: left() == ("", ""))
    assert_resumes(launcher, tmp_path)
    assert tenants_of(sandbox) == []


def test_what_nobody_could_clean_up_is_found_later(launcher, sandbox, tmp_path):
    started = start((*launcher, *STORAGE), tmp_path, "objectstore-account-quotas")
    alive = run(CLIENT, "container", "clean", "--output", str(tmp_path / "runs"))
    assert "no orphaned containers" in alive.stderr  # one with a launcher is not touched
    for each in [*psutil.Process(started.pid).children(), psutil.Process(started.pid)]:
        each.kill()
    started.wait()
    wait_for(lambda: not docker("ps", "--quiet").stdout)
    assert left() != ("", "")
    done = run(CLIENT, "container", "clean", "--output", str(tmp_path / "runs"))
    assert (done.returncode, done.stdout.startswith("removed: refstack-")) == (0, True)
    assert_resumes(launcher, tmp_path)


def test_an_interrupt_ends_it_soon_with_everything_removed(launcher, sandbox, tmp_path):
    started = start((*launcher, *STORAGE, "--shards", "2"), tmp_path, "objectstore-account-quotas")
    started.send_signal(signal.SIGINT)
    assert started.wait(20) == 130
    assert "INCOMPLETE" in (tmp_path / "talk").read_text()
    assert left() == ("", "")
    assert tenants_of(sandbox) == []


def test_a_stopped_engine_keeps_the_results(launcher, sandbox, tmp_path):
    place = Path(ENGINE.removeprefix("unix://")).parent
    if not (place / "pid").exists() or not (place / "data").exists():
        pytest.skip("the engine is not one that tools/engine.sh started")
    started = start((*launcher, *STORAGE), tmp_path, "objectstore-account-quotas")
    subprocess.run([ROOT / "tools" / "engine.sh", "down", place], check=True, timeout=60)
    try:
        assert started.wait(60) == 5
        said = (tmp_path / "talk").read_text()
        assert "the container engine stopped responding" in said
        assert "refstack-client container clean" in said
    finally:
        subprocess.run([ROOT / "tools" / "engine.sh", "up", place], check=True, timeout=60)
    done = run(CLIENT, "container", "clean", "--output", str(tmp_path / "runs"))
    assert done.returncode == 0, done.stderr
    assert_resumes(launcher, tmp_path)


def test_out_of_memory_is_told_apart(launcher, sandbox, tmp_path):
    done = run(*launcher, *STORAGE, "--memory", "60m")
    assert done.returncode == 5
    assert "the container's memory is limited to 60 MB" in done.stderr
    assert "--memory" in done.stderr
    for each in made(tmp_path):
        assert run(CLIENT, "certify", "--clean", str(each)).returncode == 0


def test_results_that_do_not_fit_stay_where_they_can_be_fetched(launcher, sandbox, tmp_path):
    (tmp_path / "runs").mkdir()
    small = ("mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", str(tmp_path / "runs"))
    if os.getuid() or subprocess.run(small, check=False, capture_output=True).returncode:
        pytest.skip("a small file system cannot be mounted here")
    try:
        done = run(*launcher, *STORAGE)
        assert done.returncode == 5
        assert "cannot write results to" in done.stderr
        assert "No space left on device" in done.stderr
        assert made(tmp_path) == []
    finally:
        subprocess.run(["umount", tmp_path / "runs"], check=True)
    fetched = run(CLIENT, "container", "clean", "--output", str(tmp_path / "runs"))
    assert fetched.returncode == 0, fetched.stderr
    (directory,) = made(tmp_path)
    judged = run(CLIENT, "verdict", str(directory))
    assert judged.stdout.splitlines()[-1] == CONFORMANT


def test_what_is_printed_for_elsewhere_runs_there(image, sandbox, tmp_path):
    home = tmp_path / ".config" / "openstack"
    home.mkdir(parents=True)
    (home / "clouds.yaml").write_text(sandbox.clouds_yaml.read_text())
    (home / "clouds.yaml").chmod(0o644)
    for directory in (tmp_path, tmp_path / ".config", home):
        directory.chmod(0o755)
    (tmp_path / "results").mkdir()
    (tmp_path / "results").chmod(0o777)
    what = ("container", "run", "--print", "docker", "--image", image, "--network", "host")
    script = run(CLIENT, *what, *STORAGE, "--shards", "2").stdout
    environ = {**os.environ, "DOCKER_HOST": ENGINE, "HOME": str(tmp_path)}
    environ["PATH"] = f"{Path(sys.executable).parent}:{environ['PATH']}"
    done = run("sh", "-ec", script, cwd=tmp_path, env=environ)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == CONFORMANT


def test_the_manifest_for_kubernetes_takes_nothing_it_need_not_have(image):
    what = ("container", "run", "--print", "kubernetes", "--image", image, "--memory", "1g")
    claim, job = yaml.safe_load_all(run(CLIENT, *what, *STORAGE, "--shards", "3").stdout)
    assert (job["spec"]["completionMode"], job["spec"]["completions"]) == ("Indexed", 3)
    pod = job["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert container["resources"]["limits"]["memory"] == 1 << 30
    assert {each["name"] for each in container["volumeMounts"]} == {
        each["name"] for each in pod["volumes"]
    }
    assert pod["volumes"][1]["persistentVolumeClaim"]["claimName"] == claim["metadata"]["name"]
    # What the shell in the pod makes of its index, which Kubernetes counts from 0.
    echoed = container["command"][2].replace("exec", "echo", 1)
    environ = {"JOB_COMPLETION_INDEX": "2"}
    assert run("/bin/sh", "-c", echoed, env=environ).stdout.endswith("--shard 3/3\n")


def test_an_image_in_a_file_is_the_same_image(image, tmp_path):
    guest = tmp_path / "guest.img"
    guest.write_bytes(os.urandom(1 << 16))
    target = tmp_path / "saved.tar"
    environ = {**os.environ, "DOCKER_HOST": ENGINE}
    command = (CLIENT, "container", "save", str(target), "--image", image)
    assert run(*command, "--test-image", str(guest), env=environ).returncode == 0
    before = docker("image", "inspect", "--format", "{{.Id}}", image).stdout
    load = (CLIENT, "container", "load", str(target), "--extract", str(tmp_path / "out"))
    assert run(*load, env=environ).stdout == f"{image}\n"
    assert docker("image", "inspect", "--format", "{{.Id}}", image).stdout == before
    assert (tmp_path / "out" / "test-image" / "guest.img").read_bytes() == guest.read_bytes()
    assert (tmp_path / "out" / "guidelines" / "2020.06.json").exists()
    assert image in docker("load", "--input", str(target)).stdout.decode()  # docker's own way

    content = bytearray(target.read_bytes())
    content[content.index(guest.read_bytes())] ^= 1
    target.write_bytes(content)
    changed = run(*load, env=environ)
    assert (changed.returncode, "guest.img has changed since it was saved" in changed.stderr) == (
        4,
        True,
    )


def test_the_sandbox_certifies_in_one_container_without_a_network(image):
    name = f"{image}-sandbox"
    build = ("build", "--network", "host", "--file", str(ROOT / "Dockerfile.sandbox"))
    docker(*build, "--build-arg", f"CORE={image}", "--tag", name, str(ROOT))
    try:
        done = docker("run", "--rm", "--network", "none", name, check=False)
        assert done.returncode == 0, done.stderr.decode()
        assert done.stdout.decode().splitlines()[-1] == CONFORMANT
    finally:
        docker("rmi", "--force", name, check=False)


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (("--image", "no-such-image"), 5, "the engine has no image no-such-image"),
        (("--network", "no-such-network"), 5, "no-such-network"),
        (("--memory", "much"), 2, "--memory much is not a valid size"),
        (("--shards", "0"), 2, "must be at least 1"),
        (("--programme", "strage"), 4, "has no programme called strage"),
        (("--os-cloud", "nosuch"), 5, "there is no cloud called nosuch"),
        (("--resume", "/nosuch"), 4, "is not a run"),
    ],
)
def test_a_mistake_is_told_and_leaves_nothing(launcher, options, code, said):
    done = run(*launcher, *STORAGE, *options)
    assert (done.returncode, "Traceback" in done.stderr) == (code, False), done.stderr
    assert said in done.stderr
    assert left() == ("", "")
