"""What a sandbox can be made to suffer: a long way to it, services that are broken."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from refstack_client.errors import UsageError

HOWS = {
    "down": "connections are refused",
    "errors": "every request is answered with 500",
    "slow": "every answer takes 5 s longer",
    "wrong-body": "every answer is JSON of another kind",
    "no-extensions": "its extensions are not listed",
}
"""By name, how a service can be broken; lists of versions are answered as ever."""
DEFAULT_HOW = "down"


@dataclass(frozen=True)
class Trouble:
    """``latency`` seconds are added to each answer; ``broken`` says of services how they are."""

    latency: float = 0.0
    broken: Mapping[str, str] = field(default_factory=dict)


def parse(latency: str | None, broken: Iterable[str], services: Iterable[str]) -> Trouble | None:
    """Read ``--latency 100ms`` and ``--break SERVICE[:HOW]``; None where neither is given.

    :param services: those the sandbox has
    :raises UsageError: there is no such service or way, or that is no time
    """
    ways = {}
    known = tuple(services)
    for each in broken:
        name, _, how = each.partition(":")
        if name not in known:
            raise UsageError(
                f"--break {each}: this sandbox has no {name}", hint=f"it has {', '.join(known)}"
            )
        if (how or DEFAULT_HOW) not in HOWS:
            raise UsageError(
                f"--break {each}: there is no way {how}",
                hint="; ".join(f"{way}: {what}" for way, what in HOWS.items()),
            )
        ways[name] = how or DEFAULT_HOW
    if latency is None and not ways:
        return None
    return Trouble(_seconds(latency or "0"), ways)


def _seconds(text: str) -> float:
    number, unit = (text.removesuffix("ms"), 1000) if text.endswith("ms") else (text, 1)
    try:
        seconds = float(number.removesuffix("s")) / unit
    except ValueError:
        seconds = -1
    if not 0 <= seconds <= 60:
        raise UsageError(f"--latency {text}: no time up to 60 s", hint="for example 100ms or 0.1s")
    return seconds
