"""Read a flat list of tests as a guideline; write the tests of a guideline as a list for Tempest.

Sovereign Cloud Stack's SCS-0128 is such a list: no capabilities, and none of its tests may fail.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import replace

from capabilities import tempest_id
from capabilities.errors import GuidelineError
from capabilities.finding import Finding, Severity
from capabilities.guideline import Capability, Component, Guideline, Platform, Rule, Status, Test

SCHEMA = "list"
"""The schema version of a guideline that was read from a list."""

_ONLY = "tests"


def parse(text: str, name: str, source: str) -> tuple[Guideline, tuple[Finding, ...]]:
    """Read a list, one test per line and comments after ``#``, as a guideline.

    :param name: id of the guideline
    :param source: name of the file, for messages
    :raises GuidelineError: a line is not a test, or there is no test
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
                f"{source}:{number}: not a test",
                hint="a list has lines like module.Class.test[id-…]; a guideline is JSON",
            )
        test = Test(found.name, found.idempotent_id)
        known = tests.get(test.key)
        if known:
            message = f"{found.name} is listed twice"
            findings.append(Finding("listed-twice", Severity.NOTE, f"/{number}", message))
            # In RefStack's lists each other name of a test has its own line, with the same id.
            names = dict.fromkeys((*known.aliases, found.name))
            names.pop(known.name, None)
            test = replace(known, aliases=tuple(names))
        tests[test.key] = test
    if not tests:
        raise GuidelineError(f"{source}: no test in the list")
    description = "None of the listed tests may fail"
    guideline = Guideline(
        id=name,
        schema=SCHEMA,
        status="",
        releases=(),
        platforms=(Platform(name, description, (_ONLY,), rule=Rule.NONE_FAILED),),
        components={_ONLY: Component(_ONLY, {Status.REQUIRED: (_ONLY,)})},
        capabilities={
            _ONLY: Capability(_ONLY, "All tests of the list", tests=tuple(tests.values()))
        },
        digest=hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest(),
    )
    return guideline, tuple(findings)


def named(guideline: Guideline, name: str) -> Guideline:
    """Return the guideline that was read from a list, under another name.

    The name of a list is not in it. A newer version of a known list has often another file name.
    """
    (platform,) = guideline.platforms
    return replace(guideline, id=name, platforms=(replace(platform, name=name),))


def identified(guideline: Guideline, ids: Mapping[str, str]) -> Guideline:
    """Return the guideline that was read from a list, with the ids of tests listed by name only.

    :param ids: known idempotent ids by name; a test with another name stays without one
    """
    (capability,) = guideline.capabilities.values()
    tests = tuple(
        test if test.idempotent_id else replace(test, idempotent_id=ids.get(test.name))
        for test in capability.tests
    )
    merged = {test.key: test for test in reversed(tests)}
    return replace(
        guideline,
        capabilities={_ONLY: replace(capability, tests=tuple(reversed(merged.values())))},
    )


def lines(tests: Iterable[Test], *, aliases: bool, flagged: bool) -> tuple[str, ...]:
    """Return sorted ``name[id-…]`` lines, as RefStack exports them, each once.

    :param aliases: also list each alias of a test, with the same id
    :param flagged: also list flagged tests
    """
    found = set()
    for test in tests:
        if flagged or test.flag is None:
            names = test.names if aliases else (test.name,)
            suffix = f"[{test.idempotent_id}]" if test.idempotent_id else ""
            found |= {f"{name}{suffix}" for name in names}
    return tuple(sorted(found))
