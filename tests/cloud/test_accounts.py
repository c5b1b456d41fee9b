"""Accounts files with users that exist, of the shapes that other people's files have."""

from pathlib import Path

import openstack
import pytest
import yaml
from support.certifying import CERTIFY, CLIENT, run

pytestmark = pytest.mark.cloud
STORAGE = ("--programme", "storage")


@pytest.fixture
def one_project(sandbox, place) -> str:
    """Write an accounts file in which two users are of one project; return its name."""
    identity = openstack.connect(cloud="sandbox").identity
    first, second, *_ = users = yaml.safe_load(sandbox.accounts_yaml.read_text())
    project = identity.find_project(first["project_name"])
    granted = identity.find_user(second["username"]), identity.find_role("member")
    identity.assign_project_role_to_user(project, *granted)
    second["tenant_name"] = first.pop("tenant_name", None) or first["project_name"]
    del second["project_name"]
    Path("accounts.yaml").write_text(yaml.safe_dump(users[:2], allow_unicode=True))
    yield project.name
    identity.unassign_project_role_from_user(project, *granted)


def test_two_users_of_one_project_are_refused_alike_before_the_run(one_project):
    accounts = ("--os-cloud", "sandbox-tenant", "--accounts", "accounts.yaml")
    for command in ((CLIENT, "plan", *STORAGE), (CLIENT, "cloud", "check", *STORAGE), CERTIFY):
        done = run(*command, *accounts)
        shown = " ".join((done.stdout + done.stderr).split())
        assert f"of the accounts file are in one project, {one_project}" in shown
        assert "list one user of each project" in shown
        assert done.returncode != 0
    assert list(Path("runs").iterdir()) == []
