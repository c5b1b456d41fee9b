"""Check the rules of the process that a guideline file can break, each with its clause (2017A).

:func:`check` takes a guideline alone, :func:`check_change` a guideline and the one it replaces,
:func:`check_revision` two versions of one guideline, :func:`check_approved` all approved ones.
"""

import re
from collections.abc import Iterable, Iterator

from capabilities.finding import Finding, Severity
from capabilities.guideline import Capability, Guideline, Status
from capabilities.json_document import join
from capabilities.programme import Programme, programmes
from capabilities.timeline import MOST_APPROVED

_DATE = re.compile(r"(?:[\w-]+\.)?\d{4}\.\d{2}")
MUST_HAVE_BEFORE = (Status.REQUIRED, Status.ADVISORY)
"""The previous status of a capability that may be required now (A3.2).

One with this status cannot be removed without being deprecated first (A3.1).
"""
_FLAG_CODE = re.compile(r"\[?D4\d\d\b")


def recorded_score(capability: Capability, guideline: Guideline) -> int | None:
    """Return the sum of the weights of a capability's recorded achievements.

    None where no achievements or no weights are recorded.
    """
    if not capability.achievements or not guideline.weights:
        return None
    return sum(guideline.weights.get(name, 0) for name in capability.achievements)


def check(guideline: Guideline) -> tuple[Finding, ...]:
    """Return a finding per rule that ``guideline`` breaks by itself."""
    return tuple(_alone(guideline))


def check_change(guideline: Guideline, previous: Guideline) -> tuple[Finding, ...]:
    """Return a finding per change from ``previous``, the replaced guideline, that breaks a rule."""
    return tuple(_changed(guideline, previous))


def check_revision(guideline: Guideline, earlier: Guideline) -> tuple[Finding, ...]:
    """Return a finding per change since an ``earlier`` version that breaks a rule."""
    return tuple(_revised(guideline, earlier))


def check_approved(guidelines: Iterable[Guideline]) -> tuple[Finding, ...]:
    """Return a finding if more guidelines are approved than may be used at a time."""
    approved = [guideline.id for guideline in guidelines if guideline.status == "approved"]
    if len(approved) <= MOST_APPROVED:
        return ()
    message = (
        f"{len(approved)} guidelines are approved, at most {MOST_APPROVED} may be: "
        + ", ".join(approved)
    )
    where = "/metadata/os_trademark_approval/status"
    return (Finding("too-many-approved", Severity.ERROR, where, message, "2017A C6"),)


def _alone(guideline: Guideline) -> Iterator[Finding]:
    if not _DATE.fullmatch(guideline.id):
        yield Finding(
            "name-not-a-date",
            Severity.NOTE if guideline.status == "draft" else Severity.ERROR,
            "/metadata/id",
            f"{guideline.id} is not the month of its approval (YYYY.MM)",
            "2017A D1.4",
        )
    if not guideline.releases:
        yield Finding(
            "no-releases",
            Severity.ERROR,
            "/metadata/os_trademark_approval/releases",
            "no OpenStack release is listed",
            "2017A D4",
        )
    for capability in _required(guideline):
        yield from _required_capability(capability, guideline)
    for capability in guideline.capabilities.values():
        for test in capability.tests:
            if test.flag and not _FLAG_CODE.match(test.flag.reason):
                yield Finding(
                    "flag-without-code",
                    Severity.NOTE,
                    join(f"{_pointer(capability)}/tests", test.name),
                    "the reason of the flag has no code (D400 to D406)",
                    "HACKING D4xx",
                )


def below_cutoff(capability: Capability, guideline: Guideline) -> int | None:
    """Return the recorded score of a capability where it is below the cutoff, else None."""
    total = recorded_score(capability, guideline)
    if total is None or guideline.cutoff is None or total >= guideline.cutoff:
        return None
    return total


def _required_capability(capability: Capability, guideline: Guideline) -> Iterator[Finding]:
    where = _pointer(capability)
    if capability.admin:
        yield Finding(
            "admin-required",
            Severity.ERROR,
            f"{where}/admin",
            f"{capability.id} is required and needs an admin",
            "CoreCriteria Non-Admin",
        )
    if capability.tests and all(test.flag for test in capability.tests):
        yield Finding(
            "vacuous",
            Severity.WARNING,
            f"{where}/tests",
            f"{capability.id} is required and all its tests are flagged: every cloud passes",
            "2017A C3",
        )
    total = below_cutoff(capability, guideline)
    if total is not None:
        yield Finding(
            "below-cutoff",
            Severity.WARNING,
            f"{where}/achievements",
            f"{capability.id} is required with {total} points, below the cutoff {guideline.cutoff}",
            "2017A A7.2",
        )


def _changed(guideline: Guideline, previous: Guideline) -> Iterator[Finding]:
    before = {programme.key: programme for programme in programmes(previous)}
    for programme in programmes(guideline):
        earlier = before.get(programme.key)
        # Platform is the union of the others: each change would be reported twice.
        if earlier and (programme.key != "platform" or len(before) == 1):
            yield from _changed_statuses(programme, earlier)
    if guideline.weights and previous.weights and guideline.weights != previous.weights:
        changed = sorted(
            key
            for key in guideline.weights.keys() | previous.weights.keys()
            if guideline.weights.get(key) != previous.weights.get(key)
        )
        yield Finding(
            "criteria-changed",
            Severity.NOTE,
            "/metadata/scoring/criteria",
            f"weights changed since {previous.id}, for the Board to approve: {', '.join(changed)}",
            "2017A A4.2",
        )


def _revised(guideline: Guideline, earlier: Guideline) -> Iterator[Finding]:
    if guideline.weights != earlier.weights or guideline.cutoff != earlier.cutoff:
        yield Finding(
            "criteria-not-frozen",
            Severity.ERROR,
            "/metadata/scoring",
            "criteria, weights and cutoff are frozen once the draft is published",
            "2017A A4.3",
        )
    for name in dict.fromkeys((*earlier.capabilities, *guideline.capabilities)):
        old, new = (version.capabilities.get(name) for version in (earlier, guideline))
        before = {test.key: test for test in old.tests} if old else {}
        after = {test.key: test for test in new.tests} if new else {}
        where = join("/capabilities", name)
        if earlier.status == "approved":
            for key in before.keys() ^ after.keys():
                change = "removed from" if key in before else "added to"
                test = before.get(key) or after[key]
                pointer = join(f"{where}/tests", test.name)
                message = f"{test.name} was {change} an approved guideline"
                yield Finding("tests-not-frozen", Severity.ERROR, pointer, message, "2017A D2")
        for key in before.keys() & after.keys():
            if before[key].flag and not after[key].flag:
                pointer = join(f"{where}/tests", after[key].name)
                message = f"the flag of {after[key].name} was removed: flags are permanent"
                yield Finding("flag-deleted", Severity.ERROR, pointer, message, "HACKING D311")


def _changed_statuses(programme: Programme, earlier: Programme) -> Iterator[Finding]:
    for capability, status in programme.statuses.items():
        was = earlier.statuses.get(capability)
        if status is Status.REQUIRED and was not in MUST_HAVE_BEFORE:
            yield Finding(
                "required-not-advisory-before",
                Severity.ERROR,
                f"/capabilities/{capability}",
                f"{capability} is required in {programme.key} but was {was or 'not listed'} in "
                f"{earlier.guideline.id}",
                "2017A A3.2, A4.6",
            )
    for capability, was in earlier.statuses.items():
        now = programme.statuses.get(capability)
        if was in MUST_HAVE_BEFORE and now in (None, Status.REMOVED):
            needed = was is Status.REQUIRED
            yield Finding(
                "removed-not-deprecated-before",
                Severity.ERROR if needed else Severity.NOTE,
                f"/capabilities/{capability}",
                f"{capability} is removed from {programme.key} but was {was} in "
                f"{earlier.guideline.id}",
                "2017A A3.1, A4.5",
            )


def _required(guideline: Guideline) -> Iterator[Capability]:
    seen = set()
    for programme in programmes(guideline):
        for capability in programme.capabilities(Status.REQUIRED):
            if capability.id not in seen:
                seen.add(capability.id)
                yield capability


def _pointer(capability: Capability) -> str:
    return join("/capabilities", capability.id)
