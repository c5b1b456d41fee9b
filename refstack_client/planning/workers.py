"""How many test classes run at a time: enough to keep this machine busy while others wait."""

import os
from dataclasses import dataclass, replace

MOST = 12
_SECONDS_BUSY = 0.02
"""Processor time of a worker for one request; for the rest of the time it waits for the response"""


@dataclass(frozen=True)
class Workers:
    """How many test classes run at a time.

    :param count: their number
    :param why: the reason for the number; "" if the user chose it
    :param latency: API round-trip time of the cloud in seconds; 0 if it is not known
    """

    count: int
    why: str = ""
    latency: float = 0.0


def choose(latency: float | None, requested: Workers | None = None) -> Workers:
    """Return how many workers suit this machine and the latency of the cloud.

    A processor serves one worker that computes and others that wait meanwhile. The response time of
    the cloud itself does not count: more workers would make a slow cloud slower.

    :param latency: API round-trip time in seconds; None if no cloud is named
    :param requested: the user's choice, to which only the latency is added
    """
    processors = os.cpu_count() or 1
    machine = f"{processors} processor{'s' if processors > 1 else ''}"
    if latency is None:
        return requested or Workers(min(MOST, processors), machine)
    if requested:
        return replace(requested, latency=latency)
    count = max(1, min(MOST, round(processors * (1 + latency / _SECONDS_BUSY))))
    return Workers(count, f"{machine}, API round-trip time {latency * 1000:.0f} ms", latency)
