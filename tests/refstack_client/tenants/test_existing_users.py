"""Users of an accounts file: which shard, in which order, with which roles."""

import pytest

from refstack_client.cloud.account import Account
from refstack_client.errors import CloudError
from refstack_client.planning.selection import Shard
from refstack_client.tenants import existing_users


def users(others: int, resellers: int) -> list[Account]:
    roles = [("member",)] * others + [("ResellerAdmin",)] * resellers
    return [Account(f"u{number}", "p", "p", "d", each) for number, each in enumerate(roles)]


@pytest.mark.parametrize(("others", "resellers"), [(4, 0), (4, 2), (7, 3)])
def test_no_user_belongs_to_two_shards_and_each_shard_can_test(others, resellers):
    known = users(others, resellers)
    parts = [
        existing_users.users_of_shard(known, "ResellerAdmin", Shard(each, 2)) for each in (1, 2)
    ]
    assert sorted(each.username for part in parts for each in part) == sorted(
        each.username for each in known
    )
    for part in parts:
        assert sum("member" in each.roles for each in part) >= 2
        assert not resellers or any("ResellerAdmin" in each.roles for each in part)


@pytest.mark.parametrize(("others", "resellers"), [(3, 0), (4, 1), (0, 4)])
def test_too_few_users_for_that_many_shards_are_refused(others, resellers):
    with pytest.raises(CloudError, match="2 shards need 4 users"):
        existing_users.users_of_shard(users(others, resellers), "ResellerAdmin", Shard(1, 2))


def user(name: str, *roles: str, project: str = "", domain: str = "") -> Account:
    return Account(name, "p", project or name, "d", roles, project_domain=domain)


def arranged(*listed: Account) -> dict[str, tuple[str, ...]]:
    return {one.username: one.roles for one in existing_users.arrange(listed, "ResellerAdmin")}


def test_members_are_first_and_others_are_requested_by_their_own_role_only():
    found = arranged(
        user("quota", "member", "reader", "ResellerAdmin"),
        user("watch", "reader", project="a"),
        user("a", "member", "reader"),
        user("b", "_member_", "creator"),
    )
    assert list(found) == ["a", "b", "watch", "quota"]
    assert found["a"] == ("member", "reader")
    assert found["b"] == ("_member_", "creator", "member")
    assert found["watch"] == ("reader",)
    assert found["quota"] == ("ResellerAdmin",)


def test_users_who_may_all_set_quotas_are_members_too():
    found = arranged(user("a", "member", "ResellerAdmin"), user("b", "member", "ResellerAdmin"))
    assert found == {"a": ("member", "ResellerAdmin"), "b": ("member", "ResellerAdmin")}


@pytest.mark.parametrize(
    "second",
    [
        user("b", "member", project="refstack"),
        user("b", "member", project="RefStack"),
        user("b", "manager", "member", "reader", project="refstack"),
        user("b", "member", project="refstack", domain="D"),
    ],
)
def test_two_members_of_one_project_are_refused_by_name(second):
    with pytest.raises(CloudError, match="the users a and b of the accounts file are in one pro"):
        existing_users.arrange([user("a", "member", project="refstack"), second], "ResellerAdmin")


def test_projects_of_one_name_in_two_domains_are_two_projects():
    assert arranged(user("a", "member", project="p"), user("b", "member", project="p", domain="e"))


@pytest.mark.parametrize("listed", [[], [user("a", "member"), user("b", "reader")]])
def test_too_few_members_are_refused(listed):
    with pytest.raises(CloudError, match="who may change something; the tests need at"):
        existing_users.arrange(listed, "ResellerAdmin")


def test_readers_do_not_count_for_a_shard():
    listed = [*users(3, 0), user("reads", "reader")]
    with pytest.raises(CloudError, match="2 shards need 4 users; the accounts file has 3 and 0"):
        existing_users.users_of_shard(listed, "ResellerAdmin", Shard(1, 2))
