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


NAMES = ("platform", "compute", "storage")
_SINCE_2019_06 = ((78, 286, 275, 284, 273), (60, 228, 217, 228, 217), (20, 60, 60, 58, 58))
GOLDEN = {
    "2015.07": ((46, 129, 98, 124, 93), (37, 114, 85, 109, 80), (11, 17, 15, 17, 15)),
    "2016.01": ((44, 124, 96, 119, 91), (35, 111, 83, 106, 78), (10, 14, 14, 14, 14)),
    "2016.08": ((56, 228, 211, 223, 206), (48, 215, 198, 210, 193), (9, 14, 14, 14, 14)),
    "2017.01": ((63, 262, 229, 256, 224), (48, 214, 199, 209, 194), (16, 49, 31, 48, 31)),
    "2017.09": ((68, 259, 230, 259, 230), (52, 208, 195, 208, 195), (17, 52, 36, 52, 36)),
    "2018.02": ((84, 337, 317, 279, 263), (68, 285, 265, 228, 212), (17, 53, 53, 52, 52)),
    "2018.11": ((75, 283, 272, 281, 270), (57, 225, 214, 225, 214), (19, 59, 59, 57, 57)),
    "2019.06": _SINCE_2019_06,
    "2019.11": _SINCE_2019_06,
    "2020.06": _SINCE_2019_06,
}


@pytest.mark.parametrize("guideline_id", GOLDEN)
def test_shipped_guidelines_have_the_golden_numbers(guideline_id):
    guideline, _ = catalogue.load(guideline_id)
    assert tuple(figures(guideline, name) for name in NAMES) == GOLDEN[guideline_id]


@pytest.mark.parametrize("guideline_id", GOLDEN)
def test_published_files_have_the_golden_numbers(shared, guideline_id):
    guideline, _ = reader.read(shared(f"published/guidelines/{guideline_id}.json"))
    assert tuple(figures(guideline, name) for name in NAMES) == GOLDEN[guideline_id]


def test_the_reconstructed_2022_11_has_the_tests_that_were_exported():
    guideline, _ = catalogue.load("2022.11")
    counted = [len(programme.find(guideline, name).counted_tests()) for name in NAMES]
    assert counted == [328, 267, 63]
    assert guideline.note
    assert guideline.status == "draft"


def published_file(guideline_id: str) -> str:
    return (
        f"published/{'guidelines' if guideline_id[0].isdigit() else 'add-ons'}/{guideline_id}.json"
    )


@pytest.mark.parametrize(
    "guideline_id", [n for n in catalogue.shipped() if n[:4] not in ("2022", "scs-")]
)
def test_shipped_guidelines_list_what_was_published(shared, guideline_id):
    shipped, _ = catalogue.load(guideline_id)
    published, _ = reader.read(shared(published_file(guideline_id)))

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
    assert shipped.releases == published.releases
    assert [p.components for p in shipped.platforms] == [p.components for p in published.platforms]


def small(**by_component: dict[Status, tuple[str, ...]]) -> Guideline:
    tests = (Test("m.C.one", "id-1"), Test("m.C.two", "id-2", flag=Flag("[D401]")))
    names = {name for lists in by_component.values() for ids in lists.values() for name in ids}
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
