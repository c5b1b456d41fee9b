"""``scs report`` and ``scs submit``: reports that SCS's monitor accepts, and what it refuses."""

import base64
import contextlib
import json
import os
import pty
import subprocess
from datetime import timedelta
from pathlib import Path

import jsonschema
import pytest
import yaml
from support import scs
from support.bundles import make_key
from support.certifying import CLIENT
from support.making import BEGIN, FACTS, SCS, make_run

from capabilities import catalogue, flat_list
from capabilities.programme import find
from refstack_client.cli.app import main

SUBJECT, PASSWORD = "cloud-1", "p:ass word"  # a password may have a colon
VOLUME = "api.volume"


def run_of(tmp_path: Path, failing: str = "", **more) -> Path:
    def outcome(name: str) -> str:
        if "test_host_name_is_same" in name:
            return "skip"
        return "fail" if failing and failing in name else "success"

    return make_run(tmp_path / "runs", outcome, wanted=SCS, traceback="E: x", **more).directory


@pytest.fixture
def key(tmp_path) -> Path:
    return make_key(tmp_path / "key")


def public(key: Path) -> str:
    return " ".join(key.with_suffix(".pub").read_text().split()[:2])


@pytest.fixture
def auth(tmp_path) -> Path:
    path = tmp_path / "auth"
    path.write_text(f"{SUBJECT}:{PASSWORD}\n")
    path.chmod(0o600)
    return path


@pytest.fixture
def monitor(key):
    account = scs.Account(PASSWORD, (public(key),), (SUBJECT, "cloud-2"))
    other = scs.Account(PASSWORD, (), (SUBJECT,))
    with scs.monitor(**{SUBJECT: account, "other": other}) as running:
        yield running


def report(key: Path, *results: Path, subjects: tuple[str, ...] = (SUBJECT,), more=()) -> int:
    out = key.with_name("report.yaml")
    named = [text for subject in subjects for text in ("--subject", subject)]
    places = [str(path) for path in results]
    return main(["scs", "report", *places, *named, "--key", str(key), "-o", str(out), *more])


def documents(key: Path) -> list[dict]:
    return list(yaml.safe_load_all(key.with_name("report.yaml").read_text()))


def submit(key: Path, url: str, *more: str) -> int:
    return main(["scs", "submit", str(key.with_name("report.yaml")), url, *more])


def check_form(document: dict) -> None:
    """Check a report against its schema, as JSON."""
    assert document["checked_at"].tzinfo is None
    assert document["reference_date"] == document["checked_at"].date()
    jsonschema.Draft202012Validator(scs.SCHEMA).validate(
        json.loads(json.dumps(document, default=str))
    )


def test_a_report_is_signed_and_has_the_form_of_scs(tmp_path, key, capsys):
    assert report(key, run_of(tmp_path)) == 0
    assert capsys.readouterr().out == f"{SUBJECT}  scs-0128-e2e: PASS\n"
    path = key.with_name("report.yaml")
    signature = path.with_name("report.yaml.sig").read_bytes()
    assert scs.verified([public(key)], signature, path.read_bytes())
    assert not scs.verified([public(key)], signature, path.read_bytes() + b" ")

    (document,) = documents(key)
    check_form(document)
    assert document["subject"] == SUBJECT
    assert document["checked_at"] == (BEGIN + timedelta(minutes=1)).replace(tzinfo=None)
    (invocation,) = document["run"]["invocations"].values()
    assert set(invocation["results"].values()) == {1}
    read = scs.read(
        "\n".join(invocation["stdout"]),
        "\n".join(invocation["stderr"]),
        invocation["rc"],
        list(invocation["results"]),
    )
    assert read.results == invocation["results"]
    assert read.counts == {level: invocation[level] for level in scs.LEVELS}
    assert invocation["warning"] == 1
    tests = document["evidence"]["tests"]
    assert (tests["passed"], tests["failed"], tests["skipped"]) == (257, 0, 1)
    assert document["evidence"]["region"] == FACTS.region
    assert "keystone.example.org" not in path.read_text()


def test_the_results_of_a_run_with_failures_name_the_tests(tmp_path, key, capsys):
    assert report(key, run_of(tmp_path, VOLUME)) == 0
    assert capsys.readouterr().out == f"{SUBJECT}  scs-0128-e2e: FAIL\n"
    (document,) = documents(key)
    (invocation,) = document["run"]["invocations"].values()
    assert invocation["results"]["scs-0128-e2e"] == -1
    assert invocation["results"]["scs-0128-e2e-compute"] == 1
    assert (invocation["rc"], invocation["error"]) == (1, 65)
    assert sum(line.startswith("ERROR: failed: tempest.") for line in invocation["stderr"]) == 65


def test_run_and_bundle_give_the_same_report_which_has_the_digest_of_the_bundle(tmp_path, key):
    directory, bundle = run_of(tmp_path), tmp_path / "b.zip"
    assert report(key, directory) == 0
    (of_run,) = documents(key)
    assert main(["bundle", "create", str(directory), "-o", str(bundle)]) == 0
    assert report(key, bundle) == 0
    assert documents(key) == [of_run]
    digest = subprocess.run(["sha256sum", bundle], capture_output=True, text=True, check=True)
    assert of_run["evidence"]["bundle"]["sha256"] == digest.stdout.split()[0]

    assert main(["bundle", "sign", str(directory), "--key", str(key), "-o", str(bundle)]) == 0
    assert report(key, bundle) == 0
    (of_signed,) = documents(key)
    assert of_signed["run"] == of_run["run"]
    assert of_signed["evidence"]["bundle"]["signed_by"].startswith("SHA256:")


def test_the_monitor_accepts_a_report_once(tmp_path, key, auth, monitor, capsys):
    assert report(key, run_of(tmp_path)) == 0
    assert submit(key, f"{monitor.url}/", "--auth", str(auth)) == 0
    (document,) = documents(key)
    uuid = document["run"]["uuid"]
    assert monitor.reports.keys() == {uuid}
    assert f"{SUBJECT}  {uuid}" in capsys.readouterr().out

    assert submit(key, monitor.url, "--auth", str(auth)) == 4
    assert "has this report already (409 Conflict" in capsys.readouterr().err
    # A new report on the same run is the same one.
    assert report(key, *(tmp_path / "runs").iterdir()) == 0
    assert submit(key, monitor.url, "--auth", str(auth)) == 4
    assert len(monitor.reports) == 1


def test_several_regions_are_reported_at_once(tmp_path, key, auth, monitor, capsys):
    first = run_of(tmp_path)
    second = run_of(tmp_path, VOLUME, started=BEGIN + timedelta(hours=1))
    assert report(key, first, second, subjects=(SUBJECT, "cloud-2")) == 0
    assert "warning" not in capsys.readouterr().err
    assert submit(key, monitor.url, "--auth", str(auth)) == 0
    assert "submitted: 2 reports" in capsys.readouterr().err
    assert {one["subject"] for one in monitor.reports.values()} == {SUBJECT, "cloud-2"}
    assert len(monitor.bodies) == 1
    for document in monitor.reports.values():
        check_form(document)

    assert report(key, first, second) == 0
    assert "the monitor shows the latest" in capsys.readouterr().err
    assert [one["subject"] for one in documents(key)] == [SUBJECT] * 2
    assert report(key, first, first) == 2
    assert "are the same run" in capsys.readouterr().err
    assert report(key, first, second, subjects=(SUBJECT,) * 3) == 2
    assert "--subject is given 3 times, for 2 runs" in capsys.readouterr().err


def test_refusals_of_the_monitor_are_explained(tmp_path, key, auth, monitor, capsys):
    assert report(key, run_of(tmp_path), subjects=("cloud-9",)) == 0
    assert submit(key, monitor.url, "--auth", str(auth)) == 4
    err = capsys.readouterr().err
    assert "delegation problem?" in err
    assert "the account may report for the subject" in err

    assert report(key, *(tmp_path / "runs").iterdir()) == 0
    capsys.readouterr()
    for account, detail in (
        ("other:" + PASSWORD, "verification failed"),
        (f"{SUBJECT}:wrong", "Incorrect username or password"),
    ):
        auth.write_text(account)
        assert submit(key, monitor.url, "--auth", str(auth)) == 4
        out = capsys.readouterr()
        assert detail in out.err
        assert PASSWORD not in out.err + out.out
        assert "wrong" not in out.err
    auth.write_text(f"{SUBJECT}:{PASSWORD}")
    monitor.accepts = "application/x-signed-json"
    assert submit(key, monitor.url, "--auth", str(auth)) == 4
    assert "does not read signed YAML (415" in capsys.readouterr().err
    assert submit(key, f"{monitor.url}/reports", "--auth", str(auth)) == 4
    assert "without /reports" in capsys.readouterr().err
    assert monitor.reports == {}


def test_a_token_of_scs_tools_is_an_account(tmp_path, key, auth, monitor, capsys):
    auth.write_bytes(base64.b64encode(f"{SUBJECT}:{PASSWORD}".encode()) + b"\n")
    assert report(key, run_of(tmp_path)) == 0
    assert submit(key, monitor.url, "--auth", str(auth)) == 0
    auth.chmod(0o644)
    capsys.readouterr()
    assert submit(key, monitor.url, "--auth", str(auth), "--account", "eve") == 2
    assert submit(key, monitor.url, "--auth", str(auth)) == 4
    assert "other users can read" in capsys.readouterr().err
    auth.write_text("nothing of use")
    assert submit(key, monitor.url, "--auth", str(auth)) == 4
    assert "one line: ACCOUNT:PASSWORD" in capsys.readouterr().err


def test_the_password_is_sent_to_no_other_server(tmp_path, key, auth, monitor, capsys):
    assert report(key, run_of(tmp_path)) == 0
    for url, message in (
        ("http://monitor.example.org", "is not encrypted"),
        (monitor.url.replace("//", f"//{SUBJECT}:secret-word@"), "has an account"),
        ("monitor.example.org", "URL is not that of a monitor"),
        ("file:///etc/passwd", "URL is not that of a monitor"),
    ):
        assert submit(key, url, "--auth", str(auth)) == 2
        err = capsys.readouterr().err
        assert message in err
        assert "secret-word" not in err
    assert submit(key, monitor.url) == 2
    assert "there is no terminal" in capsys.readouterr().err
    assert monitor.bodies == []


def test_a_report_that_was_changed_is_not_sent(tmp_path, key, auth, monitor, capsys):
    assert report(key, run_of(tmp_path, VOLUME)) == 0
    path = key.with_name("report.yaml")
    path.write_text(path.read_text().replace(": -1", ": 1"))
    assert submit(key, monitor.url, "--auth", str(auth)) == 4
    assert "is not the signature of" in capsys.readouterr().err
    path.with_name("report.yaml.sig").unlink()
    assert submit(key, monitor.url, "--auth", str(auth)) == 4
    assert "has no signature" in capsys.readouterr().err
    assert monitor.bodies == []


def test_only_runs_of_the_standard_are_reported(tmp_path, key, capsys):
    storage = make_run(tmp_path / "storage").directory
    assert report(key, storage) == 4
    assert "has results of 2020.06, not of scs-0128" in capsys.readouterr().err
    stream = run_of(tmp_path) / "stream.subunit"
    bundle = tmp_path / "b.zip"
    create = ["bundle", "create", str(stream), "--guideline", "scs-0128", "-o", str(bundle)]
    assert main(create) == 0
    assert report(key, bundle) == 4
    assert "does not record a run" in capsys.readouterr().err
    assert report(key, tmp_path / "nothing") == 4
    assert not key.with_name("report.yaml").exists()


def test_a_run_with_admin_rights_is_not_reported(tmp_path, key, capsys):
    directory = run_of(tmp_path)
    attempts = directory / "attempts.jsonl"
    attempts.write_text(attempts.read_text().replace('["member"]', '["admin"]'))
    assert report(key, directory) == 4
    assert "a test ran with the role admin" in capsys.readouterr().err


def test_a_newer_list_is_trusted_by_name(tmp_path, key, capsys):
    newer = tmp_path / "tempest-tests-non-admin.lst"
    newer.write_bytes(b"\n".join(catalogue.content("scs-0128").splitlines()[:20]) + b"\n")
    guideline = flat_list.named(catalogue.load(str(newer))[0], "scs-0128")
    made = make_run(tmp_path / "runs", wanted=find(guideline, "scs-0128"))
    assert report(key, made.directory) == 4
    err = capsys.readouterr().err
    assert "differs from the scs-0128 that is shipped" in err
    assert "--guideline FILE" in err
    assert report(key, made.directory, more=("--guideline", str(newer))) == 0
    (document,) = documents(key)
    assert document["evidence"]["tests"]["total"] == 20
    check_form(document)


@pytest.fixture
def dead_cloud(tmp_path, monkeypatch) -> str:
    """A cloud whose identity service refuses connections."""
    auth = {"auth_url": "http://127.0.0.1:9/v3", "username": "u", "password": "hunter-2"}
    auth |= {"project_name": "p", "user_domain_id": "default", "project_domain_id": "default"}
    path = tmp_path / "clouds.yaml"
    path.write_text(yaml.safe_dump({"clouds": {"dead": {"auth": auth, "region_name": "R"}}}))
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(path))
    monkeypatch.chdir(tmp_path)
    return "dead"


def check(capsys, *arguments: str) -> scs.Invocation:
    code = main(["scs", "check", *arguments])
    out, err = capsys.readouterr()
    assert all(line.partition(":")[0].lower() in scs.LEVELS for line in err.splitlines()), err
    return scs.read(out, err, code, [*(line.rpartition(":")[0] for line in out.splitlines())])


def test_a_cloud_that_cannot_be_tested_is_abort(dead_cloud, tmp_path, capsys):
    found = check(capsys, "-c", dead_cloud)
    assert set(found.results.values()) == {0}
    assert found.results.keys() == {
        *("scs-0128-e2e", "scs-0128-e2e-compute", "scs-0128-e2e-identity"),
        *("scs-0128-e2e-image", "scs-0128-e2e-network", "scs-0128-e2e-volume"),
    }
    assert found.rc == 5
    assert (found.counts["critical"], found.counts["error"]) == (1, 0)
    assert found.stderr[0] == (
        "CRITICAL: the cloud could not be tested: cannot connect to http://127.0.0.1:9/v3"
    )
    assert "hunter-2" not in "".join(found.stderr)
    assert not (tmp_path / "runs").exists()

    found = check(capsys, "-c", "unknown", "scs-0128-e2e")
    assert (found.results, found.rc) == ({"scs-0128-e2e": 0}, 5)
    assert "no cloud called unknown" in found.stderr[0]


def test_only_the_test_cases_that_are_named_are_reported(dead_cloud, capsys):
    found = check(capsys, "-c", dead_cloud, "scs-0128-e2e-image", "scs-0100-syntax-check")
    assert found.results == {"scs-0128-e2e-image": 0}
    assert found.stderr[0] == "WARNING: there is no test case scs-0100-syntax-check"
    found = check(capsys, "-c", dead_cloud, "scs-0100-syntax-check")
    assert (found.results, found.rc) == ({}, 2)
    assert "ERROR: no test case to report" in found.stderr


def test_a_list_that_is_none_is_refused_before_the_cloud_is_asked(dead_cloud, tmp_path, capsys):
    (tmp_path / "odd.lst").write_text("not a test\n")
    found = check(capsys, "-c", dead_cloud, "--guideline", str(tmp_path / "odd.lst"))
    assert (found.results, found.rc) == ({}, 4)
    assert "ERROR: " in found.stderr[0]
    found = check(capsys, "-c", dead_cloud, "--guideline", "2020.06")
    assert (found.results, found.rc) == ({}, 4)
    with pytest.raises(SystemExit):
        main(["scs", "check", "-c", dead_cloud, "--timeout", "soon"])


def test_the_password_is_asked_for_on_a_terminal(tmp_path, key, monitor):
    assert report(key, run_of(tmp_path)) == 0
    process, terminal = pty.fork()
    if not process:
        command = ["scs", "submit", str(key.with_name("report.yaml")), monitor.url]
        os.execv(CLIENT, [CLIENT, *command])
    shown = b""
    while b"password of cloud-1: " not in shown:
        shown += os.read(terminal, 1000)
    os.write(terminal, f"{PASSWORD}\n".encode())
    with contextlib.suppress(OSError):  # the end of a terminal on Linux
        while part := os.read(terminal, 1000):
            shown += part
    assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 0, shown
    assert PASSWORD.encode() not in shown
    assert len(monitor.reports) == 1
