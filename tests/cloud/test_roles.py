"""Certifying a cloud whose roles have other names than today's."""

import openstack
import pytest
from support.certifying import CERTIFY, CLIENT, run, tenants_of

pytestmark = [pytest.mark.cloud, pytest.mark.long]


@pytest.fixture
def old_roles(sandbox):
    """The sandbox as Keystone before Rocky has it: a role ``_member_``, no ``reader``."""
    names = {"member": "_member_", "reader": "observer"}
    identity = openstack.connect(cloud="sandbox").identity
    for name, other in names.items():
        rename(identity, name, other)
    yield sandbox
    for name, other in names.items():
        rename(identity, other, name)


def rename(identity, name: str, other: str) -> None:
    role = identity.find_role(name, ignore_missing=False)
    for change in ({"options": {"immutable": False}}, {"name": other}):
        identity.patch(f"/roles/{role.id}", json={"role": change}).raise_for_status()


def test_a_cloud_with_the_role_member_of_old_is_certified(old_roles):
    checked = run(CLIENT, "cloud", "check", "--os-cloud", "sandbox", "--programme", "storage")
    assert "with the role member, which the cloud lacks" in " ".join(checked.stdout.split())
    done = run(*CERTIFY, "--os-cloud", "sandbox")
    assert done.stdout.splitlines()[-1] == (
        "INCOMPLETE  OpenStack Powered Storage  2020.06  57/58 required tests"
    ), done.stderr
    assert tenants_of(old_roles) == []


def test_a_further_role_that_does_not_exist_is_refused_before_anything_is_created(sandbox):
    setting = ("--set", "auth.tempest_roles=creator")
    for command in (CERTIFY, (CLIENT, "cloud", "check", "--programme", "storage")):
        done = run(*command, "--os-cloud", "sandbox", *setting)
        shown = " ".join((done.stdout + done.stderr).split())
        assert "auth.tempest_roles: the cloud has no role creator" in shown
    assert tenants_of(sandbox) == []


def test_further_roles_are_granted(sandbox, place):
    done = run(
        *CERTIFY, "--os-cloud", "sandbox", "--mode", "quick", "--set", "auth.tempest_roles=manager"
    )
    assert "19/19 tests passed" in done.stdout, done.stderr
    (attempts,) = place.rglob("attempts.jsonl")
    assert '"manager"' in attempts.read_text()
