"""Names of tests as Tempest gives them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capabilities import tempest_id

UUID = "id-6c0a0990-43b6-4529-9b61-5fd8daf7c55c"
WORD = st.from_regex(r"[A-Za-z_]\w{0,8}", fullmatch=True)


@pytest.mark.parametrize(
    ("text", "name", "idempotent_id"),
    [
        (f"mod.Class.test[{UUID}]", "mod.Class.test", UUID),
        (f"mod.Class.test[slow,{UUID},smoke]", "mod.Class.test", UUID),
        (f"mod.Class.test[{UUID},smoke](v1)", "mod.Class.test", UUID),
        ("mod.Class.test", "mod.Class.test", None),
        ("mod.Class.test(scenario)", "mod.Class.test", None),
    ],
)
def test_name_and_id_are_found_whatever_stands_around_them(text, name, idempotent_id):
    found = tempest_id.parse(text)
    assert found is not None
    assert (found.full, found.name, found.idempotent_id) == (text, name, idempotent_id)
    assert tempest_id.name_of(text) == name


@pytest.mark.parametrize("text", ["setUpClass (mod.Class)", "process-returncode", "", "# comment"])
def test_what_is_no_test_is_not_taken_for_one(text):
    assert tempest_id.parse(text) is None
    assert tempest_id.name_of(text) == text


@given(
    name=st.lists(WORD, min_size=3, max_size=5).map(".".join),
    attributes=st.lists(WORD, max_size=3),
    place=st.integers(0, 3),
)
def test_the_id_is_found_at_any_place_among_the_attributes(name, attributes, place):
    attributes.insert(place, UUID)
    found = tempest_id.parse(f"{name}[{','.join(attributes)}]")
    assert found is not None
    assert (found.name, found.idempotent_id) == (name, UUID)
    assert found.class_name == name.rpartition(".")[0]
