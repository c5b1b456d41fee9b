"""The criteria of every era."""

import pytest

from capabilities import catalogue
from scoring.committee import criteria
from scoring.errors import ScoringError


@pytest.mark.parametrize(
    ("name", "most", "cutoff"),
    [("2014", 100, None), ("2016.01", 100, 74), ("2016.08", 100, 74), ("add-on", 75, 60)],
)
def test_weights_sum_to_what_is_on_record(name, most, cutoff):
    found = criteria.find(name)
    assert (found.most, found.cutoff) == (most, cutoff)


@pytest.mark.parametrize(
    ("name", "guideline"),
    [("2016.01", "2016.01"), ("2016.08", "2020.06"), ("add-on", "dns.2020.06")],
)
def test_a_set_has_the_weights_of_the_guidelines_of_its_era(name, guideline):
    published = catalogue.load(guideline)[0]
    found = criteria.find(name)
    assert (dict(found.weights), found.cutoff) == (dict(published.weights), published.cutoff)


def test_criteria_are_known_by_every_name_they_had():
    assert criteria.by_heading("Doc'd") == criteria.by_heading("doc") == "doc"
    assert criteria.by_heading("Required in Last Release") == "sticky"
    assert criteria.by_heading("Non-Admin") == criteria.GATE
    assert criteria.by_heading("nonsense") is None


def test_an_unknown_set_is_refused_with_the_known_ones():
    with pytest.raises(ScoringError) as caught:
        criteria.find("1999")
    assert "2016.08" in caught.value.hint
