"""The outcomes of a result as they are stored: compressed, in the order they came."""

import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

_QUICK = 1


@dataclass(frozen=True)
class Entry:
    """A test by its name, its idempotent id ("" where none was given), and what it came to."""

    name: str
    uuid: str
    outcome: str


def pack(entries: Sequence[Entry]) -> bytes:
    rows = [[each.name, each.uuid, each.outcome] for each in entries]
    return zlib.compress(json.dumps(rows, ensure_ascii=False).encode(), _QUICK)


def unpack(packed: bytes) -> tuple[Entry, ...]:
    return tuple(Entry(*row) for row in json.loads(zlib.decompress(packed)))
