"""Certifications in parts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.making import NAMES

from capabilities import tempest_id
from refstack_client.errors import CloudError, UsageError
from refstack_client.planning import durations, shard
from refstack_client.planning.shard import Shard
from refstack_client.tenants import accounts_file
from refstack_client.tenants.accounts_file import Account

IDS = st.lists(
    st.builds(
        "tempest.api.{}.C{}.test_{}[id-x]({})".format,
        st.sampled_from(["compute", "identity"]),
        st.integers(0, 5),
        st.integers(0, 5),
        st.integers(0, 1),
    ),
    unique=True,
)


@given(IDS, st.integers(1, 6), st.randoms())
def test_parts_hold_every_test_once_and_classes_whole_whatever_the_order(ids, count, random):
    shuffled = random.sample(ids, len(ids))
    parts = [shard.choose(shuffled, Shard(number, count)) for number in range(1, count + 1)]
    assert sorted(each for part in parts for each in part) == sorted(ids)
    classes = [{tempest_id.parse(each).class_name for each in part} for part in parts]
    assert sum(map(len, classes)) == len(set().union(*classes))
    assert parts[0] == tuple(
        each for each in shuffled if each in shard.choose(ids, Shard(1, count))
    )


def test_parts_take_about_as_long_as_each_other_but_for_one_long_class():
    parts = [
        durations.by_class(tempest_id.parse(each).name for each in shard.choose(NAMES, part))
        for part in (Shard(1, 2), Shard(2, 2))
    ]
    shorter, longer = sorted(parts, key=lambda each: sum(each.values()))
    assert sum(longer.values()) < max(1.1 * sum(shorter.values()), 1.1 * max(longer.values()))


@pytest.mark.parametrize("text", ["", "1", "0/2", "3/2", "1/0", "a/b", "1/2/3", "-1/2"])
def test_what_names_no_part_is_refused(text):
    with pytest.raises(UsageError, match="expected I/N"):
        shard.parse(text)
    assert str(shard.parse("2/10")) == "2/10"


def users(others: int, resellers: int) -> list[Account]:
    roles = [("member",)] * others + [("ResellerAdmin",)] * resellers
    return [Account(f"u{number}", "p", "p", "d", each) for number, each in enumerate(roles)]


@pytest.mark.parametrize(("others", "resellers"), [(4, 0), (4, 2), (7, 3)])
def test_no_user_is_dealt_to_two_parts_and_each_part_can_test(others, resellers):
    known = users(others, resellers)
    parts = [accounts_file.deal(known, "ResellerAdmin", Shard(each, 2)) for each in (1, 2)]
    assert sorted(each.username for part in parts for each in part) == sorted(
        each.username for each in known
    )
    for part in parts:
        assert sum("member" in each.roles for each in part) >= 2
        assert not resellers or any("ResellerAdmin" in each.roles for each in part)


@pytest.mark.parametrize(("others", "resellers"), [(3, 0), (4, 1), (0, 4)])
def test_too_few_users_for_so_many_parts_are_told(others, resellers):
    with pytest.raises(CloudError, match="2 parts need 4 users"):
        accounts_file.deal(users(others, resellers), "ResellerAdmin", Shard(1, 2))
