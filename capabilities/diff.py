"""The changes from one guideline to another, by capability."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from capabilities import programme
from capabilities.guideline import Capability, Guideline, Test
from capabilities.programme import Programme

ENTERED, LEFT, STATUS = "entered", "left", "status"
"""The kinds of changes of a status; all others are of a test."""


@dataclass(frozen=True)
class Change:
    """One change: ``kind`` is, for example, "test added"; ``what`` the test or the status."""

    capability: str
    kind: str
    what: str

    @property
    def is_of_test(self) -> bool:
        """Whether a test changed, not the status of the capability."""
        return self.kind not in (ENTERED, LEFT, STATUS)


def between_guidelines(before: Guideline, after: Guideline) -> Mapping[str, tuple[Change, ...]]:
    """Return the changes of each programme that both have, by its key.

    Programmes that combine others are left out. Guidelines without a common programme give none.
    """
    old = {one.key: one for one in programme.separate(before)}
    new = {one.key: one for one in programme.separate(after)}
    return {key: between(old[key], new[key]) for key in old if key in new}


def between(before: Programme, after: Programme) -> tuple[Change, ...]:
    """Return the changes between two versions of a programme: capabilities first, then tests."""
    names = dict.fromkeys((*before.statuses, *after.statuses))
    statuses = (change for name in names for change in _status(name, before, after))
    both = (name for name in names if name in before.statuses and name in after.statuses)
    tests = (
        change
        for name in both
        for change in _tests(
            before.guideline.capabilities[name], after.guideline.capabilities[name]
        )
    )
    return (*statuses, *tests)


def _status(name: str, before: Programme, after: Programme) -> Iterator[Change]:
    was, now = before.statuses.get(name), after.statuses.get(name)
    if was is None and now is not None:
        yield Change(name, ENTERED, str(now))
    elif now is None:
        yield Change(name, LEFT, f"was {was}")
    elif was is not now:
        yield Change(name, STATUS, f"{was} -> {now}")


def _tests(before: Capability, after: Capability) -> Iterator[Change]:
    old = {test.key: test for test in before.tests}
    new = {test.key: test for test in after.tests}
    for key in dict.fromkeys((*old, *new)):
        yield from _test(after.id, old.get(key), new.get(key))


def _test(capability: str, old: Test | None, new: Test | None) -> Iterator[Change]:
    if old is None and new is not None:
        yield Change(capability, "test added", new.name)
    elif new is None and old is not None:
        yield Change(capability, "test removed", old.name)
    elif old is not None and new is not None:
        if old.name != new.name:
            yield Change(capability, "test renamed", f"{old.name} -> {new.name}")
        if (old.flag is None) != (new.flag is None):
            yield Change(capability, "test flagged" if new.flag else "flag removed", new.name)
