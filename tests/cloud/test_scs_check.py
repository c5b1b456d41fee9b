"""``scs check`` on a real cloud, run as SCS runs its check programs."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
import yaml
from support import scs
from support.bundles import make_key
from support.certifying import (
    CLIENT,
    ROOT,
    assert_no_secret_is_left,
    run,
    secrets_of,
    tenants_of,
    watching_processes,
)
from support.making import STORAGE

pytestmark = pytest.mark.cloud
IDS = ("scs-0128-e2e", "scs-0128-e2e-identity", "scs-0128-e2e-object-storage")
OUTPUT = "/var/tmp/scs-0128"
"""Of the scope in the documentation."""
SECONDS = 120


@pytest.fixture
def listed(place: Path) -> Path:
    """A list with tests of the services that the sandbox has, by name only."""
    path = place / "newer.lst"
    names = [test.name for test in STORAGE.counted_tests() if ".admin." not in test.name]
    path.write_text("\n".join(name for name in names if "marker" not in name))
    return path


def script(listed: Path) -> str:
    """Return the arguments of the scope in the documentation, for another list."""
    document = yaml.safe_load((ROOT / "docs/examples/scs-scope.yaml").read_text())
    (wanted,) = document["scripts"]
    assert [case["id"] for case in wanted["testcases"]] == [IDS[0]]
    return wanted["args"].replace(OUTPUT, "runs") + f" --guideline '{listed}'"


def test_the_cloud_passes_and_the_monitor_accepts_the_report(place, sandbox, listed):
    with watching_processes(secrets_of(sandbox)) as shown:
        found = scs.invoke(Path(CLIENT), script(listed), "sandbox", IDS)
    assert shown == []
    assert found.results == dict.fromkeys(IDS, 1), found.stderr
    assert (found.rc, len(found.stdout)) == (0, len(IDS))
    assert [line for line in found.stderr if not line.startswith("INFO: ")] == []
    printed = "\n".join((*found.stdout, *found.stderr))
    assert not [secret for secret in secrets_of(sandbox) if secret in printed]
    assert tenants_of(sandbox) == []
    assert_no_secret_is_left(place, secrets_of(sandbox))

    key = make_key(place / "key")
    directory = next((place / "a place" / "runs").iterdir())
    command = (CLIENT, "scs", "report", str(directory), "--guideline", str(listed))
    done = run(*command, "--subject", "cloud-1", "--key", str(key), "-o", "report.yaml")
    assert (done.returncode, done.stdout) == (0, "cloud-1  scs-0128-e2e: PASS\n"), done.stderr
    (place / "auth").write_text("cloud-1:password")
    public = key.with_suffix(".pub").read_text()
    with scs.monitor(**{"cloud-1": scs.Account("password", (public,), ("cloud-1",))}) as monitor:
        submit = (CLIENT, "scs", "submit", "report.yaml", monitor.url)
        assert run(*submit, "--auth", str(place / "auth")).returncode == 0
    (report,) = monitor.reports.values()
    (invocation,) = report["run"]["invocations"].values()
    assert invocation["results"] == found.results
    assert not [secret for secret in secrets_of(sandbox) if secret in str(report)]


@pytest.mark.parametrize("how", ["SIGINT", "SIGTERM", "--timeout"])
def test_a_check_that_is_stopped_is_abort_and_leaves_nothing(place, sandbox, listed, how):
    command = [CLIENT, "scs", "check", "-c", "sandbox", "--guideline", str(listed)]
    command += ["--timeout", "0.2"] if how == "--timeout" else []
    with (place / "out").open("w") as out, (place / "err").open("w") as err:
        started = subprocess.Popen(command, stdout=out, stderr=err)
    if how != "--timeout":
        deadline = time.monotonic() + SECONDS
        while "tests run as" not in (place / "err").read_text():
            assert started.poll() is None, (place / "err").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.1)
        time.sleep(2)
        os.kill(started.pid, signal.Signals[how])
    started.wait(SECONDS)
    stderr = (place / "err").read_text()
    found = scs.read((place / "out").read_text(), stderr, started.returncode, IDS)
    assert (found.results, found.rc) == (dict.fromkeys(IDS, 0), 130), stderr
    assert "Traceback" not in stderr
    assert ("WARNING: 0.2 minutes are over" in stderr) == (how == "--timeout")
    assert found.counts["error"] == 0
    assert tenants_of(sandbox) == []
