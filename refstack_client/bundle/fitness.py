"""Whether the tests of the guideline ran, and as a certification requires."""

import functools
import json
from collections.abc import Mapping, Sequence
from importlib import resources

from capabilities import catalogue
from capabilities.guideline import Guideline
from capabilities.matching import MatchKind
from capabilities.tempest_id import parse as parse_test
from refstack_client.bundle.checks import CheckFailedError, Checks, UnknownError
from refstack_client.bundle.contents import Bundle
from refstack_client.outcomes.cloud_facts import ADMIN_ROLE
from refstack_client.outcomes.json_value import JsonValue
from refstack_client.outcomes.plan_record import PlannedTest
from refstack_client.outcomes.run_attempts import RETRY_BUDGET

_PUBLISHED = resources.files("refstack_client") / "data" / "known_packages.json"
"""SHA-256 of the source of published packages, by name and version (tools/known_packages.py)."""
_TESTS = resources.files("refstack_client") / "data" / "known_tests.json"
"""Names of methods by the idempotent id that they have in a published release (same tool)."""
_OTHER_NAME = (MatchKind.RENAMED, MatchKind.AMBIGUOUS)
_NAMES = 3
"""Of tests, in a sentence."""


def _recorded(bundle: Bundle, key: str) -> list[JsonValue]:
    """Return what the starts of a run that ran tests record.

    :raises UnknownError: one of them does not record it, as one that was cut off
    """
    ran = [record for record in bundle.records if record.optional("asked", JsonValue.number, 0)]
    if not ran or not all(record.has(key) for record in ran):
        raise UnknownError("the bundle does not record it of every start of the run")
    return [record.member(key) for record in ran]


def _packages(bundle: Bundle) -> str:
    """Compare the source of Tempest and its plugins with that of the published releases."""
    recorded = [value.object() for value in _recorded(bundle, "packages")]
    versions = bundle.plan.basis.versions if bundle.plan else {}
    published = json.loads(_PUBLISHED.read_text(encoding="utf-8"))
    unknown = [] if "tempest" in versions else ["tempest"]
    for name, version in versions.items():
        due = published.get(name, {}).get(version)
        digests = {packages.get(name) or "" for packages in recorded}
        if due and digests - {due, ""}:
            raise CheckFailedError(f"the source of {name} was not that of the release {version}")
        if not due or "" in digests:
            unknown.append(f"{name} {version}")
    if unknown:
        raise UnknownError(f"no known release is recorded for {', '.join(unknown)}")
    releases = (f"{name} {version}" for name, version in versions.items())
    return f"the source was that of {', '.join(releases)}, as the bundle records it"


def _names(bundle: Bundle) -> str:
    """Compare the tests that ran with those of the guideline, and of published releases."""
    if bundle.plan is None:
        raise UnknownError("the bundle was made from a stream alone")
    published: Mapping[str, Sequence[str]] = json.loads(_TESTS.read_text(encoding="utf-8"))
    ran = [(test, full) for test in bundle.plan.tests for full in test.found]
    unpublished = [full for test, full in ran if not _is_published(test, full, published)]
    if not ran:
        raise UnknownError("no test of the guideline was found")
    if unpublished:
        raise UnknownError(
            f"no published release is known that has {_some(unpublished)}, of {len(ran)} tests"
        )
    renamed = [test for test in bundle.plan.tests if test.match in _OTHER_NAME]
    if not renamed:
        return f"{len(ran)} tests have the names of the guideline, and ids of published releases"
    names = (f"{test.name} as {', '.join(test.found)}" for test in renamed)
    return (
        f"{len(renamed)} of {len(ran)} tests ran under another name, which published releases give "
        f"to their ids: {_some(list(names))}"
    )


def _is_published(test: PlannedTest, full: str, published: Mapping[str, Sequence[str]]) -> bool:
    """Return whether a known release has a test, by its id and the name of its method.

    :raises CheckFailedError: in each release that has the id, the method has another name, or the
        test is not of the package that the guideline names
    """
    found = parse_test(full)
    if found is None or not found.idempotent_id:
        return False
    package = found.name.partition(".")[0]
    if package != test.name.partition(".")[0]:
        raise CheckFailedError(f"{full} ran for {test.name}, and is not of the same package")
    methods = published.get(found.idempotent_id.removeprefix("id-"), ())
    if methods and found.name.rpartition(".")[2] not in methods:
        raise CheckFailedError(f"{full} has the id of {' or '.join(methods)}")
    return bool(methods)


def _some(names: Sequence[str]) -> str:
    """Return the first names, and how many more there are."""
    more = f" and {len(names) - _NAMES} more" if len(names) > _NAMES else ""
    return f"{', '.join(names[:_NAMES])}{more}"


def _guideline(bundle: Bundle, trusted: Guideline | None) -> str:
    guideline = bundle.guideline
    if trusted:
        if trusted.digest != guideline.digest:
            raise CheckFailedError(f"{guideline.id} has other content than that of --guideline")
        return f"{guideline.id}, as --guideline has it"
    if guideline.id not in catalogue.shipped():
        raise CheckFailedError(
            f"{guideline.id} is not shipped with this release: give the file that you trust with "
            "--guideline"
        )
    if catalogue.load(guideline.id)[0].digest != guideline.digest:
        raise CheckFailedError(f"{guideline.id} differs from the {guideline.id} that is shipped")
    return f"{guideline.id}, as it is shipped"


def _roles(bundle: Bundle) -> str:
    roles = bundle.manifest.roles
    # Policies of OpenStack compare roles in any case.
    if any(role.strip().casefold() == ADMIN_ROLE for role in roles):
        raise CheckFailedError(f"a test ran with the role {ADMIN_ROLE}; they must run as tenants")
    if not all(list(value.items()) for value in _recorded(bundle, "tokens")):
        raise UnknownError("a start of the run records no token of a test")
    return f"the tests ran with {', '.join(roles)}"


def _retries(bundle: Bundle, most: int) -> str:
    recorded = bundle.retries
    used = max(recorded.used if recorded else 0, bundle.verdict.most_retries)
    if used > most:
        raise CheckFailedError(
            f"failed tests were run again {used} times, {most} are allowed (--max-retries)"
        )
    if recorded is None:
        raise UnknownError("the bundle records no start of a run")
    return f"failed tests were run again {used} times, {most} are allowed"


def _mode(bundle: Bundle) -> str:
    if bundle.plan is None:
        raise UnknownError("the bundle was made from a stream alone")
    if bundle.plan.quick:
        raise CheckFailedError("it is a quick look: only some of the tests ran")
    return "all required tests were to run"


GENUINE: Checks = {"packages": _packages, "names": _names}


def checks(guideline: Guideline | None, max_retries: int | None) -> Checks:
    """Return the checks of what a certification requires.

    :param guideline: one that is trusted though it is not shipped with this release
    :param max_retries: how often failed tests may be run again; None for the usual number
    """
    most = RETRY_BUDGET if max_retries is None else max_retries
    return {
        "guideline": functools.partial(_guideline, trusted=guideline),
        "roles": _roles,
        "retries": functools.partial(_retries, most=most),
        "mode": _mode,
    }
