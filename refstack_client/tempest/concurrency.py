"""How many test classes run at a time: as many as keep this machine busy while others wait."""

import os
import statistics
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import keystoneauth1.exceptions

if TYPE_CHECKING:  # it takes long to import, and who only judges has no cloud
    from openstack.connection import Connection

MOST = 12
_SECONDS_BUSY = 0.02
"""What a worker itself does for one request; the rest of its time it waits for the answer."""
_LOOKS = 3


@dataclass(frozen=True)
class Workers:
    """A number, what it is so for, and how many seconds an answer of the cloud is away."""

    count: int
    why: str = ""
    away: float = 0.0


def choose(connection: "Connection | None", given: Workers | None = None) -> Workers:
    """Return how many workers suit this machine and the way to the cloud, unless it is given.

    A processor can serve one worker that computes and others that wait meanwhile. A cloud's own
    slowness does not count, for more workers would make it slower: the list of Keystone's
    versions is asked for, which costs it nothing.
    """
    processors = os.cpu_count() or 1
    there = f"{processors} processor{'s' if processors > 1 else ''}"
    if connection is None:
        return given or Workers(min(MOST, processors), there)
    away = _seconds_away(connection)
    if given:
        return replace(given, away=away)
    count = max(1, min(MOST, round(processors * (1 + away / _SECONDS_BUSY))))
    return Workers(count, f"{there}, the cloud is {away * 1000:.0f} ms away", away)


def _seconds_away(connection: "Connection") -> float:
    url = connection.config.get_auth_args()["auth_url"]
    took = []
    for _ in range(_LOOKS):
        began = time.monotonic()
        try:
            connection.session.get(url, authenticated=False, raise_exc=False)
        except keystoneauth1.exceptions.ClientException:
            return 0.0
        took.append(time.monotonic() - began)
    return statistics.median(took)
