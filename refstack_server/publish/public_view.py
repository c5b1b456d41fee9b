"""The public part of a verdict: outcomes and reasons without what names parts of the cloud.

Reasons quote the cloud's responses, which name URLs, IP addresses, hosts, users and resources. Only
the owner and the certifier see them in full.
"""

from collections.abc import Iterable
from dataclasses import replace

from refstack_client.outcomes import public_text
from scoring.conformance.outcomes import Call, Cause, OtherFailure
from scoring.conformance.verdict import TestVerdict, Verdict


def verdict(whole: Verdict) -> Verdict:
    """Return the public part of a verdict."""
    return replace(
        whole,
        required=_tests(whole.required),
        capabilities=tuple(
            replace(capability, tests=_tests(capability.tests)) for capability in whole.capabilities
        ),
        damage=public_text.text(whole.damage),
        bases=tuple(verdict(base) for base in whole.bases),
        other_failures=tuple(
            OtherFailure(public_text.text(failure.name), public_text.text(failure.reason))
            for failure in whole.other_failures
        ),
    )


def _tests(tests: Iterable[TestVerdict]) -> tuple[TestVerdict, ...]:
    return tuple(map(_test, tests))


def _test(test: TestVerdict) -> TestVerdict:
    if not test.reason and test.cause is None:  # Most tests pass.
        return test
    return replace(test, reason=public_text.text(test.reason), cause=_cause(test.cause))


def _cause(cause: Cause | None) -> Cause | None:
    if cause is None or cause.call is None:
        return cause
    return replace(cause, call=_call(cause.call))


def _call(call: Call) -> Call:
    return Call(public_text.text(call.method), public_text.path(call.path), call.status)
