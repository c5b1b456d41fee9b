"""The history of a capability."""

import pytest

from capabilities import catalogue, history
from capabilities.errors import UnknownNameError

ALL = [catalogue.load(name)[0] for name in catalogue.shipped()]


def test_a_history_has_status_and_tests_of_each_guideline_with_the_capability():
    entries = history.of("compute-images-list", ALL)
    assert [(entry.guideline.id, *map(str, entry.statuses.values())) for entry in entries] == [
        ("2015.07", "required"),
        ("2016.01", "required"),
        ("2016.08", "deprecated"),
        ("2017.01", "removed"),
    ]
    assert {(len(entry.capability.tests), entry.flagged) for entry in entries} == {(15, 13)}


def test_programmes_that_combine_others_are_left_out():
    for entry in history.of("identity-v3-tokens-delete", ALL):
        assert entry.statuses.keys() <= {"compute", "storage"}
    (*_, last) = history.of("stack-create", ALL)
    assert list(last.statuses) == ["orchestration"]


def test_an_unknown_capability_is_refused():
    with pytest.raises(UnknownNameError, match="no shipped guideline has a capability none"):
        history.of("none", ALL)
