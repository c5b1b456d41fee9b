"""Certifying a real cloud: Tempest runs, against Keystone and Swift, as tenants."""

import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path

import openstack
import psutil
import pytest
import yaml
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
    watching_processes,
)

from refstack_client.sandbox import daemon, state
from refstack_client.sandbox import lifecycle as sandbox_cloud
from refstack_client.sandbox.state import Sandbox
from refstack_client.tempest import inventory
from refstack_client.tempest.workspace import workspace

pytestmark = pytest.mark.cloud
LONG = pytest.mark.long


@LONG
def test_a_sandbox_is_started_certified_and_stopped_by_one_command(place, new_sandbox):
    sandbox = new_sandbox()
    where = ("--root", str(sandbox.root), "--name", sandbox.name)
    done = run(CLIENT, "certify", "--sandbox", "storage", *where)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == (
        "CONFORMANT  OpenStack Powered Storage  2020.06  58/58 required tests"
    )
    assert daemon.marked(sandbox.state) == []
    assert_no_secret_is_left(place, secrets_of(sandbox))
    # The plan came before, progress in plain lines, and both on stderr.
    assert done.stderr.index("58 found") < done.stderr.index("objectstore-account-list: 12 pass")

    made = only_run(place)
    assert {each.name for each in made.iterdir()} == {
        "attempts.jsonl",
        "guideline.json",
        "lock",
        "log",
        "plan.json",
        "report.html",
        "request.json",
        "stream.subunit",
        "tempest.conf",
        "tests.txt",
        "verdict.json",
    }
    attempt: dict = {}
    for line in (made / "attempts.jsonl").read_text().splitlines():
        attempt.update(json.loads(line))
    assert (attempt["attempt"], attempt["mode"], attempt["status"]) == (1, "all", 0)
    roles = {role for token in attempt["tokens"] for role in token["roles"]}
    assert {"member", "SwiftOperator", "ResellerAdmin"} <= roles
    assert "admin" not in roles
    shown = (made / "tempest.conf").read_text()
    assert "use_dynamic_credentials = false" in shown
    assert "test_accounts_file = accounts.yaml (removed after the run)" in shown

    again = run(CLIENT, "verdict", str(made), "-f", "json")
    assert again.returncode == 0
    assert json.loads(again.stdout) == json.loads((made / "verdict.json").read_text())
    key = place / "key"
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key))
    (place / "allowed").write_text(f"alice {key.with_suffix('.pub').read_text()}")
    bundle = made / "bundle.zip"  # where secrets are looked for
    assert (
        run(CLIENT, "bundle", "sign", str(made), "--key", str(key), "-o", str(bundle)).returncode
        == 0
    )
    checked = run(CLIENT, "bundle", "verify", str(bundle), "--signers", str(place / "allowed"))
    assert (checked.returncode, " NO " in checked.stdout) == (0, False), checked.stdout
    assert_no_secret_is_left(place, secrets_of(sandbox))

    numbers = dict(re.findall(r'<dd id="(\w+)">(\d+)</dd>', (made / "report.html").read_text()))
    assert (numbers["passed"], numbers["failed"]) == ("58", "0")


@LONG
def test_with_tenants_alone_57_pass_and_one_skips_as_was_said_before(place, sandbox):
    with watching_processes(secrets_of(sandbox)) as shown:
        accounts = ("--accounts", str(sandbox.accounts_yaml))
        done = run(*CERTIFY, "--os-cloud", "sandbox-tenant", *accounts)
    assert shown == []
    assert done.returncode == 3, done.stderr
    assert done.stdout.splitlines()[-1] == (
        "INCOMPLETE  OpenStack Powered Storage  2020.06  57/58 required tests"
    )
    said = done.stderr.index("1 test will be skipped with these credentials: at best INCOMPLETE")
    assert said < done.stderr.index("identity-v3-tokens-create: 1 pass")
    assert "test_list_containers_with_marker: Tempest skips it unless" in done.stderr
    skipped = "SKIP  1 test: Tempest skips it unless it creates the test projects itself"
    assert skipped in done.stdout
    document = json.loads((only_run(place) / "verdict.json").read_text())
    assert (document["required"]["passed"], document["required"]["skipped"]) == (57, 1)
    assert_no_secret_is_left(place, secrets_of(sandbox))


@pytest.mark.parametrize(
    "number",
    [
        signal.SIGINT,
        signal.SIGTERM,
        signal.SIGHUP,
    ],
)
@LONG
def test_an_interrupted_run_ends_soon_keeps_what_was_done_and_leaves_nothing(
    place, sandbox, number
):
    before = {process.pid for process in psutil.process_iter()}
    with watching_processes(secrets_of(sandbox)) as shown:
        started = start_and_wait_for(sandbox, place, UNDER_WAY)
        asked = time.monotonic()
        started.send_signal(number)
        assert started.wait(30) == 130
        took = time.monotonic() - asked
    assert took < 5
    assert shown == []
    assert tenants_of(sandbox) == []
    made = only_run(place)
    leftover = [
        process.cmdline()
        for process in psutil.process_iter(["cmdline"])
        if process.pid not in before and str(place) in str(process.info["cmdline"])
    ]
    assert leftover == []
    verdict = run(CLIENT, "verdict", str(made), "-f", "json")
    assert verdict.returncode == 3
    required = json.loads(verdict.stdout)["required"]
    assert 6 <= required["passed"] < 58
    assert required["failed"] == 0
    assert required["passed"] + required["not_run"] == 58
    assert_no_secret_is_left(place, secrets_of(sandbox))


@LONG
def test_a_swift_that_stops_in_the_middle_is_named_as_the_reason(place, sandbox):
    started = start_and_wait_for(sandbox, place, UNDER_WAY)
    for process in daemon.marked(sandbox.state):
        if any("swift_server.py" in each for each in process.cmdline()):
            process.kill()
    assert started.wait(200) in (1, 3)
    document = json.loads((only_run(place) / "verdict.json").read_text())
    assert document["verdict"] in ("not-conformant", "incomplete")
    reasons = [
        test["reason"]
        for capability in document["capabilities"]
        for test in capability["tests"]
        if test["outcome"] == "fail"
    ]
    assert reasons
    assert all("Swift" in reason for reason in reasons), reasons
    output = (place / "talk").read_text()
    assert "refused the connection" in output
    # The containers of a project that is removed could not be removed any more.
    project = f"project refstack-{only_run(place).name[-6:]}-1"
    unknown = r"\([0-9a-f]{32}\) is unknown: Swift \(object-store\) does not respond"
    assert re.search(f"not removed: the content of {project} {unknown}", output), output
    sandbox_cloud.up(sandbox, None, lambda line: None)
    cleaned = run(*CERTIFY, "--os-cloud", "sandbox", "--clean", str(only_run(place)))
    assert cleaned.returncode == 0, cleaned.stderr
    assert tenants_of(sandbox) == []


def certify_error(sandbox: Sandbox, *arguments: str, **changes: str) -> tuple[int, str]:
    """Certify with the sandbox's clouds.yaml changed; return exit code and standard error."""
    document = yaml.safe_load(sandbox.clouds_yaml.read_text())
    for each in document["clouds"].values():
        each["auth"].update(changes)
    Path("clouds.yaml").write_text(yaml.safe_dump(document, allow_unicode=True))
    asked = time.monotonic()
    done = run(
        *CERTIFY, *arguments, env={**os.environ, "OS_CLIENT_CONFIG_FILE": str(Path("clouds.yaml"))}
    )
    assert time.monotonic() - asked < 20
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert "hint:" in done.stderr
    assert not any(Path("runs").glob("*"))
    return done.returncode, done.stderr


def test_a_wrong_password_is_said(place, sandbox):
    code, said = certify_error(sandbox, "--os-cloud", "sandbox", password="wrong")
    assert code == 5
    assert "refused the credentials of sandbox" in said


def test_an_unreachable_endpoint_is_named(place, sandbox):
    url = "http://127.0.0.1:1/v3"
    code, said = certify_error(sandbox, "--os-cloud", "sandbox", auth_url=url)
    assert code == 5
    assert f"cannot connect to {url}" in said


def test_what_is_no_identity_service_is_said(place, sandbox):
    port = state.ports(sandbox)["swift-account"]
    url = f"http://127.0.0.1:{port}/healthcheck"
    code, said = certify_error(sandbox, "--os-cloud", "sandbox", auth_url=url)
    assert code == 5
    assert url in said


def test_a_catalogue_without_object_store_is_said(place, sandbox):
    identity = openstack.connect(cloud="sandbox").identity
    service = identity.find_service("swift")
    identity.update_service(service, is_enabled=False)
    try:
        code, said = certify_error(sandbox, "--os-cloud", "sandbox")
    finally:
        identity.update_service(service, is_enabled=True)
    assert code == 5
    assert "has no service Swift (object-store), which the programme requires" in said


def test_an_object_store_that_does_not_answer_is_said_before_anything_runs(place, sandbox):
    for process in daemon.marked(sandbox.state):
        if "proxy" in process.cmdline():
            process.kill()
    code, said = certify_error(sandbox, "--os-cloud", "sandbox")
    assert code == 5
    assert "Swift (object-store) does not respond at http://127.0.0.1" in said


@pytest.mark.parametrize(
    ("content", "code", "message"),
    [
        (None, 4, "No such file"),
        ("", 5, "has no user"),
        ("[]", 5, "has no user"),
        ("- {username: a, password: b, project_name: c}", 5, "has one user"),
        ("- {username: a", 4, "is not valid YAML"),
        ("{}\n...", 5, "has no user"),
        ("a: b", 4, "expected a list of users"),
        ("- {username: a}\n- {username: b}", 4, "/0: password is missing"),
    ],
)
def test_an_accounts_file_that_does_not_do_is_said(place, sandbox, content, code, message):
    if content is not None:
        Path("accounts.yaml").write_text(content)
    given = ("--os-cloud", "sandbox-tenant", "--accounts", "accounts.yaml")
    got, said = certify_error(sandbox, *given)
    assert (got, message in said) == (code, True), said


def test_a_tenant_without_an_accounts_file_is_told_what_to_do(place, sandbox):
    code, said = certify_error(sandbox, "--os-cloud", "sandbox-tenant")
    assert code == 5
    assert "--accounts" in said


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"password": "wrong"}, "operator-1 of the accounts file cannot sign in"),
        ({"username": "admin", "project_name": "admin"}, "has the role admin"),
    ],
)
def test_a_user_of_the_accounts_file_that_cannot_serve_is_named(place, sandbox, change, message):
    users = yaml.safe_load(sandbox.accounts_yaml.read_text())
    if change.get("username") == "admin":
        clouds = yaml.safe_load(sandbox.clouds_yaml.read_text())["clouds"]
        change = {**change, "password": clouds["sandbox"]["auth"]["password"]}
    users[0].update(change)
    Path("accounts.yaml").write_text(yaml.safe_dump(users, allow_unicode=True))
    given = ("--os-cloud", "sandbox-tenant", "--accounts", "accounts.yaml")
    code, said = certify_error(sandbox, *given)
    assert (code, message in said) == (5, True), said


def test_the_plan_is_shown_without_touching_anything(place, sandbox):
    done = run(CLIENT, "plan", "--programme", "storage", "--os-cloud", "sandbox", "-f", "json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["cloud"]["user"] == "admin"
    assert "admin" in document["cloud"]["roles"]
    assert set(document["cloud"]["endpoints"]) == {"identity", "object-store"}
    assert {each["match"] for each in document["tests"]} == {"exact"}
    assert not Path("runs").exists()
    assert tenants_of(sandbox) == []


def test_an_openrc_is_understood(place, sandbox):
    cloud_of = yaml.safe_load(sandbox.clouds_yaml.read_text())["clouds"]["sandbox"]
    openrc = {f"OS_{key.upper()}": value for key, value in cloud_of["auth"].items()}
    kept = {key: value for key, value in os.environ.items() if not key.startswith("OS_")}
    done = run(
        *(CLIENT, "plan", "--programme", "storage"),
        env={**kept, **openrc, "OS_REGION_NAME": "RegionOne", "OS_IDENTITY_API_VERSION": "3"},
    )
    assert done.returncode == 0, done.stderr
    assert "user          admin in project admin" in done.stdout


@LONG
def test_an_admins_application_credential_certifies(place, sandbox):
    admin = openstack.connect(cloud="sandbox")
    secret = "sécret '\"%$ with all that breaks quoting"
    made = admin.identity.create_application_credential(
        admin.current_user_id, name=f"test-{os.getpid()}", secret=secret
    )
    document = {
        "clouds": {
            "application": {
                "auth_type": "v3applicationcredential",
                "region_name": "RegionOne",
                "auth": {
                    "auth_url": admin.config.get_auth_args()["auth_url"],
                    "application_credential_id": made.id,
                    "application_credential_secret": secret,
                },
            }
        }
    }
    Path("clouds.yaml").write_text(yaml.safe_dump(document, allow_unicode=True))
    with watching_processes([secret, *secrets_of(sandbox)]) as shown:
        done = run(
            *(*CERTIFY, "--os-cloud", "application"),
            env={**os.environ, "OS_CLIENT_CONFIG_FILE": str(Path("clouds.yaml"))},
        )
    assert done.returncode == 0, done.stderr
    assert shown == []
    assert tenants_of(sandbox) == []
    assert_no_secret_is_left(place, [secret, *secrets_of(sandbox)])


@LONG
@pytest.mark.parametrize("seconds", [1, 3, 6])
def test_a_sandbox_certification_that_is_ended_leaves_no_process(place, new_sandbox, seconds):
    sandbox = new_sandbox()
    where = ("--root", str(sandbox.root), "--name", sandbox.name)
    started = subprocess.Popen(
        [CLIENT, "certify", "--sandbox", "storage", *where],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    time.sleep(seconds)
    started.terminate()
    assert started.wait(30) == 130
    assert daemon.marked(sandbox.state) == []
    assert list((place / "tmp").iterdir()) == []


def test_a_directory_that_cannot_be_written_is_named(place, sandbox):
    Path("file").touch()
    done = run(*CERTIFY, "--os-cloud", "sandbox", "--output", "file")
    assert done.returncode == 5
    assert "the run directory file/" in done.stderr
    assert "--output" in done.stderr
    assert tenants_of(sandbox) == []


CONFORMANT = "CONFORMANT  OpenStack Powered Storage  2020.06  58/58 required tests"


def kept_list(place: Path, run_validation: str) -> tuple[Path, list[str]]:
    """Have Tempest list its tests; return where the list is kept, and its lines."""
    with workspace() as space:
        space.tempest_conf.write_text(f"[validation]\nrun_validation = {run_validation}\n")
        inventory.load(space)
    (kept,) = (place / ".cache" / "refstack-client").glob("tests-*.txt")
    return kept, kept.read_text().splitlines()


@LONG
def test_tests_whose_ids_are_not_those_listed_before_run_all_the_same(sandbox, place):
    kept, lines = kept_list(place, "false")
    stale = "tempest.api.object_storage.test_account_services.AccountTest.test_list_containers["
    changed = [each.replace("]", ",stale]") if each.startswith(stale) else each for each in lines]
    assert changed != lines
    kept.write_text("\n".join(changed) + "\n")
    certified = run(*CERTIFY, "--os-cloud", "sandbox")
    assert certified.stdout.splitlines()[-1] == CONFORMANT, certified.stderr
    plan = (only_run(place) / "plan.json").read_text()
    assert stale in plan
    assert ",stale]" not in plan


def test_a_test_the_list_from_before_does_not_know_is_looked_for_anew(sandbox, place):
    kept, lines = kept_list(place, "true")
    gone = "test_object_slo.ObjectSloTest.test_upload_manifest["
    assert any(gone in each for each in lines)
    left = [each for each in lines[1:] if gone not in each]
    kept.write_text("\n".join(["made with something else", *left]) + "\n")
    planned = run(CLIENT, "plan", "--os-cloud", "sandbox", "--programme", "storage")
    assert "58 found, 0 renamed, 0 ambiguous, 0 missing" in planned.stdout


def test_a_cloud_is_looked_at_before_and_nothing_of_it_changes(place, sandbox):
    before = everything(sandbox)
    done = run(CLIENT, "cloud", "check", "--os-cloud", "sandbox", "--programme", "storage")
    assert done.returncode == 0, done.stdout
    for told in ("service object-store", "object extension tempurl", "roles", "clock", "TLS"):
        assert told in done.stdout
    assert "problems: 0" in done.stdout.splitlines()[-1]
    assert everything(sandbox) == before
    tenant = run(CLIENT, "cloud", "check", "--os-cloud", "sandbox-tenant", "-f", "json")
    assert tenant.returncode == 3
    found = {each["name"]: each for each in json.loads(tenant.stdout)}
    assert "--accounts" in found["roles"]["remedy"]
    assert found["service compute"]["level"] == "problem"
    accounts = ("--accounts", str(sandbox.accounts_yaml), "--programme", "storage")
    given = run(CLIENT, "cloud", "check", "--os-cloud", "sandbox-tenant", *accounts)
    assert given.returncode == 3
    assert "test_list_containers_with_marker" in given.stdout.replace(" ", "").replace("\n", "")
    nowhere = run(CLIENT, "cloud", "check", "--os-cloud", "nosuch")
    assert (nowhere.returncode, "there is no cloud called nosuch" in nowhere.stdout) == (3, True)


def everything(sandbox: Sandbox) -> set[str]:
    admin = openstack.connect(cloud="sandbox")
    identity = admin.identity
    return {each.id for each in (*identity.projects(), *identity.users(), *identity.roles())}


def test_every_value_of_tempest_conf_has_its_origin_and_clouds_yaml_may_add_some(place, sandbox):
    clouds = place / "clouds.yaml"
    document = yaml.safe_load(sandbox.clouds_yaml.read_text())
    document["clouds"]["sandbox"]["tempest"] = ["service-clients.http_timeout=61"]
    clouds.write_text(yaml.safe_dump(document))
    environ = {**os.environ, "OS_CLIENT_CONFIG_FILE": str(clouds)}
    show = (CLIENT, "config", "show", "--os-cloud", "sandbox", "--programme", "storage")
    done = run(*show, "--set", "DEFAULT.debug=false", "-f", "json", env=environ)
    assert done.returncode == 0, done.stderr
    entries = {(each["section"], each["option"]): each for each in json.loads(done.stdout)}
    assert all(each["origin"] for each in entries.values())
    assert entries["service-clients", "http_timeout"]["value"] == "61"
    assert entries["DEFAULT", "debug"]["origin"].startswith("given")
    assert entries["identity", "uri_v3"]["origin"] == (
        "the URL of the identity service in the credentials"
    )
    assert entries["object-storage", "operator_role"]["value"] == "SwiftOperator"
    for secret in secrets_of(sandbox):
        assert secret not in done.stdout
    text = run(*show, "--origin", env=environ)
    assert "# the URL of the identity service in the credentials\nuri_v3 = " in text.stdout
    assert tenants_of(sandbox) == []
    document["clouds"]["sandbox"]["tempest"] = "service-clients.http_timeout=61"
    clouds.write_text(yaml.safe_dump(document))
    wrong = run(*show, env=environ)
    assert (wrong.returncode, "tempest must be a list" in wrong.stderr) == (5, True), wrong.stderr


@LONG
def test_a_quick_look_runs_one_test_for_each_capability_and_certifies_nothing(place, sandbox):
    done = run(*CERTIFY, "--os-cloud", "sandbox", "--mode", "quick")
    assert done.returncode == 0, done.stderr
    last = done.stdout.splitlines()[-1]
    assert re.match(
        r"QUICK LOOK, CERTIFIES NOTHING .* (\d+)/\1 tests passed, for 20 required", last
    )
    made = only_run(place)
    assert "This certifies nothing." in (made / "report.html").read_text()
    judged = run(CLIENT, "verdict", str(made))
    assert judged.stdout.splitlines()[-1].startswith("INCOMPLETE")
    again = run(*CERTIFY, "--os-cloud", "sandbox", "--resume", str(made))
    assert (again.returncode, "no tests to run" in again.stderr) == (0, True), again.stderr
    assert tenants_of(sandbox) == []
