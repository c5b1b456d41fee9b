"""Tests of an approved guideline stay as they were approved."""

from dataclasses import replace

import pytest

from capabilities import catalogue, locks, reader
from capabilities.guideline import Flag, Guideline


def changed(guideline: Guideline, **changes: object) -> Guideline:
    """Return ``guideline`` with the first test of its first capability changed."""
    capability = next(iter(guideline.capabilities.values()))
    first, *others = capability.tests
    capability = replace(capability, tests=(replace(first, **changes), *others))
    return replace(guideline, capabilities={**guideline.capabilities, capability.id: capability})


def test_every_shipped_guideline_that_was_approved_is_locked():
    names = catalogue.shipped()
    approved = [name for name in names if catalogue.load(name)[0].status != "draft"]
    assert sorted(locks.locked()) == sorted(approved)


@pytest.mark.parametrize("name", locks.locked())
def test_a_shipped_guideline_has_the_tests_it_was_approved_with(name):
    guideline, _ = catalogue.load(name)
    assert guideline.id == name
    assert locks.check(guideline) == ()


@pytest.mark.parametrize("changes", [{"name": "m.C.other"}, {"idempotent_id": "id-other"}])
def test_a_changed_test_of_an_approved_guideline_is_an_error(changes):
    guideline, _ = catalogue.load("2020.06")
    (finding,) = locks.check(changed(guideline, **changes))
    assert (finding.code, finding.severity) == ("tests-not-frozen", "error")
    assert "--since 2020.06" in finding.message


def test_a_flag_may_be_added_and_a_new_guideline_is_not_locked():
    guideline, _ = catalogue.load("2020.06")
    assert locks.check(changed(guideline, flag=Flag("[D401] a bug"))) == ()
    assert locks.check(replace(changed(guideline, name="m.C.other"), id="next")) == ()


@pytest.mark.parametrize("name", [name for name in locks.locked() if name[0] == "2"])
def test_the_published_file_has_the_locked_tests(name, shared):
    """The shipped files are derived from the published ones: their tests are the same."""
    guideline, _ = reader.read(shared(f"published/guidelines/{name}.json"))
    assert locks.check(guideline) == ()
