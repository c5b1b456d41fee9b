"""One test for each capability: a first look at a cloud, which certifies nothing."""

from collections.abc import Iterable, Sequence

from capabilities.tempest_id import TestId
from refstack_client.planning import durations


def choose(candidates: Iterable[Sequence[TestId]]) -> tuple[str, ...]:
    """Return full ids of tests such that each capability has one.

    Of the tests of a capability the one is taken that takes least time; that of a class which is
    set up anyway takes less. Capabilities with little choice choose first.

    :param candidates: the tests of each capability
    """
    chosen: dict[str, TestId] = {}
    for tests in sorted(filter(None, candidates), key=len):
        if not any(test.full in chosen for test in tests):
            before = [each.name for each in chosen.values()]
            best = min(tests, key=lambda test: (_seconds([*before, test.name]), test.full))
            chosen[best.full] = best
    return tuple(chosen)


def _seconds(names: Sequence[str]) -> float:
    return sum(durations.by_test(names).values())
