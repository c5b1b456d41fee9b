"""Whatever is killed, no finished test runs again and no resource is leaked."""

import contextlib
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
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

from refstack_client.outcomes import subunit_stream
from refstack_client.sandbox import daemon
from refstack_client.sandbox import lifecycle as sandbox_cloud
from refstack_client.sandbox.state import Sandbox
from scoring.conformance.outcomes import Outcome

pytestmark = pytest.mark.cloud
LONG = pytest.mark.long
MANY_KILLS = int(os.environ.get("REFSTACK_FAULT_KILLS", "50"))
SEED = int(os.environ.get("REFSTACK_FAULT_SEED", "20261121"))
CHAINS = 2
# What is killed, by a part of its command line, and how often; the command itself most often.
VICTIMS = {
    "command": 4,
    "refstack_client.tempest.supervisor": 1,
    "stestr run": 1,
    "stestr.subunit_runner.run": 2,
}


def kill(started: subprocess.Popen, victim: str, rng: random.Random) -> bool:
    """Kill the command or one of its processes; return whether there was one."""
    if victim == "command":
        started.kill()
        return True
    with contextlib.suppress(psutil.Error):
        found = [
            each
            for each in psutil.Process(started.pid).children(recursive=True)
            if victim in " ".join(each.cmdline())
        ]
        if found:
            rng.choice(found).kill()
            return True
    return False


def certify_under_fire(place: Path, number: int, kills: int) -> list[Path]:
    """Certify again and again, killing at random moments, until that many kills have hit."""
    rng = random.Random(SEED + number)
    runs = place / f"runs-{number}"
    hit = starts = 0
    done: list[Path] = []
    command = [*CERTIFY, "--os-cloud", "sandbox", "--output", str(runs), "--concurrency", "1"]
    while hit < kills or len(done) < len(list(runs.iterdir())):
        unfinished = [each for each in runs.iterdir() if each not in done] if runs.exists() else []
        again = ["--resume", str(unfinished[0])] if unfinished else []
        starts += 1
        assert starts < 3 * kills + 10, (place / f"talk-{number}").read_text()[-2000:]
        with (place / f"talk-{number}").open("a") as talk:
            started = subprocess.Popen([*command, *again], stdout=talk, stderr=talk)
            deadline = time.monotonic() + rng.uniform(0.3, 9)
            while hit < kills and started.poll() is None and time.monotonic() < deadline:
                time.sleep(0.05)
            # A process that does not exist yet is waited for: a run without a kill takes long.
            (victim,) = rng.choices(list(VICTIMS), VICTIMS.values())
            killed = False
            while hit < kills and not killed and started.poll() is None:
                killed = kill(started, victim, rng)
                time.sleep(0.05)
            hit += killed
            code = started.wait(200)
        if code == 0:
            done += [each for each in runs.iterdir() if each not in done]
        for each in list(runs.iterdir()) if runs.exists() else ():
            if not (each / "request.json").exists():  # killed before anything was made
                shutil.rmtree(each)
    return done


@LONG
@pytest.mark.parametrize("kills", [MANY_KILLS])
def test_kills_at_random_moments_change_no_outcome_and_leave_nothing(place, sandbox, kills):
    before = {process.pid for process in psutil.process_iter()}
    share = -(-kills // CHAINS)
    with ThreadPoolExecutor(CHAINS) as pool:
        chains = pool.map(certify_under_fire, [place] * CHAINS, range(CHAINS), [share] * CHAINS)
        finished = [made for chain in chains for made in chain]
    assert finished
    starts = 0
    for made in finished:
        verdict = json.loads((made / "verdict.json").read_text())
        assert (verdict["verdict"], verdict["required"]["passed"]) == ("conformant", 58), made
        outcomes = subunit_stream.read(made / "stream.subunit")
        assert outcomes.damage == ""
        ran = Counter(each.test.full for each in outcomes.attempts)
        assert set(ran.values()) == {1}, [name for name, times in ran.items() if times > 1]
        assert len(ran) == 58
        starts += sum("started" in line for line in (made / "attempts.jsonl").open())
    assert starts > len(finished)
    assert tenants_of(sandbox) == []
    assert list((place / "tmp").iterdir()) == []
    left = [
        process.info["cmdline"]
        for process in psutil.process_iter(["cmdline"])
        if process.pid not in before and str(place) in str(process.info["cmdline"])
    ]
    assert left == []


def certify(*arguments: str) -> subprocess.CompletedProcess:
    return run(*CERTIFY, "--os-cloud", "sandbox", *arguments)


def kill_in_the_middle(sandbox: Sandbox, place: Path) -> Path:
    """Certify and kill the command when some tests are done; return the run's directory."""
    started = start_and_wait_for(sandbox, place, UNDER_WAY)
    started.kill()
    started.wait(20)
    time.sleep(0.5)
    return only_run(place)


def test_what_a_killed_run_left_is_listed_and_removed(place, sandbox):
    made = kill_in_the_middle(sandbox, place)
    assert not [
        each for each in psutil.process_iter(["cmdline"]) if str(place / "tmp") in str(each.info)
    ]
    left = tenants_of(sandbox)
    assert left
    assert list((place / "tmp").iterdir())
    plan = certify("--output", str(made.parent), "--resume", "nowhere")
    assert (plan.returncode, "nowhere is not a run" in plan.stderr) == (4, True)
    done = certify("--clean", str(made))
    assert done.returncode == 0, done.stderr
    assert f"removed: user refstack-{made.name[-6:]}-admin" in done.stdout
    assert "removed: the workspace" in done.stdout
    assert tenants_of(sandbox) == []
    assert_no_secret_is_left(place, secrets_of(sandbox))
    again = certify("--clean", str(made))
    assert (again.returncode, again.stdout) == (0, "")
    assert "has no leaked resources" in again.stderr


@LONG
def test_tenants_that_tempest_made_itself_are_removed_with_everybody_in_them(place, sandbox):
    started = start_and_wait_for(sandbox, place, "guideline")
    while len([name for name in tenants_of(sandbox) if name.startswith("tempest-")]) < 3:
        assert started.poll() is None, (place / "talk").read_text()
        time.sleep(0.05)
    started.kill()
    started.wait(20)
    done = certify("--clean", str(only_run(place)))
    assert done.returncode == 0, done.stderr
    assert tenants_of(sandbox) == []


@LONG
def test_a_project_that_keystone_made_once_its_tempest_was_dead_goes_with_the_run(place, sandbox):
    started = start_and_wait_for(sandbox, place, UNDER_WAY)
    started.send_signal(signal.SIGTERM)
    assert started.wait(30) == 130
    assert tenants_of(sandbox) == []
    openstack.connect(cloud="sandbox").identity.create_project(name="tempest-AccountTest-1234")
    done = certify("--resume", str(only_run(place)))
    assert done.returncode == 0, done.stderr
    assert tenants_of(sandbox) == []


@LONG
def test_a_killed_run_is_told_of_and_what_was_done_counts(place, sandbox):
    made = kill_in_the_middle(sandbox, place)
    known = json.loads(run(CLIENT, "verdict", str(made), "-f", "json").stdout)["required"]
    assert 6 <= known["passed"] < 58
    assert known["failed"] == 0
    wrong = certify("--set", "wrong")
    assert f"the run {made.name} was cut off" in wrong.stderr
    done = certify("--resume", str(made))
    assert done.returncode == 0, done.stderr
    assert f"now           {58 - known['passed']} tests to run" in done.stderr
    assert "Retries: failed tests were run again 0 of 3 times" in done.stdout
    again = certify("--resume", str(made))
    assert (again.returncode, "no tests to run" in again.stderr) == (0, True)
    assert tenants_of(sandbox) == []


@LONG
def test_tenants_without_an_admin_are_emptied_of_what_a_killed_run_made(place, sandbox):
    accounts = ("--accounts", str(sandbox.accounts_yaml))
    command = [*CERTIFY, "--os-cloud", "sandbox-tenant", *accounts]
    talk = place / "talk"
    with talk.open("w") as log:
        started = subprocess.Popen(command, stderr=log, stdout=log)
        while UNDER_WAY not in talk.read_text():
            assert started.poll() is None, talk.read_text()
            time.sleep(0.1)
    started.kill()
    started.wait(20)
    made = only_run(place)
    done = run(*CERTIFY, "--clean", str(made))
    assert done.returncode == 0, done.stderr
    assert "the workspace" in done.stdout
    assert list((place / "tmp").iterdir()) == []
    resumed = run(*CERTIFY, "--resume", str(made))
    assert resumed.returncode == 3, resumed.stderr
    assert "57/58 required tests" in resumed.stdout


@LONG
def test_failures_alone_are_run_again_and_a_later_pass_says_so(place, sandbox):
    started = start_and_wait_for(sandbox, place, UNDER_WAY)
    for process in daemon.marked(sandbox.state):
        if any("swift_server.py" in each for each in process.cmdline()):
            process.kill()
    assert started.wait(200) == 1
    made = only_run(place)
    first = subunit_stream.read(made / "stream.subunit")
    sandbox_cloud.up(sandbox, None, print)
    done = certify("--resume", str(made), "--rerun-failed")
    assert done.returncode == 0, done.stderr
    assert "Retries: failed tests were run again 1 of 3 times" in done.stdout
    assert "Passed only when repeated" in done.stdout
    document = json.loads((made / "verdict.json").read_text())
    tests = {each["id"]: each for one in document["capabilities"] for each in one["tests"]}
    repeated = [each for each in tests.values() if len(each["attempts"]) > 1]
    assert {each["reason"] for each in repeated} == {"passed at attempt 2"}
    passed = {each.test.full for each in first.attempts if each.outcome is Outcome.PASS}
    ran = Counter(each.test.full for each in subunit_stream.read(made / "stream.subunit").attempts)
    assert {ran[full] for full in passed} == {1}
    spent = certify("--resume", str(made), "--rerun-failed", "--retry-budget", "1")
    assert (spent.returncode, "the retry budget is 1" in spent.stderr) == (2, True)


@LONG
def test_two_processes_cannot_be_in_one_run(place, sandbox):
    started = start_and_wait_for(sandbox, place, UNDER_WAY)
    second = certify("--resume", str(only_run(place)))
    assert (second.returncode, "another process uses the run" in second.stderr) == (5, True)
    started.send_signal(signal.SIGTERM)
    assert started.wait(30) == 130
    assert tenants_of(sandbox) == []


@LONG
@pytest.mark.parametrize(
    ("where", "value", "message"),
    [
        (("cloud", "region"), "Elsewhere", "the cloud's region was Elsewhere, now RegionOne"),
        pytest.param(
            *(("versions", "tempest"), "1.0.0", "tempest was 1.0.0, now"),
            marks=LONG,
        ),
        pytest.param(
            *(("guideline", "sha256"), "0" * 64, "the guideline was 2020.06 (000000000000), now"),
            marks=LONG,
        ),
    ],
)
def test_a_run_of_another_guideline_tempest_or_cloud_is_not_gone_on_with(
    place, sandbox, where, value, message
):
    started = start_and_wait_for(sandbox, place, "guideline")
    started.send_signal(signal.SIGTERM)
    started.wait(30)
    made = only_run(place)
    plan = json.loads((made / "plan.json").read_text())
    plan[where[0]][where[1]] = value
    (made / "plan.json").write_text(json.dumps(plan))
    done = certify("--resume", str(made))
    assert (done.returncode, message in done.stderr) == (4, True), done.stderr
    assert (made / "plan.json").exists()
    other = certify("--resume", str(made), "--guideline", "2018.02")
    assert (other.returncode, "not of 2018.02" in other.stderr) == (4, True)
    other = certify("--resume", str(made), "--programme", "compute")
    assert (other.returncode, "not of compute" in other.stderr) == (4, True)


@contextlib.contextmanager
def limited_file_size(size: int) -> Iterator[None]:
    """Let no file of this process and its children become larger; SIGXFSZ is ignored by Python."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@LONG
def test_a_full_disk_is_said_and_the_run_goes_on_when_there_is_room(place, sandbox):
    made = kill_in_the_middle(sandbox, place)
    whole = (made / "stream.subunit").read_bytes()
    # A file that may not grow is as a full disk. Its limit is for every file of the processes.
    with limited_file_size(len(whole) + 100):
        full = certify("--resume", str(made))
    assert full.returncode == 5, full.stderr
    assert f"{made} cannot be written: File too large" in full.stderr
    assert "certify --resume" in full.stderr
    assert tenants_of(sandbox) == []
    (made / "stream.subunit").write_bytes(whole + whole[: len(whole) // 3][-100:])
    done = certify("--resume", str(made))
    assert done.returncode == 0, done.stderr
    assert subunit_stream.read(made / "stream.subunit").damage == ""
