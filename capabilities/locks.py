"""Check that the tests and ids of an approved guideline have not changed since its approval.

Flags may be added and descriptions reworded after approval; tests stay as they are (2017A D2).
``data/locked.json`` has a checksum per shipped guideline.
"""

import functools
import hashlib
import json
from collections.abc import Mapping
from importlib import resources

from capabilities.finding import Finding, Severity
from capabilities.guideline import Guideline


def check(guideline: Guideline) -> tuple[Finding, ...]:
    """Return a finding if a shipped guideline of the same id has other tests or ids."""
    if locked().get(guideline.id) in (None, digest(guideline)):
        return ()
    message = (
        f"its tests or their ids differ from those approved as {guideline.id}: "
        f"--since {guideline.id} lists the differences"
    )
    return (Finding("tests-not-frozen", Severity.ERROR, "/capabilities", message, "2017A D2"),)


def digest(guideline: Guideline) -> str:
    """Return the SHA-256 over the names and ids of every capability's tests."""
    lines = sorted(
        f"{capability.id} {test.name} {test.idempotent_id or ''}"
        for capability in guideline.capabilities.values()
        for test in capability.tests
    )
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


@functools.cache
def locked() -> Mapping[str, str]:
    """Return the checksum of each shipped guideline that was approved, by its id."""
    return json.loads((resources.files("capabilities") / "data" / "locked.json").read_text())
