"""Accounts files as people and programs write them, read as Tempest reads them."""

import os
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from tempest.lib.auth import KeystoneV3Credentials

from refstack_client.errors import CloudError, InputError
from refstack_client.tenants import accounts_file

CANARY = "canary-in-a-coal-mine"
ALICE = "{username: alice, password: x, project_name: a}"

BETACLOUD = """
- {username: svc-refstack-0, tenant_name: refstack, password: PASSWORD}
- {username: svc-refstack-1, tenant_name: refstack, password: PASSWORD}
"""
GENERATED = """
- domain_name: Default
  password: h2*_ffEHTgBxPDrP
  project_name: tempest-AccountGenerator-project-1
  resources: {network: tempest-network-1}
  username: tempest-AccountGenerator-1
- domain_name: Default
  password: 3,k=Y
  project_name: tempest-AccountGenerator-project-2
  roles: [reader]
  username: tempest-AccountGenerator-2
"""
OF_A_CHART = """
- &common
  domain_name: tempest
  password: secret
  project_name: neutron-tempest1
  username: neutron-tempestuser1
  types: [primary]
- <<: *common
  project_name: neutron-tempest2
  username: neutron-tempestuser2
"""
SAMPLE = """
- username: 'user_1'
  tenant_name: 'test_tenant_1'
  password: 'test_password'
- username: 'swift_pseudo_admin_user_1'
  tenant_name: 'admin_tenant_1'
  password: 'test_password'
  types: ['reseller_admin', 'operator']
  resources: {network: public, router: admin_tenant_1-router}
"""


def read(directory: Path, content: str | bytes):
    path = directory / "accounts.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return accounts_file.read(path)


@pytest.mark.parametrize(
    ("content", "domain", "projects", "network"),
    [
        (BETACLOUD, "Default", ["refstack", "refstack"], ""),
        (GENERATED, "Default", ["tempest-AccountGenerator-project-1"], "tempest-network-1"),
        (OF_A_CHART, "tempest", ["neutron-tempest1", "neutron-tempest2"], ""),
        (SAMPLE, "Default", ["test_tenant_1", "admin_tenant_1"], ""),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_files_of_others_are_read(tmp_path, content, domain, projects, network, encoding):
    users = read(tmp_path, content.encode(encoding))
    assert len(users) == 2
    assert {user.domain_name for user in users} == {domain}
    assert [user.project_name for user in users][: len(projects)] == projects
    assert users[0].network == network


DOMAINS = ("domain_name", "user_domain_name", "project_domain_name")


@given(
    st.dictionaries(st.sampled_from(DOMAINS), st.sampled_from(["one", "two", "three"])),
    st.sampled_from(["project_name", "tenant_name"]),
)
def test_domains_are_those_of_tempest(tmp_path_factory, domains, project):
    # Tempest sets attributes in the order of the keys; its documentation gives these precedences.
    in_order = dict(sorted(domains.items(), key=lambda item: DOMAINS.index(item[0])))
    expected = KeystoneV3Credentials(**in_order) if domains else None
    entry = {"username": "alice", "password": "x", project: "p", **domains}
    other = {"username": "bob", "password": "x", project: "q"}
    directory = tmp_path_factory.mktemp("accounts")
    alice, _ = read(directory, yaml.safe_dump([entry, other]))
    assert alice.domain_name == (expected.user_domain_name if expected else "Default")
    assert alice.project_domain_name == (expected.project_domain_name if expected else "Default")
    assert alice.as_auth()["project_domain_name"] == alice.project_domain_name


def entry(**changes: object) -> str:
    base = {"username": "bob", "password": CANARY, "project_name": "b"}
    return yaml.safe_dump([{**base, **changes}])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (entry(password=12345), "/0/password: this is a number or a truth value in YAML: use quo"),
        (entry(password=True), "/0/password: this is a number or a truth value in YAML"),
        ("- {username: bob, password: 2026-01-31, project_name: b}", "/0/password: this is a date"),
        (entry(project_name=["b"]), "/0/project_name: this is a list or a mapping in YAML"),
        (entry(password=None), "/0: password is missing"),
        (entry(username=""), "/0: username is missing"),
        (entry(project_name=None), "/0: project_name is missing"),
        (entry(project_name=None, domain_name="d"), "/0: project_name is missing"),
        (entry(tenant_name="c"), "/0: project_name and tenant_name differ"),
        (entry(system="all"), "/0/system: the tests run as users of projects, not of the system"),
        (entry(types=["admin"]), "/0/types: an admin, but tests must not run as an admin"),
        (entry(types="operator"), "/0/types: expected a list"),
        (entry(project_id="1f"), "/0/project_id: an id is not supported; use project_name"),
        (entry(user_id="1f"), "/0/user_id: an id is not supported; use username"),
        (entry(user_name="bob"), "/0: unknown key 'user_name'; did you mean username?"),
        (entry(resources=["network"]), "/0/resources: expected network: NAME"),
        (entry(resources={"network": 1}), "/0/resources: expected network: NAME"),
        ("- just a text", "/0: expected a user"),
        ("users: []", "expected a list of users"),
        (f"[{ALICE}, {ALICE}]", "/1: the user alice is listed before, as /0"),
        ("- username: bob\n  username: eve\n", "line 1, column 3: a key occurs twice"),
        (f"- username: bob\n\tpassword: {CANARY}", "line 2, column 1: found character '\\t'"),
        (f'- {{password: "{CANARY}', "line 1, column "),
        (f"- password: !{CANARY}", "line 1, column 13: could not determine a constructor for"),
        (f"- password: *{CANARY}", "line 1, column 13: found undefined alias …"),
        ("- {password: 2026-99-99}", "a value is malformed"),
        ("[" * 5000, "it is nested too deeply"),
        (b"- \xff\xfe\xfd", "is not valid YAML"),
        (b"- \x00", "is not valid YAML: position 2: special characters are not allowed"),
        (b"#" * 10_000_000, "larger than 256000 bytes"),
    ],
)
def test_a_file_that_cannot_serve_is_refused_with_place_and_reason(tmp_path, content, message):
    with pytest.raises(InputError) as caught:
        read(tmp_path, content)
    assert message in str(caught.value)
    assert str(tmp_path / "accounts.yaml") in str(caught.value)
    assert CANARY not in f"{caught.value} {caught.value.hint}"


@pytest.mark.parametrize("content", ["", "# nothing\n", "[]", "---\n...\n"])
def test_a_file_without_users_is_refused(tmp_path, content):
    with pytest.raises(CloudError, match="has no user; the tests need at least two"):
        read(tmp_path, content)


def test_what_cannot_be_opened_is_refused(tmp_path):
    with pytest.raises(InputError, match="Is a directory"):
        accounts_file.read(tmp_path)
    with pytest.raises(InputError, match="No such file"):
        accounts_file.read(tmp_path / "absent")


@pytest.mark.skipif(os.getuid() == 0, reason="root reads every file")
def test_a_file_that_may_not_be_read_is_refused(tmp_path):
    path = tmp_path / "accounts.yaml"
    path.write_text(GENERATED)
    path.chmod(0)
    with pytest.raises(InputError, match="Permission denied"):
        accounts_file.read(path)


def test_anchors_that_multiply_are_refused(tmp_path):
    levels = ["a0: &a0 {" + ", ".join(f"k{n}: x" for n in range(9)) + "}"]
    for level in range(1, 9):
        merged = ", ".join([f"*a{level - 1}"] * 9)
        levels.append(f"a{level}: &a{level} {{<<: [{merged}]}}")
    with pytest.raises(InputError, match="too many keys"):
        read(tmp_path, "\n".join(levels))
