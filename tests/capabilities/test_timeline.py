"""Which guideline was in force when."""

from datetime import date

import pytest

from capabilities import catalogue, timeline


def test_events_are_in_order_and_of_shipped_guidelines():
    days = [event.day for event in timeline.events()]
    assert days == sorted(days)
    assert {event.guideline for event in timeline.events()} == set(catalogue.shipped()) - {
        "scs-0128"
    }


@pytest.mark.parametrize("day", sorted({event.day for event in timeline.events()}))
def test_at_most_two_of_a_series_are_approved_at_once(day):
    for series in ("powered", "dns", "orchestration"):
        assert len(timeline.effective(day, series)) <= 2


@pytest.mark.parametrize(
    ("day", "effective"),
    [
        (date(2015, 1, 1), ()),
        (date(2015, 3, 2), ("2015.03",)),
        (date(2016, 8, 23), ("2016.08", "2016.01")),
        (date(2026, 1, 1), ("2020.06", "2019.11")),
    ],
)
def test_what_is_effective_on_a_day(day, effective):
    assert timeline.effective(day) == effective


def test_the_status_of_a_guideline_changes_with_the_day():
    assert timeline.status_on("2019.06", date(2019, 1, 1)) == ""
    assert timeline.status_on("2019.06", date(2019, 7, 1)) == "approved"
    assert timeline.status_on("2019.06", date(2026, 1, 1)) == "superseded"
    assert timeline.status_on("2022.11", date(2026, 1, 1)) == "draft"


def test_the_status_after_all_events_is_the_current_one():
    names = ("2022.11", "2020.06", "2019.11", "2019.06", "dns.2018.02", "scs-0128")
    assert [timeline.current_status(name) for name in names] == [
        *("draft", "approved", "approved", "superseded", "superseded", "")
    ]
    assert str(timeline.last_event("2017.01").day) == "2017-01-24"
    assert timeline.last_event("scs-0128") is None
