"""When guidelines were drafted and approved, and which of them are in force on a day.

``data/timeline.json`` is append-only and records drafts and approvals. An approved guideline is
superseded when two later ones are approved, because only the last two may be used (2017A C6).
"""

import functools
import json
from dataclasses import dataclass
from datetime import date
from importlib import resources

MOST_APPROVED = 2
"""How many approved guidelines may be used at a time."""


@dataclass(frozen=True)
class Event:
    """A guideline got a status on ``day``: the first of the month where no more is known."""

    day: date
    guideline: str
    status: str


@functools.cache
def events() -> tuple[Event, ...]:
    """Return all events, oldest first."""
    text = (resources.files("capabilities") / "data" / "timeline.json").read_text()
    return tuple(
        Event(date.fromisoformat(raw["day"]), raw["guideline"], raw["status"])
        for raw in json.loads(text)
    )


def series(guideline: str) -> str:
    """Return the series of a guideline: ``dns`` for ``dns.2020.06``, ``powered`` for a date."""
    head = guideline.partition(".")[0]
    return "powered" if head.isdigit() else head


def last_event(guideline: str) -> Event | None:
    """Return the last event of a guideline, None if none is recorded."""
    return next((event for event in reversed(events()) if event.guideline == guideline), None)


def current_status(guideline: str) -> str:
    """Return the status of a guideline after all recorded events, "" if none is recorded of it."""
    return status_on(guideline, max(event.day for event in events()))


def status_on(guideline: str, day: date) -> str:
    """Return the status of a guideline on a day, "" before its first recorded event."""
    past = [event for event in events() if event.day <= day]
    own = [event.status for event in past if event.guideline == guideline]
    if not own or own[-1] != "approved":
        return own[-1] if own else ""
    return "approved" if guideline in effective(day, series(guideline)) else "superseded"


def effective(day: date, of_series: str = "powered") -> tuple[str, ...]:
    """Return the ids of the guidelines in force on a day, newest first, two at most."""
    approved = [
        event.guideline
        for event in events()
        if event.day <= day and event.status == "approved" and series(event.guideline) == of_series
    ]
    return tuple(reversed(approved[-MOST_APPROVED:]))
