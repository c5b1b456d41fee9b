"""When guidelines came into force, and which are in force on a day.

``data/timeline.json`` is appended to and never changed. It records drafts and approvals; that an
approved guideline is superseded follows: only the two approved last may be used (2017A C6).
"""

import functools
import json
from dataclasses import dataclass
from datetime import date
from importlib import resources

MOST_APPROVED = 2


@dataclass(frozen=True)
class Event:
    """``day`` is ISO; where only the month is known, its first."""

    day: date
    guideline: str
    status: str


@functools.cache
def events() -> tuple[Event, ...]:
    """Return all events, oldest first."""
    text = (resources.files("capabilities") / "data" / "timeline.json").read_text()
    return tuple(
        Event(date.fromisoformat(each["day"]), each["guideline"], each["status"])
        for each in json.loads(text)
    )


def series(guideline: str) -> str:
    """Return what a guideline succeeds within: ``dns`` for ``dns.2020.06``, else ``powered``."""
    head = guideline.partition(".")[0]
    return "powered" if head.isdigit() else head


def status_on(guideline: str, day: date) -> str:
    """Return the status of a guideline on a day: "" where it is not on record yet."""
    past = [event for event in events() if event.day <= day]
    own = [event.status for event in past if event.guideline == guideline]
    if not own or own[-1] != "approved":
        return own[-1] if own else ""
    return "approved" if guideline in effective(day, series(guideline)) else "superseded"


def effective(day: date, of_series: str = "powered") -> tuple[str, ...]:
    """Return the guidelines that may be used on a day, newest first, two at most."""
    approved = [
        event.guideline
        for event in events()
        if event.day <= day and event.status == "approved" and series(event.guideline) == of_series
    ]
    return tuple(reversed(approved[-MOST_APPROVED:]))
