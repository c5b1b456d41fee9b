"""``config`` and ``test`` as vendors' scripts call them, against the sandbox."""

import configparser
import json
import os
import subprocess
from pathlib import Path

import openstack
import pytest
import yaml
from support.certifying import CLIENT, run, secrets_of, tenants_of, watching_processes

from refstack_client.cli.app import main
from refstack_client.outcomes.redaction import HIDDEN

pytestmark = pytest.mark.cloud


LIST = (
    "# two tests\n"
    "tempest.api.object_storage.test_container_services.ContainerTest.test_create_container"
    "[id-92139d73-7819-4db1-85f8-3f2f22a8d91f]\n"
    "tempest.api.object_storage.test_container_services.ContainerTest.test_delete_container\n"
    "tempest.api.nowhere.Class.test\n"
)
TWO_TESTS = r"ContainerTest\.test_(create|delete)_container\["
ALT_USER = "test_write_object_without_write_rights"
"""A test with the users of two projects."""


@pytest.fixture
def conf(place, sandbox) -> Path:
    """A tempest.conf as ``config`` writes it for an accounts file without roles."""
    written = run(
        *(CLIENT, "config", "--os-cloud", "sandbox-tenant", "-s"),
        *("--use-test-accounts", str(sandbox.accounts_yaml), "-o", "tempest.conf"),
    )
    assert (written.returncode, written.stderr) == (0, "")
    return Path("tempest.conf").resolve()


def service_id() -> str:
    return openstack.connect(cloud="sandbox").identity.find_service("keystone").id


@pytest.mark.parametrize(
    "options",
    [
        ("--os-cloud", "sandbox"),
        ("--os-cloud", "sandbox-tenant"),
        ("--os-cloud", "sandbox-tenant", "--use-test-accounts", "etc/accounts.yaml"),
    ],
    ids=["admin", "tenant", "accounts"],
)
def test_the_documented_pair_works_as_it_stands(place, sandbox, options):
    if "--use-test-accounts" in options:
        Path("etc").mkdir()
        Path("etc/accounts.yaml").write_bytes(sandbox.accounts_yaml.read_bytes())
    before = tenants_of(sandbox)
    written = run(CLIENT, "config", *options)
    assert written.returncode == 0, written.stderr
    text = Path("etc/tempest.conf").read_text()
    assert "(removed" not in text
    assert HIDDEN not in text
    assert str(place / "tmp") not in text
    for path in Path("etc").iterdir():
        assert path.name == "accounts.yaml" or path.stat().st_mode & 0o777 == 0o600
    with watching_processes(secrets_of(sandbox)) as shown:
        done = run(CLIENT, "test", "-c", "etc/tempest.conf", "-v", "--", "--regex", TWO_TESTS)
    assert done.returncode == 0, done.stderr
    assert shown == []
    assert done.stdout.count("... ok") == 2
    assert "Passed: 2" in done.stdout
    document = json.loads(Path(".tempest/.stestr/0.json").read_text())
    assert document["cpid"] == service_id()
    assert "warning" not in done.stderr
    assert tenants_of(sandbox) == before
    for path in (*Path("runs").rglob("*.*"), *Path(".tempest").rglob("*")):
        if path.is_file():
            assert not any(secret.encode() in path.read_bytes() for secret in secrets_of(sandbox))


def test_files_are_overwritten_only_on_request(place, sandbox):
    command = (CLIENT, "config", "--os-cloud", "sandbox-tenant", "--out", "mine.conf")
    Path("mine.conf").write_text("kept")
    asked = run(*command, stdin=subprocess.DEVNULL)
    assert asked.returncode == 2
    assert "mine.conf exists and will be overwritten" in asked.stderr
    assert "hint:  to do it without confirmation: -y" in asked.stderr
    assert run(*command, input="no\n").returncode == 130
    assert Path("mine.conf").read_text() == "kept"
    assert not Path("accounts.yaml").exists()
    assert run(*command, input="y\n").returncode == 0
    written = Path("mine.conf").read_text()
    assert f"test_accounts_file = {Path('accounts.yaml').resolve()}" in written
    Path("accounts.yaml").write_text("kept")
    assert run(*command, stdin=subprocess.DEVNULL).returncode == 2
    assert Path("accounts.yaml").read_text() == "kept"
    assert run(*command, "-y").returncode == 0
    assert Path("accounts.yaml").read_text() != "kept"


def test_old_options_of_config_have_their_effect(place, sandbox):
    done = run(
        *(CLIENT, "config", "--os-cloud", "sandbox", "--out", "etc/other.conf", "-y", "-s", "-k"),
        *("--url", "http://127.0.0.1:1", "-i", "absent.key", "--image", "https://x.org/cirros.img"),
        *("--network-id", "0000", "--overrides"),
        "auth.tempest_roles='',identity.admin_role=a,b,validation.ssh_shell_prologue='set -eu;',"
        "compute-feature-enabled.xenapi_apis=true",
    )
    assert done.returncode == 0, done.stderr
    assert "the section compute-feature-enabled of Tempest has no option xenapi_apis" in done.stderr
    assert "--image has no effect" in done.stderr
    conf = configparser.ConfigParser(interpolation=None)
    conf.read("etc/other.conf")
    assert conf["auth"]["tempest_roles"] == '""'  # an empty value for oslo.config
    assert conf["identity"]["admin_role"] == "a,b"
    assert conf["identity"]["disable_ssl_certificate_validation"] == "true"
    assert conf["validation"]["ssh_shell_prologue"] == "set -eu;"
    assert conf["network"]["public_network_id"] == "0000"
    wrong = run(CLIENT, "config", "--os-cloud", "sandbox", "--overrides", "nothing")
    assert (wrong.returncode, "expected section.option=value" in wrong.stderr) == (2, True)
    assert not Path("etc/tempest.conf").exists()


@pytest.mark.parametrize("domain", ["default", "customers"])
def test_only_another_domain_is_named_for_the_cpid(place, sandbox, domain):
    users = [{"username": "u", "password": "p", "project_name": "u", "domain_name": domain}]
    Path("accounts.yaml").write_text(yaml.safe_dump(users))
    command = (CLIENT, "config", "--os-cloud", "sandbox", "--use-test-accounts", "accounts.yaml")
    done = run(*command)
    assert done.returncode == 0, done.stderr
    assert "warning: the user u of the accounts file cannot sign in" in done.stderr
    found = f"domain_name = {domain}\n" in Path("etc/tempest.conf").read_text()
    assert found is (domain != "default")


def test_a_credential_without_a_password_is_refused_with_a_remedy(place, sandbox):
    admin = openstack.connect(cloud="sandbox")
    made = admin.identity.create_application_credential(
        admin.current_user_id, name=f"test-{place.name}", secret="aA1-secret-of-application"
    )
    auth = {
        "auth_url": admin.config.get_auth_args()["auth_url"],
        "application_credential_id": made.id,
        "application_credential_secret": "aA1-secret-of-application",
    }
    cloud = {"auth_type": "v3applicationcredential", "auth": auth, "region_name": "RegionOne"}
    Path("clouds.yaml").write_text(yaml.safe_dump({"clouds": {"app": cloud}}))
    environ = {**os.environ, "OS_CLIENT_CONFIG_FILE": str(Path("clouds.yaml").resolve())}
    done = run(CLIENT, "config", "--os-cloud", "app", env=environ)
    assert done.returncode == 5
    assert "have no password, and Tempest signs in with one" in done.stderr
    assert "--use-test-accounts FILE" in done.stderr


def test_accounts_with_tenant_name_in_parallel(place, sandbox, conf):
    users = yaml.safe_load(sandbox.accounts_yaml.read_text())
    for user in users:
        user["tenant_name"] = user.pop("project_name")
        del user["domain_name"]
    Path("old.yaml").write_text(yaml.safe_dump(users, allow_unicode=True))
    text = conf.read_text().replace(str(sandbox.accounts_yaml), "old.yaml")
    conf.write_text(text)
    regex = f"{TWO_TESTS}|{ALT_USER}"
    done = run(CLIENT, "test", "-p", "-s", "-c", str(conf), "--", "--regex", regex)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    document = json.loads(Path(".tempest/.stestr/0.json").read_text())
    assert document["cpid"] == service_id()
    assert ALT_USER in str(document["results"])


def test_a_list_is_run_with_a_given_tempest_conf(place, sandbox, conf):
    Path("list.txt").write_text(LIST)
    with watching_processes(secrets_of(sandbox)) as shown:
        done = run(CLIENT, "test", "-c", str(conf), "-v", "--test-list", "list.txt", "-r", "mine")
    assert done.returncode == 0, done.stderr
    assert shown == []
    assert (
        "the installed Tempest does not have the test tempest.api.nowhere.Class.test" in done.stderr
    )
    assert "Number of passed tests: 2" in done.stderr
    assert "Subunit results located in: .tempest/.stestr/0\n" in done.stderr
    assert "JSON results saved in: .tempest/.stestr/mine-0.json\n" in done.stderr
    (made,) = Path("runs").iterdir()
    document = json.loads((made / "mine-results.json").read_text())
    names = [each["name"].rpartition(".")[2] for each in document["results"]]
    assert sorted(names) == ["test_create_container", "test_delete_container"]
    assert json.loads(Path(".tempest/.stestr/mine-0.json").read_text()) == document
    assert document["results"][0]["uuid"] == "92139d73-7819-4db1-85f8-3f2f22a8d91f"
    assert document["cpid"] == service_id()
    assert list((place / "tmp").iterdir()) == []
    for path in made.iterdir():
        assert not any(secret.encode() in path.read_bytes() for secret in secrets_of(sandbox))
    assert main(["verdict", str(made / "stream.subunit"), "--programme", "storage"]) == 3


@pytest.mark.long
def test_names_after_two_dashes_are_run_and_a_wrong_conf_is_said(place, sandbox, conf):
    start = "tempest.api.object_storage.test_container_services.ContainerTest.test_create"
    done = run(CLIENT, "test", "-c", str(conf), "--", start)
    assert done.returncode == 0, done.stderr
    assert "Number of passed tests: 6" in done.stderr
    none = run(CLIENT, "test", "-c", str(conf), "--", "tempest.nothing")
    assert (none.returncode, "has none of the requested tests" in none.stderr) == (4, True)
    absent = run(CLIENT, "test", "-c", "absent.conf")
    assert (absent.returncode, "absent.conf: No such file" in absent.stderr) == (4, True)
    Path("bad.conf").write_text("no section\n")
    bad = run(CLIENT, "test", "-v", "-c", "bad.conf")
    assert (bad.returncode, "--conf-file must name a tempest.conf" in bad.stderr) == (4, True)
    tag = run(CLIENT, "test", "-c", str(conf), "-r", "../mine")
    assert (tag.returncode, "it has no slash" in tag.stderr) == (2, True)
    replaced = run(CLIENT, "test", "-c", str(conf), "--", "--list-tests")
    assert (replaced.returncode, "use refstack-client guideline tests" in replaced.stderr) == (
        2,
        True,
    )
    assert "Traceback" not in bad.stderr
