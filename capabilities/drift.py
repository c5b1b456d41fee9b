"""The differences between the tests of a guideline and those of a Tempest.

Until Tempest 46 an upstream job prevented interoperability tests from being renamed or removed;
there is none since. These functions are that job, and any project can run it.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from capabilities.finding import Finding, Severity
from capabilities.guideline import Status, Test
from capabilities.json_document import JsonObject, join
from capabilities.matching import Index, MatchKind, match
from capabilities.programme import Programme


@dataclass(frozen=True)
class Drift:
    """Counts over the required tests of a programme, each name once.

    ``renamed`` have their id under a name that the guideline does not list, ``name_only`` have only
    their name, ``vanished`` neither.
    """

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
        """The number of tests that count and that the Tempest does not have."""
        return self.unflagged - self.unflagged_found


def measure(programme: Programme, index: Index) -> Drift:
    """Count the required tests of ``programme`` that a Tempest has, by id and by name."""
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
    """Return a finding, with the remedy, per required test that is renamed or gone."""
    findings = []
    for capability in programme.capabilities(Status.REQUIRED):
        for test in capability.tests:
            matched = match(test, index)
            where = join(f"/capabilities/{capability.id}/tests", test.name)
            severity = Severity.NOTE if test.flag else Severity.ERROR
            if matched.kind is MatchKind.MISSING:
                message = "no Tempest test has its id or name"
                findings.append(Finding("vanished", severity, where, message))
            elif matched.kind in (MatchKind.RENAMED, MatchKind.AMBIGUOUS):
                names = ", ".join(sorted({same.name for same in matched.found}))
                message = f"its id has another name in this Tempest: add the alias {names}"
                findings.append(Finding("renamed", severity, where, message))
    return tuple(findings)


def alias_patch(programme: Programme, index: Index) -> list[JsonObject]:
    """Return the JSON Patch (RFC 6902) that adds the aliases a guideline lacks."""
    patch: list[JsonObject] = []
    for capability in programme.capabilities(Status.REQUIRED):
        for test in capability.tests:
            matched = match(test, index)
            if matched.kind in (MatchKind.RENAMED, MatchKind.AMBIGUOUS):
                names = sorted({same.name for same in matched.found} - set(test.names))
                where = join(f"/capabilities/{capability.id}/tests", test.name)
                aliases = [*test.aliases, *names]
                patch.append({"op": "add", "path": f"{where}/aliases", "value": [*aliases]})
    return patch


def _required(programme: Programme) -> tuple[Test, ...]:
    listed: Iterable[Test] = (
        test for capability in programme.capabilities(Status.REQUIRED) for test in capability.tests
    )
    return tuple({test.name: test for test in listed}.values())
