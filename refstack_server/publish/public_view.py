"""The public part of a verdict: outcomes and reasons without URLs, hosts and ids of the cloud.

Reasons quote the cloud's answers, which name URLs, IP addresses, hosts and resources. Only the
owner and the certifier see them in full.
"""

import re
from collections.abc import Iterable
from dataclasses import replace

from refstack_client.report.groups import RESOURCE_ID
from scoring.conformance.outcomes import Cause
from scoring.conformance.verdict import TestVerdict, Verdict

# Each takes time in proportion to the text: where a match may begin with any number of characters,
# it begins at the first of them and does not backtrack (``++``).
_PRIVATE = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"(?<![a-z0-9+.-])[a-z0-9+.-]++://[^\s'\"<>)\]}]+",  # a URL
        r"(?<=host=)(['\"]).*?\1",  # as requests names a host that it cannot reach
        r"\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+|/\d+)?\b",  # IPv4
        r"(?<![\w:])(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{1,4}(?:/\d+)?(?![\w:])",  # IPv6
        r"(?<![\w.-])(?=[\w.-]*[a-z])[\w.-]++:\d{2,5}\b",  # a host and its port
        r"(?<![\w.+-])[\w.+-]++@[\w-]+(?:\.[\w-]+)+\b",  # an email address
        RESOURCE_ID,
    )
)


def text(reason: str) -> str:
    """Return a reason with ``…`` in place of every URL, IP address, host and id."""
    spans = sorted(match.span() for pattern in _PRIVATE for match in pattern.finditer(reason))
    shown, end = [], 0
    for start, stop in spans:
        if start >= end:
            shown += [reason[end:start], "…"]
        end = max(end, stop)
    return "".join((*shown, reason[end:]))


def verdict(whole: Verdict) -> Verdict:
    """Return the public part of a verdict."""
    return replace(
        whole,
        required=_tests(whole.required),
        capabilities=tuple(
            replace(capability, tests=_tests(capability.tests)) for capability in whole.capabilities
        ),
        bases=tuple(verdict(base) for base in whole.bases),
    )


def _tests(tests: Iterable[TestVerdict]) -> tuple[TestVerdict, ...]:
    return tuple(
        replace(test, reason=text(test.reason), cause=_cause(test.cause)) for test in tests
    )


def _cause(cause: Cause | None) -> Cause | None:
    if cause is None or cause.call is None:
        return cause
    return replace(cause, call=replace(cause.call, path=text(cause.call.path), request_id=""))
