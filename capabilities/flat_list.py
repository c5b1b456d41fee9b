"""Flat lists of tests: read ones that stand for a guideline, write ones Tempest can be given.

Sovereign Cloud Stack's SCS-0128 is such a list: no capabilities, and none of its tests may fail.
"""

from collections.abc import Iterable
from dataclasses import replace

from capabilities import tempest_id
from capabilities.errors import GuidelineError
from capabilities.finding import Finding, Severity
from capabilities.guideline import Capability, Component, Guideline, Platform, Rule, Status, Test

SCHEMA = "list"
"""What stands for a schema version in a guideline read from a list."""

_ONLY = "tests"


def parse(text: str, name: str, source: str) -> tuple[Guideline, tuple[Finding, ...]]:
    """Read a list, one test a line, ``#`` starting comments, as a guideline called ``name``.

    :raises GuidelineError: a line does not name a test, or none does
    """
    tests: dict[str, Test] = {}
    findings = []
    for number, line in enumerate(text.splitlines(), start=1):
        wanted = line.partition("#")[0].strip()
        if not wanted:
            continue
        found = tempest_id.parse(wanted)
        if found is None:
            raise GuidelineError(
                f"{source}:{number}: this does not name a test",
                hint="a list has lines such as module.Class.test[id-…]; a guideline is JSON",
            )
        test = Test(found.name, found.idempotent_id)
        known = tests.get(test.key)
        if known:
            message = f"{found.name} is listed twice"
            findings.append(Finding("listed-twice", Severity.NOTE, f"/{number}", message))
            # RefStack's lists give a test's other names lines of their own, with its id.
            names = dict.fromkeys((*known.aliases, found.name))
            names.pop(known.name, None)
            test = replace(known, aliases=tuple(names))
        tests[test.key] = test
    if not tests:
        raise GuidelineError(f"{source}: no test is listed")
    description = "None of the listed tests may fail"
    guideline = Guideline(
        id=name,
        schema=SCHEMA,
        status="",
        releases=(),
        platforms=(Platform(name, description, (_ONLY,), rule=Rule.NONE_FAILED),),
        components={_ONLY: Component(_ONLY, {Status.REQUIRED: (_ONLY,)})},
        capabilities={
            _ONLY: Capability(_ONLY, "Everything that is listed", tests=tuple(tests.values()))
        },
    )
    return guideline, tuple(findings)


def lines(tests: Iterable[Test], *, aliases: bool, flagged: bool) -> tuple[str, ...]:
    """Return ``name[id-…]`` lines as RefStack exported them, sorted, none twice.

    :param aliases: whether other names of a test get lines of their own, with its id
    :param flagged: whether flagged tests are listed
    """
    found = set()
    for test in tests:
        if flagged or test.flag is None:
            names = test.names if aliases else (test.name,)
            suffix = f"[{test.idempotent_id}]" if test.idempotent_id else ""
            found |= {f"{name}{suffix}" for name in names}
    return tuple(sorted(found))
