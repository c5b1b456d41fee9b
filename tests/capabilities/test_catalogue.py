"""The shipped guidelines."""

import pytest

from capabilities import catalogue
from capabilities.errors import GuidelineError, UnknownNameError


def test_the_default_is_the_newest_approved_guideline():
    assert catalogue.default() == "2020.06"


@pytest.mark.parametrize(
    ("name", "guideline"),
    [
        ("storage", "2020.06"),
        ("OpenStack Powered Compute", "2020.06"),
        ("dns", "dns.2020.06"),
        ("scs-0128", "scs-0128"),
        ("SCS-0128", "scs-0128"),
        ("no such programme", "2020.06"),
    ],
)
def test_the_default_of_a_programme_is_the_newest_guideline_that_has_it(name, guideline):
    assert catalogue.default(name) == guideline


def test_the_id_of_a_guideline_may_be_given_in_any_case():
    assert catalogue.load("SCS-0128") == catalogue.load("scs-0128")


def test_an_unknown_guideline_is_refused_with_the_shipped_ones():
    with pytest.raises(UnknownNameError, match=r"no guideline called 2020\.60") as caught:
        catalogue.load("2020.60")
    assert "2020.06" in caught.value.hint


def test_a_typo_is_answered_with_the_nearest_name():
    with pytest.raises(UnknownNameError, match=r"did you mean 2020\.06\?"):
        catalogue.load("2020.6")


def test_a_path_that_is_not_there_is_named():
    with pytest.raises(GuidelineError, match=r"nosuch\.json: No such file"):
        catalogue.load("nosuch.json")


def test_a_shipped_guideline_can_be_given_as_a_file(tmp_path):
    path = tmp_path / "copy.json"
    path.write_bytes(catalogue.content("2020.06"))
    assert catalogue.load(str(path))[0] == catalogue.load("2020.06")[0]


@pytest.mark.parametrize("name", catalogue.shipped())
def test_every_capability_is_described(name):
    guideline, _ = catalogue.load(name)
    assert [
        capability.id
        for capability in guideline.capabilities.values()
        if not capability.description
    ] == []
