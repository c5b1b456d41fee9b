"""Which tests of a plan run."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.making import NAMES

from capabilities import tempest_id
from refstack_client.errors import UsageError
from refstack_client.planning import durations
from refstack_client.planning.selection import Shard, parse_shard, shard_tests

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
def test_shards_hold_every_test_once_and_classes_whole_in_any_order(ids, count, random):
    shuffled = random.sample(ids, len(ids))
    parts = [shard_tests(shuffled, Shard(number, count)) for number in range(1, count + 1)]
    assert sorted(each for part in parts for each in part) == sorted(ids)
    classes = [{tempest_id.parse(each).class_name for each in part} for part in parts]
    assert sum(map(len, classes)) == len(set().union(*classes))
    assert parts[0] == tuple(each for each in shuffled if each in shard_tests(ids, Shard(1, count)))


def test_shards_take_about_the_same_time_except_for_one_long_class():
    parts = [
        durations.by_class(tempest_id.parse(each).name for each in shard_tests(NAMES, part))
        for part in (Shard(1, 2), Shard(2, 2))
    ]
    shorter, longer = sorted(parts, key=lambda each: sum(each.values()))
    assert sum(longer.values()) < max(1.1 * sum(shorter.values()), 1.1 * max(longer.values()))


@pytest.mark.parametrize("text", ["", "1", "0/2", "3/2", "1/0", "a/b", "1/2/3", "-1/2"])
def test_a_text_that_is_not_a_shard_is_refused(text):
    with pytest.raises(UsageError, match="expected I/N"):
        parse_shard(text)
    assert str(parse_shard("2/10")) == "2/10"
