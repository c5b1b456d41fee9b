"""Which roles tenants get in clouds that name them differently."""

import pytest

from refstack_client.errors import CloudError
from refstack_client.tempest.settings import Setting
from refstack_client.tempest.tenant_roles import check_roles, choose_roles

DEVSTACK = ("admin", "member", "reader", "manager", "service", "ResellerAdmin", "SwiftOperator")
OSP16 = ("admin", "_member_", "swiftoperator", "heat_stack_user", "creator")
OLD = ("admin", "Member", "ResellerAdmin")


@pytest.mark.parametrize(
    ("names", "member", "reader", "operator", "reseller_admin"),
    [
        (DEVSTACK, "member", "reader", "SwiftOperator", "ResellerAdmin"),
        (OSP16, "_member_", "", "swiftoperator", "swiftoperator"),
        (OLD, "Member", "", "Member", "ResellerAdmin"),
        (("_member_", "Member", "member"), "member", "", "member", "member"),
        (("_member_", "Member"), "Member", "", "Member", "Member"),
        (("_Member_", "Reader"), "_Member_", "Reader", "_Member_", "_Member_"),
    ],
)
def test_roles_are_chosen_as_the_cloud_names_them(names, member, reader, operator, reseller_admin):
    for ordered in (names, names[::-1]):
        roles = choose_roles(ordered, ())
        assert (roles.member, roles.reader) == (member, reader)
        assert (roles.operator, roles.reseller_admin) == (operator, reseller_admin)
        check_roles(ordered, ())


def test_tempest_creates_tenants_with_a_member_in_any_case_only():
    assert choose_roles(OLD, ()).suit_tempest
    assert not choose_roles(OSP16, ()).suit_tempest


def test_further_roles_are_those_of_tempest_roles():
    settings = (Setting("auth", "tempest_roles", "creator, heat_stack_user,"),)
    roles = choose_roles(OSP16, settings)
    check_roles(OSP16, settings)
    assert roles.further == ("creator", "heat_stack_user")
    assert roles.to_empty_projects == ("_member_", "swiftoperator", "creator", "heat_stack_user")


@pytest.mark.parametrize(
    ("setting", "message", "hint"),
    [
        (("auth", "tempest_roles", "load-balancer_member"), "has no role load-balancer_", "list"),
        (("auth", "tempest_roles", "creater"), "has no role creater", "did you mean creator?"),
        (("object-storage", "operator_role", "SwiftOperator"), "no role SwiftO", "swiftoperator"),
        (("object-storage", "reseller_admin_role", "x"), "has no role x", "openstack role list"),
        (("auth", "tempest_roles", "member,admin"), "has no role member", "_member_"),
        (("auth", "tempest_roles", "admin"), "tests must not run as an admin", "another role"),
    ],
)
def test_a_named_role_that_cannot_be_granted_is_refused_with_its_option(setting, message, hint):
    with pytest.raises(CloudError, match=message) as caught:
        check_roles(OSP16, (Setting(*setting),))
    assert ".".join(setting[:2]) in str(caught.value)
    assert hint in caught.value.hint


def test_a_cloud_without_a_role_for_tenants_is_refused_and_its_roles_are_named():
    with pytest.raises(CloudError, match="no role member or _member_ for tenants") as caught:
        check_roles(["admin", "projectuser"], ())
    assert "admin, projectuser" in str(caught.value)
