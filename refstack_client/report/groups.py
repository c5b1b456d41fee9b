"""Required tests that did not pass, grouped by reason, and the fewest causes to fix."""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from refstack_client.outcomes.causes import REMEDIES
from scoring.conformance.outcomes import Cause, Outcome
from scoring.conformance.verdict import SUFFICIENT, Conformance, TestVerdict, Verdict

RESOURCE_ID = r"[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}"
"""A UUID in a regular expression, with or without hyphens."""

# What differs between tests that failed for the same reason: IDs, and names that Tempest made.
_VARYING = re.compile(rf"{RESOURCE_ID}|\b(?:tempest|refstack)-[\w-]{{0,100}}\d+")
_KINDS = {
    Outcome.FAIL: "failed",
    Outcome.MISSING: "not in this Tempest",
    Outcome.NOT_RUN: "not run",
    Outcome.SKIP: "skipped",
}
_REMEDIES = {
    Outcome.FAIL: "fix what the reason names, then certify again",
    Outcome.MISSING: "install the Tempest release or plugin that has these tests",
    Outcome.NOT_RUN: "run them: refstack-client certify --resume RUN; if they are of another "
    "programme than the run, certify that programme",
    Outcome.SKIP: "enable the feature or provide the credential that the reason names",
}


@dataclass(frozen=True)
class Group:
    """Required tests with the same outcome for the same reason.

    ``cause`` is that of one of the tests; its call is an example.
    """

    outcome: Outcome
    reason: str
    tests: tuple[TestVerdict, ...]
    cause: Cause | None = None

    @property
    def remedy(self) -> str:
        """Return what to do about it."""
        return remedy(self.outcome, self.cause)

    @property
    def kind(self) -> str:
        """Return the kind of the cause, or the outcome in words where no cause is known."""
        return str(self.cause.kind) if self.cause else _KINDS[self.outcome]


def remedy(outcome: Outcome, cause: Cause | None) -> str:
    """Return what to do about a test that did not pass."""
    return REMEDIES[cause.kind] if cause else _REMEDIES[outcome]


def groups(verdict: Verdict) -> tuple[Group, ...]:
    """Return the required tests that did not pass: worst outcome first, then largest group.

    Reasons that differ only in IDs and names of resources are the same. Each test is in one group,
    so that there are as few groups as possible.
    """
    found: dict[tuple[Outcome, str], list[TestVerdict]] = defaultdict(list)
    for test in verdict.required:
        if test.outcome is not Outcome.PASS:
            found[test.outcome, without_resources(test.reason)].append(test)
    return tuple(
        Group(outcome, reason, tuple(tests), _example(tests))
        for (outcome, reason), tests in sorted(
            found.items(), key=lambda item: (item[0][0].badness, -len(item[1]), item[0][1])
        )
    )


def to_fix(verdict: Verdict) -> tuple[Group, ...]:
    """Return the groups that keep a product from conforming; by some rules a test may skip."""
    found = groups(verdict)
    if verdict.conformance is Conformance.CONFORMANT:
        return ()
    sufficient = SUFFICIENT[verdict.programme.rule]
    return tuple(group for group in found if group.outcome not in sufficient) or found


def without_resources(reason: str) -> str:
    """Return ``reason`` with ``…`` for each ID or generated name of a resource."""
    return _VARYING.sub("…", reason)


def _example(tests: Iterable[TestVerdict]) -> Cause | None:
    """Return the first cause that names a call, else the first."""
    causes = [test.cause for test in tests if test.cause]
    return next((cause for cause in causes if cause.call), causes[0] if causes else None)
