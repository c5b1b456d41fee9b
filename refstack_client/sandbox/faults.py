"""The faults that a sandbox can be given: latency, and services that fail."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from refstack_client.errors import UsageError

MODES = {
    "down": "connections are refused",
    "errors": "every request is answered with 500",
    "slow": "every answer takes 5 s longer",
    "wrong-body": "every answer is JSON of another kind",
    "no-extensions": "its extensions are not listed",
}
"""The fault modes by name. Lists of versions are answered as usual, except with "down"."""
DEFAULT_MODE = "down"
MAX_LATENCY = 60
"""Seconds."""


@dataclass(frozen=True)
class Faults:
    """Seconds of latency added to each answer to a client, and the fault mode by service."""

    latency: float = 0.0
    modes: Mapping[str, str] = field(default_factory=dict)


def parse(latency: str | None, breaks: Iterable[str], services: Iterable[str]) -> Faults | None:
    """Parse ``--latency 100ms`` and ``--break SERVICE[:MODE]``; None where neither is given.

    :param services: those of the sandbox
    :raises UsageError: there is no such service or mode, or the latency is not a valid time
    """
    modes = {}
    known = tuple(services)
    for text in breaks:
        service, _, mode = text.partition(":")
        if service not in known:
            raise UsageError(
                f"--break {text}: this sandbox has no service {service}",
                hint=f"choose from {', '.join(known)}",
            )
        if (mode or DEFAULT_MODE) not in MODES:
            raise UsageError(
                f"--break {text}: there is no fault mode {mode}",
                hint="; ".join(f"{name}: {effect}" for name, effect in MODES.items()),
            )
        modes[service] = mode or DEFAULT_MODE
    if latency is None and not modes:
        return None
    return Faults(0.0 if latency is None else _seconds(latency), modes)


def _seconds(text: str) -> float:
    number, unit = (text.removesuffix("ms"), 1000) if text.endswith("ms") else (text, 1)
    try:
        seconds = float(number.removesuffix("s")) / unit
    except ValueError:
        seconds = -1
    if not 0 <= seconds <= MAX_LATENCY:
        raise UsageError(
            f"--latency {text}: not a valid time from 0 to {MAX_LATENCY} s",
            hint="for example 100ms or 0.1s",
        )
    return seconds
