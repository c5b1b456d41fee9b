"""Whether the tests of the guideline ran, and as a certification requires."""

import functools

from capabilities import catalogue
from capabilities.guideline import Guideline
from capabilities.matching import MatchKind
from refstack_client.bundle.checks import CheckFailedError, Checks, UnknownError
from refstack_client.bundle.contents import Bundle
from refstack_client.outcomes.cloud_facts import ADMIN_ROLE
from refstack_client.outcomes.run_directory import RETRY_BUDGET

_NAMES = 3
"""Of renamed tests, in a sentence."""


def _names(bundle: Bundle) -> str:
    """Name the tests that ran under another name; the code that ran is in no bundle."""
    code = "a bundle does not show which code ran under these names"
    if bundle.plan is None:
        raise UnknownError(f"the bundle was made from a stream alone; {code}")
    wanted = bundle.plan.tests
    renamed = [test for test in wanted if test.match == MatchKind.RENAMED]
    if not renamed:
        raise UnknownError(f"all tests have the names of the guideline; {code}")
    names = ", ".join(f"{test.name} as {', '.join(test.found)}" for test in renamed[:_NAMES])
    more = f" and {len(renamed) - _NAMES} more" if len(renamed) > _NAMES else ""
    found = f"{len(renamed)} of {len(wanted)} tests ran under another name: {names}{more}"
    if len(renamed) == len(wanted):
        raise CheckFailedError(f"{found}; no test has the name of the guideline")
    raise UnknownError(f"{found}; {code}")


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


GENUINE: Checks = {"names": _names}


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
