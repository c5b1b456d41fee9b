"""Finding a guideline's tests in a Tempest."""

from collections import Counter

from capabilities import catalogue, programme, tempest_id
from capabilities.guideline import Test
from capabilities.matching import Index, MatchKind, match

ONE = "id-11111111-1111-1111-1111-111111111111"
TWO = "id-22222222-2222-2222-2222-222222222222"


def index(*tests: str) -> Index:
    parsed = [tempest_id.parse(text) for text in tests]
    return Index.of(test for test in parsed if test)


def found(test: Test, *tests: str) -> tuple[MatchKind, list[str]]:
    result = match(test, index(*tests))
    return result.kind, [test.name for test in result.found]


def test_the_named_test_is_taken_where_others_inherit_its_id():
    wanted = Test("m.Net.test", ONE)
    assert found(wanted, f"m.Net6.test[{ONE}]", f"m.Net.test[{ONE}]") == (
        MatchKind.EXACT,
        ["m.Net.test"],
    )


def test_an_alias_that_carries_the_id_is_taken():
    wanted = Test("m.Old.test", ONE, aliases=("m.New.test",))
    assert found(wanted, f"m.New.test[{ONE}]", f"m.New6.test[{ONE}]") == (
        MatchKind.ALIAS,
        ["m.New.test"],
    )


def test_an_id_under_an_unlisted_name_is_a_rename():
    assert found(Test("m.Old.test", ONE), f"m.New.test[{ONE}]") == (
        MatchKind.RENAMED,
        ["m.New.test"],
    )


def test_an_id_under_several_unlisted_names_is_ambiguous_and_all_count():
    kind, names = found(Test("m.Old.test", ONE), f"m.A.test[{ONE}]", f"m.B.test[{ONE}]")
    assert kind is MatchKind.AMBIGUOUS
    assert names == ["m.A.test", "m.B.test"]


def test_all_scenarios_of_a_test_count():
    kind, names = found(Test("m.C.test", ONE), f"m.C.test[{ONE}](v1)", f"m.C.test[{ONE}](v2)")
    assert (kind, names) == (MatchKind.EXACT, ["m.C.test", "m.C.test"])


def test_the_name_serves_where_the_id_is_not_found():
    assert found(Test("m.C.test", ONE), f"m.C.test[{TWO}]") == (MatchKind.EXACT, ["m.C.test"])
    assert found(Test("m.C.old", None, ("m.C.test",)), f"m.C.test[{TWO}]") == (
        MatchKind.ALIAS,
        ["m.C.test"],
    )


def test_what_is_nowhere_is_missing():
    assert found(Test("m.C.test", ONE), f"m.D.test[{TWO}]") == (MatchKind.MISSING, [])


def test_2020_06_drifted_against_tempest_47_as_was_measured(samples):
    lines = (samples / "tempest-47.0.0-tests.txt").read_text().splitlines()
    tempest = index(*lines)
    assert sum(map(len, tempest.by_name.values())) == 1575
    assert len(tempest.by_id) == 1445
    platform = programme.find(catalogue.load("2020.06")[0], "platform")
    kinds = Counter(match(test, tempest).kind for test in platform.required_tests())
    # The vanished one and the ambiguous one (moved to two admin classes) are both flagged.
    assert kinds == {MatchKind.EXACT: 282, MatchKind.AMBIGUOUS: 1, MatchKind.MISSING: 1}
    counted = Counter(match(test, tempest).kind for test in platform.counted_tests())
    assert counted == {MatchKind.EXACT: 273}
    several = [t for t in platform.counted_tests() if len(tempest.by_id[t.idempotent_id]) > 1]
    assert len(several) == 63
