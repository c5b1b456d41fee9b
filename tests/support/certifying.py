"""Helpers for tests that certify a sandbox: commands, and checks for leaked secrets and users."""

import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import openstack
import psutil

from refstack_client.sandbox import state
from refstack_client.sandbox.state import Sandbox

ROOT = Path(__file__).parents[2]
SANDBOX_ROOT = Path(os.environ.get("REFSTACK_SANDBOX_ROOT", ROOT / ".sandbox")).resolve()
CLIENT = str(Path(sys.executable).with_name("refstack-client"))
CERTIFY = (CLIENT, "certify", "--programme", "storage")
UNDER_WAY = "objectstore-container-create: 2 pass"
"""Output of a certification of the storage sandbox while it still runs many tests."""
OF_RUNS = ("tempest-", "refstack-")
"""Starts of the names of projects and users that runs create."""
FERNET_TOKEN = re.compile(rb"gAAAA[\w-]{60,}")


def run(*command: str, **more) -> subprocess.CompletedProcess:
    return subprocess.run(command, capture_output=True, text=True, timeout=400, check=False, **more)


def only_run(place: Path) -> Path:
    (run_directory,) = (place / "a place" / "runs").iterdir()
    return run_directory


def secrets_of(sandbox: Sandbox) -> list[str]:
    secrets = state.secrets(sandbox)
    return [secrets.admin_password, secrets.service_password, secrets.tenant_password]


def tenants_of(sandbox: Sandbox) -> list[str]:
    admin = openstack.connect(cloud="sandbox")
    names = [project.name for project in admin.identity.projects()]
    names += [user.name for user in admin.identity.users()]
    return [name for name in names if name.startswith(OF_RUNS)]


def remove_tenants() -> None:
    """Remove the projects and users of all runs, so that one failed test fails no other."""
    identity = openstack.connect(cloud="sandbox").identity
    for user in identity.users():
        if user.name.startswith(OF_RUNS):
            identity.delete_user(user)
    for project in identity.projects():
        if project.name.startswith(OF_RUNS):
            identity.delete_project(project)


@contextmanager
def watching_processes(secrets: list[str]) -> Iterator[list[str]]:
    """Search the arguments and the environment of every process for secrets, meanwhile."""
    found: list[str] = []
    done = threading.Event()

    def watch() -> None:
        while not done.is_set():
            for process in psutil.process_iter():
                try:
                    shown = " ".join(process.cmdline()) + repr(process.environ())
                except psutil.Error:
                    continue
                if any(secret in shown for secret in secrets):
                    found.append(shown)
            time.sleep(0.1)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield found
    finally:
        done.set()
        watcher.join()


def assert_no_secret_is_left(place: Path, secrets: list[str]) -> None:
    assert list((place / "tmp").iterdir()) == []
    for path in only_run(place).rglob("*"):
        content = path.read_bytes()
        assert not FERNET_TOKEN.search(content), path
        for secret in secrets:
            assert secret.encode() not in content, path
            assert repr(secret)[1:-1].encode() not in content, path


def start_and_wait_for(sandbox: Sandbox, place: Path, text: str, *options: str) -> subprocess.Popen:
    """Start a certification with the admin credential; return once its output has ``text``."""
    log = (place / "talk").open("w")
    started = subprocess.Popen(
        [*CERTIFY, "--os-cloud", "sandbox", *options], stderr=log, stdout=log
    )
    deadline = time.monotonic() + 120
    while text not in (place / "talk").read_text():
        assert started.poll() is None, (place / "talk").read_text()
        assert time.monotonic() < deadline
        time.sleep(0.2)
    return started
