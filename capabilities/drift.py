"""How far a guideline's tests and a Tempest have come apart.

Until Tempest 46 an upstream job kept interoperability tests from being renamed or removed; nothing
does since. This is that job: any project can run it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from capabilities.finding import Finding, Severity
from capabilities.guideline import Status, Test
from capabilities.json_document import join
from capabilities.matching import Index, MatchKind, match
from capabilities.programme import Programme


@dataclass(frozen=True)
class Drift:
    """Counts over the required tests of a programme, each name once."""

    tests: int
    flagged: int
    id_found: int
    exact_name: int
    name_or_alias: int
    renamed: int
    name_only: int
    vanished: int
    unflagged: int
    unflagged_found: int

    @property
    def unflagged_vanished(self) -> int:
        return self.unflagged - self.unflagged_found


def measure(programme: Programme, index: Index) -> Drift:
    """Count how ``programme`` stands against a Tempest."""
    tests = _required(programme)
    id_found = {test.name for test in tests if test.idempotent_id in index.by_id}
    named = {test.name for test in tests if test.name in index.by_name}
    listed = {test.name for test in tests if any(name in index.by_name for name in test.names)}
    unflagged = {test.name for test in tests if test.flag is None}
    return Drift(
        tests=len(tests),
        flagged=len(tests) - len(unflagged),
        id_found=len(id_found),
        exact_name=len(named),
        name_or_alias=len(listed),
        renamed=len(id_found - listed),
        name_only=len(listed - id_found),
        vanished=len(tests) - len(id_found | listed),
        unflagged=len(unflagged),
        unflagged_found=len(unflagged & (id_found | listed)),
    )


def check(programme: Programme, index: Index) -> tuple[Finding, ...]:
    """Return a finding for each required test that is renamed or gone, with what mends it."""
    findings = []
    for capability in programme.capabilities(Status.REQUIRED):
        for test in capability.tests:
            found = match(test, index)
            where = join(f"/capabilities/{capability.id}/tests", test.name)
            if found.kind is MatchKind.MISSING:
                severity = Severity.NOTE if test.flag else Severity.ERROR
                findings.append(Finding("vanished", severity, where, "no Tempest test has its id"))
            elif found.kind in (MatchKind.RENAMED, MatchKind.AMBIGUOUS):
                names = ", ".join(sorted({each.name for each in found.found}))
                severity = Severity.NOTE if test.flag else Severity.ERROR
                message = f"has its id under another name: add the alias {names}"
                findings.append(Finding("renamed", severity, where, message))
    return tuple(findings)


def alias_patch(programme: Programme, index: Index) -> list[dict[str, Any]]:
    """Return the JSON Patch (RFC 6902) that lists the names a guideline does not know yet."""
    patch = []
    for capability in programme.capabilities(Status.REQUIRED):
        for test in capability.tests:
            found = match(test, index)
            if found.kind in (MatchKind.RENAMED, MatchKind.AMBIGUOUS):
                names = sorted({each.name for each in found.found} - set(test.names))
                where = join(f"/capabilities/{capability.id}/tests", test.name)
                value = [*test.aliases, *names]
                patch.append({"op": "add", "path": f"{where}/aliases", "value": value})
    return patch


def _required(programme: Programme) -> tuple[Test, ...]:
    listed: Iterable[Test] = (
        test for each in programme.capabilities(Status.REQUIRED) for test in each.tests
    )
    return tuple({test.name: test for test in listed}.values())
