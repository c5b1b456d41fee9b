"""Whenever a run is interrupted or fails, what remains in the cloud is named."""

import contextlib
import json
import random
import re
import shlex
import signal
import subprocess
import time
from pathlib import Path

import openstack
import psutil
import pytest
from support.certifying import (
    CERTIFY,
    CLIENT,
    UNDER_WAY,
    assert_no_secret_is_left,
    only_run,
    run,
    secrets_of,
    start_and_wait_for,
    tenants_of,
)

from refstack_client.outcomes.redaction import HIDDEN
from refstack_client.sandbox import daemon
from refstack_client.sandbox import lifecycle as sandbox_cloud
from refstack_client.sandbox.state import Sandbox

pytestmark = pytest.mark.cloud
LONG = pytest.mark.long
SEED = 20261126
SECONDS_TO_ACKNOWLEDGE = 0.2
SECONDS_OF_PYTHON = 0.3
"""In which Python itself starts, and shows a traceback of its own."""


def certify(place: Path, *more: str) -> subprocess.Popen:
    with (place / "talk").open("w") as log:
        return subprocess.Popen([*CERTIFY, "--os-cloud", "sandbox", *more], stderr=log, stdout=log)


def end(started: subprocess.Popen, place: Path) -> str:
    """Wait for the command to end and return its output."""
    started.wait(200)
    return (place / "talk").read_text()


def clean(output: str) -> subprocess.CompletedProcess:
    """Run the command that the output names."""
    line = re.search(r"^  refstack-client (certify --clean .*)$", output, re.MULTILINE)
    assert line, output
    return run(CLIENT, *shlex.split(line[1]))


def assert_named(output: str, tenants: list[str]) -> None:
    """Assert that the tenants are named, or by an interrupt at once at least their prefix is."""
    by_prefix = "not removed: projects and users whose names start with refstack-" in output
    assert by_prefix or not [name for name in tenants if name not in output], output


@pytest.mark.parametrize("times", [1, pytest.param(6, marks=LONG)])
def test_interrupts_at_random_moments_leave_nothing_that_is_not_named(place, sandbox, times):
    rng = random.Random(SEED)
    for _ in range(times):
        started = certify(place)
        time.sleep(SECONDS_OF_PYTHON + rng.choice((rng.uniform(0, 3), rng.uniform(0, 12))))
        for _ in range(rng.choice((1, 1, 2, 3))):
            started.send_signal(signal.SIGINT)
            time.sleep(rng.uniform(0, 1))
        output = end(started, place)
        assert started.returncode in {0, 130}, output
        assert "Traceback" not in output
        if tenants := tenants_of(sandbox):
            assert_named(output, tenants)
            assert clean(output).returncode == 0
        assert tenants_of(sandbox) == []
        assert list((place / "tmp").iterdir()) == []


def test_ctrl_c_is_acknowledged_at_once_and_the_tenants_are_removed(place, sandbox):
    started = start_and_wait_for(sandbox, place, UNDER_WAY)
    started.send_signal(signal.SIGINT)
    time.sleep(SECONDS_TO_ACKNOWLEDGE)
    talk = (place / "talk").read_text()
    assert "stopping: what this run created in the cloud is removed; press Ctrl-C again" in talk
    assert "not removed" not in end(started, place)
    assert started.returncode == 130
    assert tenants_of(sandbox) == []


@LONG
def test_a_second_ctrl_c_leaves_the_tenants_and_names_them(place, sandbox):
    started = start_and_wait_for(sandbox, place, UNDER_WAY)
    started.send_signal(signal.SIGINT)
    time.sleep(0.1)
    started.send_signal(signal.SIGINT)
    output = end(started, place)
    assert started.returncode == 130
    assert_named(output, tenants_of(sandbox))
    project = openstack.connect(cloud="sandbox").identity.find_project(
        f"refstack-{only_run(place).name[-6:]}-1"
    )
    assert f"not removed: project {project.name} ({project.id})" in output
    assert clean(output).returncode == 0
    assert tenants_of(sandbox) == []
    assert_no_secret_is_left(place, secrets_of(sandbox))


def stop_processes(sandbox: Sandbox, program: str) -> None:
    for process in daemon.marked(sandbox.state):
        with contextlib.suppress(psutil.NoSuchProcess):
            if any(program in argument for argument in process.cmdline()):
                process.kill()


def test_what_remains_is_named_when_tenants_cannot_be_created_nor_removed(place, sandbox):
    started = certify(place)
    while not tenants_of(sandbox):
        assert started.poll() is None, (place / "talk").read_text()
    stop_processes(sandbox, "pyuwsgi")
    output = end(started, place)
    assert started.returncode == 5, output
    assert "error: cannot create tenants" in output
    sandbox_cloud.up(sandbox, None, print)
    tenants = tenants_of(sandbox)
    assert tenants
    assert_named(output, tenants)
    assert only_run(place).is_dir()
    assert clean(output).returncode == 0
    assert tenants_of(sandbox) == []


@LONG
def test_what_interrupted_tests_created_in_projects_of_an_accounts_file_is_removed(place, sandbox):
    accounts = ("--accounts", str(sandbox.accounts_yaml))
    command = [*CERTIFY, "--os-cloud", "sandbox-tenant", *accounts]
    with (place / "talk").open("w") as log:
        started = subprocess.Popen(command, stderr=log, stdout=log)
    while UNDER_WAY not in (place / "talk").read_text():
        assert started.poll() is None, (place / "talk").read_text()
        time.sleep(0.1)
    started.send_signal(signal.SIGINT)
    assert "not removed" not in end(started, place)
    assert started.returncode == 130
    prefix = f"refstack-{only_run(place).name[-6:]}"
    tenant = openstack.connect(cloud="sandbox-tenant")
    names = [container.name for container in tenant.object_store.containers()]
    assert not [name for name in names if name.startswith(prefix)]


@LONG
def test_secret_settings_are_not_needed_to_clean(place, sandbox):
    started = start_and_wait_for(sandbox, place, UNDER_WAY)
    started.kill()
    started.wait(20)
    request = only_run(place) / "request.json"
    document = json.loads(request.read_text())
    document["settings"] = [f"identity.admin_password={HIDDEN}"]
    request.write_text(json.dumps(document))
    assert run(*CERTIFY, "--clean", str(only_run(place))).returncode == 0
    assert tenants_of(sandbox) == []
