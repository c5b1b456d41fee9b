"""What everybody may know of a result: verdict and reasons, nothing of where the cloud is.

Reasons quote what a test met: addresses, names of hosts, ids of resources. They stay with the owner
and the certifier.
"""

import re
from collections.abc import Iterable
from dataclasses import replace

from refstack_client.report.groups import RESOURCE_ID
from scoring.conformance.outcomes import Cause
from scoring.conformance.verdict import TestVerdict, Verdict

# Each takes time in proportion to the text: where one may begin with any number of characters, it
# begins at the first of them and gives none back (``++``).
_PLACES = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"(?<![a-z0-9+.-])[a-z0-9+.-]++://[^\s'\"<>)\]}]+",  # a URL
        r"(?<=host=)(['\"]).*?\1",  # as requests tells of a host it cannot reach
        r"\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+|/\d+)?\b",  # IPv4
        r"(?<![\w:])(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{1,4}(?:/\d+)?(?![\w:])",  # IPv6
        r"(?<![\w.-])(?=[\w.-]*[a-z])[\w.-]++:\d{2,5}\b",  # a host and its port
        r"(?<![\w.+-])[\w.+-]++@[\w-]+(?:\.[\w-]+)+\b",  # an address of somebody
        RESOURCE_ID,
    )
)


def text(told: str) -> str:
    """Return ``told`` with ``…`` for every address, host and id."""
    spans = sorted(match.span() for place in _PLACES for match in place.finditer(told))
    shown, end = [], 0
    for start, stop in spans:
        if start >= end:
            shown += [told[end:start], "…"]
        end = max(end, stop)
    return "".join((*shown, told[end:]))


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
