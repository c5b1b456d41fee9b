"""Users of an accounts file."""

import pytest

from refstack_client.cloud.account import Account
from refstack_client.errors import CloudError
from refstack_client.planning.selection import Shard
from refstack_client.tenants import accounts_file


def users(others: int, resellers: int) -> list[Account]:
    roles = [("member",)] * others + [("ResellerAdmin",)] * resellers
    return [Account(f"u{number}", "p", "p", "d", each) for number, each in enumerate(roles)]


@pytest.mark.parametrize(("others", "resellers"), [(4, 0), (4, 2), (7, 3)])
def test_no_user_belongs_to_two_shards_and_each_shard_can_test(others, resellers):
    known = users(others, resellers)
    parts = [
        accounts_file.users_of_shard(known, "ResellerAdmin", Shard(each, 2)) for each in (1, 2)
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
        accounts_file.users_of_shard(users(others, resellers), "ResellerAdmin", Shard(1, 2))
