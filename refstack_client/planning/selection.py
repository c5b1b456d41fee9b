"""Which tests of a plan run: one for each capability, or those of one shard."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from capabilities import tempest_id
from capabilities.tempest_id import TestId, class_of
from refstack_client.errors import UsageError
from refstack_client.planning import durations

_FORM = re.compile(r"(?P<number>\d+)/(?P<count>\d+)")


@dataclass(frozen=True)
class Shard:
    """Part ``number`` of ``count`` of a certification, counted from 1. As text it is ``2/4``."""

    number: int
    count: int

    def __str__(self) -> str:
        """Return the form that :func:`parse_shard` reads."""
        return f"{self.number}/{self.count}"


def parse_shard(text: str) -> Shard:
    """Read a shard of the form ``2/4``.

    :raises UsageError: the text has another form, or there is no such shard
    """
    match = _FORM.fullmatch(text)
    shard = Shard(int(match["number"]), int(match["count"])) if match else None
    if not shard or not 1 <= shard.number <= shard.count:
        raise UsageError(f"--shard {text}: expected I/N", hint="for example 2/4: the second of 4")
    return shard


def shard_tests(load_list: Iterable[str], shard: Shard) -> tuple[str, ...]:
    """Return the tests of ``load_list`` that a shard runs.

    Classes stay whole, so that each is set up once, and all shards take about the same time. The
    result depends on ``load_list`` only. Shards that are planned on different machines neither
    overlap nor leave a test out.
    """
    class_names = {full: _class_of(full) for full in load_list}
    names = (test.name if (test := tempest_id.parse(full)) else full for full in class_names)
    part, _ = durations.spread(durations.by_class(names), shard.count)
    return tuple(full for full, name in class_names.items() if part[name] == shard.number - 1)


def _class_of(full: str) -> str:
    test = tempest_id.parse(full)
    return class_of(test.name if test else full)


def quick_tests(candidates: Iterable[Sequence[TestId]]) -> tuple[str, ...]:
    """Return full ids of tests such that each capability has one.

    Of the tests of a capability the shortest is chosen; a test of a class that is set up anyway is
    shorter. Capabilities with few tests choose first.

    :param candidates: the tests of each capability
    """
    chosen: dict[str, TestId] = {}
    for tests in sorted(filter(None, candidates), key=len):
        if not any(test.full in chosen for test in tests):
            names = [test.name for test in chosen.values()]
            best = min(tests, key=lambda test: (_seconds([*names, test.name]), test.full))
            chosen[best.full] = best
    return tuple(chosen)


def _seconds(names: Sequence[str]) -> float:
    return sum(durations.by_test(names).values())
