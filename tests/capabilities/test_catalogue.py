"""The shipped guidelines."""

import pytest

from capabilities import catalogue, programme
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


@pytest.fixture
def draft(tmp_path):
    """Return an add-on's draft in a directory of its own, and the base guideline it names."""
    base = tmp_path / "next.json"
    base.write_bytes(catalogue.content("2020.06"))
    add_on = tmp_path / "add-ons" / "dns.next.json"
    add_on.parent.mkdir()
    add_on.write_bytes(catalogue.content("dns.2020.06").replace(b"2020.06.json", b"next.json"))
    return add_on, base


def with_bases(add_on):
    guideline, _ = catalogue.load(str(add_on))
    return catalogue.with_bases(programme.default(guideline, "platform"))


@pytest.mark.parametrize("place", ["add-ons", "."])
def test_a_base_that_is_not_shipped_is_found_beside_the_add_on_or_above(draft, tmp_path, place):
    add_on, base = draft
    moved = base.rename(tmp_path / place / "next.json")
    found = with_bases(add_on)
    assert [one.key for one in found.bases] == [
        one.key for one in with_bases_of_shipped("dns.2020.06")
    ]
    assert catalogue.base_files(found) == (moved.resolve(),)


def with_bases_of_shipped(name):
    guideline, _ = catalogue.load(name)
    return catalogue.with_bases(programme.default(guideline, "platform")).bases


def test_the_base_beside_takes_precedence_over_the_one_above(draft):
    add_on, base = draft
    nearer = add_on.with_name("next.json")
    nearer.write_bytes(base.read_bytes())
    assert catalogue.base_files(with_bases(add_on)) == (nearer.resolve(),)


def test_a_relative_path_finds_the_base_too(draft, monkeypatch):
    add_on, _ = draft
    monkeypatch.chdir(add_on.parent)
    assert with_bases(add_on.name).bases


def test_a_base_that_is_nowhere_is_named(draft):
    add_on, base = draft
    base.unlink()
    with pytest.raises(
        UnknownNameError, match=r"requires os_powered_\w+ of .*next\.json"
    ) as caught:
        with_bases(add_on)
    assert "put next.json beside the file of the add-on" in caught.value.hint


def test_shipped_bases_are_not_looked_for_in_files(tmp_path):
    add_on = tmp_path / "dns.2020.06.json"
    add_on.write_bytes(catalogue.content("dns.2020.06"))
    (tmp_path / "2020.06.json").write_text("not a guideline")
    found = with_bases(add_on)
    assert found.bases == with_bases_of_shipped("dns.2020.06")
    assert catalogue.base_files(found) == ()


def test_the_previous_guideline_is_of_the_same_series():
    for name, previous in (
        ("2022.11", "2020.06"),
        ("2015.03", None),
        ("dns.2018.11", "dns.2018.02"),
        ("dns.2018.02", None),
        ("scs-0128", None),
    ):
        assert catalogue.previous(name) == previous
