"""Whether the tests of the guideline ran, and as a certification requires."""

import functools
import json
from importlib import resources

from capabilities import catalogue
from capabilities.guideline import Guideline
from capabilities.matching import MatchKind
from refstack_client.bundle.checks import CheckFailedError, Checks, UnknownError
from refstack_client.bundle.contents import Bundle
from refstack_client.outcomes.cloud_facts import ADMIN_ROLE
from refstack_client.outcomes.run_directory import RETRY_BUDGET

_PUBLISHED = resources.files("refstack_client") / "data" / "known_packages.json"
"""SHA-256 of the source of published packages, by name and version (tools/known_packages.py)."""
_NAMES = 3
"""Of renamed tests, in a sentence."""


def _packages(bundle: Bundle) -> str:
    """Compare the source of Tempest and its plugins with that of the published releases."""
    recorded = bundle.manifest.packages
    if bundle.plan is None or not recorded:
        raise UnknownError("the bundle does not record the source of Tempest")
    published = json.loads(_PUBLISHED.read_text(encoding="utf-8"))
    unknown = []
    for name, version in bundle.plan.basis.versions.items():
        due = published.get(name, {}).get(version)
        digests = {packages.get(name) or "" for packages in recorded}
        if due and digests - {due, ""}:
            raise CheckFailedError(f"the source of {name} was not that of the release {version}")
        if not due or "" in digests:
            unknown.append(f"{name} {version}")
    if unknown:
        raise UnknownError(f"no known release is recorded for {', '.join(unknown)}")
    releases = (f"{name} {version}" for name, version in bundle.plan.basis.versions.items())
    return f"the source was that of {', '.join(releases)}, as the bundle records it"


def _names(bundle: Bundle) -> str:
    """Name the tests that ran under another name than in the guideline."""
    if bundle.plan is None:
        raise UnknownError("the bundle was made from a stream alone")
    wanted = bundle.plan.tests
    renamed = [test for test in wanted if test.match == MatchKind.RENAMED]
    if not renamed:
        return "all tests have the names of the guideline"
    names = ", ".join(f"{test.name} as {', '.join(test.found)}" for test in renamed[:_NAMES])
    more = f" and {len(renamed) - _NAMES} more" if len(renamed) > _NAMES else ""
    found = f"{len(renamed)} of {len(wanted)} tests ran under another name: {names}{more}"
    if len(renamed) == len(wanted):
        raise CheckFailedError(f"{found}; no test has the name of the guideline")
    raise UnknownError(found)


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
    if ADMIN_ROLE in roles:
        raise CheckFailedError(f"a test ran with the role {ADMIN_ROLE}; they must run as tenants")
    if not roles:
        raise UnknownError("the bundle records no token of a test")
    return f"the tests ran with {', '.join(roles)}"


def _retries(bundle: Bundle, most: int) -> str:
    retries = bundle.retries
    if retries is None:
        raise UnknownError("the bundle records no start of a run")
    used = max(retries.used, bundle.verdict.most_retries)
    if used > most:
        raise CheckFailedError(
            f"failed tests were run again {used} times, {most} are allowed (--max-retries)"
        )
    return f"failed tests were run again {used} times, {most} are allowed"


def _mode(bundle: Bundle) -> str:
    if bundle.plan and bundle.plan.quick:
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
