"""Programmes, and the golden numbers of guideline 2020.06."""

import pytest

from capabilities import catalogue, programme, reader
from capabilities.errors import UnknownNameError
from capabilities.guideline import Capability, Component, Flag, Guideline, Platform, Status, Test


def figures(guideline: Guideline, name: str) -> tuple[int, int, int, int, int]:
    """Capabilities, tests as listed, unflagged as listed, distinct ids, distinct unflagged ids."""
    found = programme.find(guideline, name)
    required = list(found.capabilities(Status.REQUIRED))
    listed = [test for capability in required for test in capability.tests]
    return (
        len(required),
        len(listed),
        sum(test.flag is None for test in listed),
        len(found.required_tests()),
        len(found.counted_tests()),
    )


GOLDEN = {
    "platform": (78, 286, 275, 284, 273),
    "compute": (60, 228, 217, 228, 217),
    "storage": (20, 60, 60, 58, 58),
}


@pytest.mark.parametrize("name", GOLDEN)
def test_2020_06_has_the_golden_numbers(name):
    guideline, findings = catalogue.load("2020.06")
    assert findings == ()
    assert figures(guideline, name) == GOLDEN[name]


@pytest.mark.parametrize("published", ["2019.06", "2019.11", "2020.06"])
@pytest.mark.parametrize("name", GOLDEN)
def test_published_files_have_the_golden_numbers(shared, published, name):
    guideline, _ = reader.read(shared(f"published/guidelines/{published}.json"))
    assert figures(guideline, name) == GOLDEN[name]


def test_the_shipped_2020_06_lists_the_tests_that_were_published(shared):
    shipped, _ = catalogue.load("2020.06")
    published, _ = reader.read(shared("published/guidelines/2020.06.json"))

    def facts(guideline: Guideline) -> dict:
        return {
            capability.id: (
                capability.admin,
                capability.project,
                {(t.name, t.idempotent_id, t.aliases, t.flag is None) for t in capability.tests},
            )
            for capability in guideline.capabilities.values()
        }

    assert facts(shipped) == facts(published)
    assert shipped.components == published.components


def small(**by_component: dict[Status, tuple[str, ...]]) -> Guideline:
    tests = (Test("m.C.one", "id-1"), Test("m.C.two", "id-2", flag=Flag("[D401]")))
    names = {each for lists in by_component.values() for ids in lists.values() for each in ids}
    return Guideline(
        id="x",
        schema="2.0",
        status="",
        releases=(),
        platforms=(Platform("OpenStack Powered Thing", "", tuple(by_component)),),
        components={key: Component(key, lists) for key, lists in by_component.items()},
        capabilities={name: Capability(name, tests=tests) for name in names},
    )


def test_the_best_status_of_several_components_wins():
    guideline = small(
        one={Status.ADVISORY: ("cap",), Status.DEPRECATED: ("old",)},
        other={Status.REQUIRED: ("cap",), Status.REMOVED: ("old",)},
    )
    found = programme.find(guideline, "thing")
    assert found.statuses == {"cap": Status.REQUIRED, "old": Status.DEPRECATED}


def test_a_test_in_two_capabilities_counts_once_and_is_flagged_only_if_both_flag_it():
    guideline = small(one={Status.REQUIRED: ("a", "b")})
    found = programme.find(guideline, "thing")
    assert [test.idempotent_id for test in found.required_tests()] == ["id-1", "id-2"]
    assert [test.idempotent_id for test in found.counted_tests()] == ["id-1"]


@pytest.mark.parametrize("name", ["storage", "Storage", "OpenStack Powered Storage"])
def test_a_programme_is_found_by_its_short_and_its_full_name(name):
    assert programme.find(catalogue.load("2020.06")[0], name).key == "storage"


def test_an_unknown_programme_is_refused_with_the_known_ones():
    with pytest.raises(UnknownNameError, match="no programme called storrage") as caught:
        programme.find(catalogue.load("2020.06")[0], "storrage")
    assert "platform, compute, storage" in caught.value.hint
