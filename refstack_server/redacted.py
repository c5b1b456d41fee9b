"""What everybody may know of a result: verdict and reasons, nothing of where the cloud is.

Reasons quote what a test met: addresses, names of hosts, ids of resources. They stay with the owner
and the certifier.
"""

import re
from collections.abc import Iterable
from dataclasses import replace

from refstack_client.report import RESOURCE_ID
from scoring.outcome import Cause
from scoring.verdict import TestVerdict, Verdict

_PLACES = re.compile(
    "|".join(
        (
            r"[a-z][a-z0-9+.-]*://[^\s'\"<>)\]}]+",  # a URL
            r"(?<=host=)(['\"]).*?\1",  # as requests tells of a host it cannot reach
            r"\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+|/\d+)?\b",  # IPv4
            r"(?<![\w:])(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{1,4}(?:/\d+)?(?![\w:])",  # IPv6
            r"\b(?=[\w.-]*[a-z])[\w-]+(?:\.[\w-]+)*:\d{2,5}\b",  # a host and its port
            r"\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+\b",  # an address of somebody
            RESOURCE_ID,
        )
    ),
    re.IGNORECASE,
)


def text(told: str) -> str:
    """Return ``told`` with ``…`` for every address, host and id."""
    return _PLACES.sub("…", told)


def verdict(whole: Verdict) -> Verdict:
    """Return a verdict that tells nothing of where the cloud is."""
    return replace(
        whole,
        required=_tests(whole.required),
        capabilities=tuple(replace(each, tests=_tests(each.tests)) for each in whole.capabilities),
        bases=tuple(verdict(each) for each in whole.bases),
    )


def _tests(tests: Iterable[TestVerdict]) -> tuple[TestVerdict, ...]:
    return tuple(
        replace(each, reason=text(each.reason), cause=_cause(each.cause)) for each in tests
    )


def _cause(cause: Cause | None) -> Cause | None:
    if cause is None or cause.call is None:
        return cause
    return replace(cause, call=replace(cause.call, path=text(cause.call.path), request_id=""))
