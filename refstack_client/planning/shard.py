"""A certification in parts that run apart from each other, each with tests of its own."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from capabilities import tempest_id
from capabilities.tempest_id import class_of
from refstack_client.errors import UsageError
from refstack_client.planning import durations

_FORM = re.compile(r"(?P<number>\d+)/(?P<count>\d+)")


@dataclass(frozen=True)
class Shard:
    """Part ``number`` of ``count``, counted from 1; its text is ``2/4``."""

    number: int
    count: int

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"


def parse(text: str) -> Shard:
    """Read ``2/4``.

    :raises UsageError: it has another form, or there is no such part
    """
    match = _FORM.fullmatch(text)
    found = Shard(int(match["number"]), int(match["count"])) if match else None
    if not found or not 1 <= found.number <= found.count:
        raise UsageError(f"--shard {text}: expected I/N", hint="for example 2/4: the second of 4")
    return found


def choose(load_list: Iterable[str], shard: Shard) -> tuple[str, ...]:
    """Return what of ``load_list`` a part runs.

    Classes stay whole, so that each is set up once; the parts take about as long as each other. It
    depends on ``load_list`` and on nothing else, so parts that are made apart from each other
    neither overlap nor leave anything out.
    """
    classes = {full: _class_of(full) for full in load_list}
    names = (test.name if (test := tempest_id.parse(full)) else full for full in classes)
    part, _ = durations.spread(durations.by_class(names), shard.count)
    return tuple(full for full, name in classes.items() if part[name] == shard.number - 1)


def _class_of(full: str) -> str:
    test = tempest_id.parse(full)
    return class_of(test.name if test else full)
