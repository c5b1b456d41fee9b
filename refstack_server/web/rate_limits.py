"""Limits of requests per minute, for each IP address and each user.

Several processes over one PostgreSQL database count together. A user's requests count after the
token or the signature was checked, so that naming the key of another user takes nothing from them.
"""

import math
import time
from collections.abc import MutableMapping
from typing import Any, NamedTuple

import sqlalchemy as sa
from fastapi.concurrency import run_in_threadpool

from refstack_server.settings import Settings
from refstack_server.store.rate_windows import DatabaseWindows, MemoryWindows
from refstack_server.web.errors import TooManyRequestsError

_READING = ("GET", "HEAD", "OPTIONS")
_SECONDS_OF_A_MINUTE = 60
_ALLOWANCE = "allowance"
"""The key of the strictest allowance that was counted, in the state of a request."""


class Allowance(NamedTuple):
    """The requests that a client may send in the current minute, and those that remain.

    ``reset`` is the number of seconds until the next minute begins.
    """

    remaining: int
    limit: int
    reset: int

    def headers(self) -> dict[str, str]:
        """Return the headers that report it."""
        return {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(self.remaining),
            "RateLimit-Reset": str(self.reset),
        }


def headers(scope: MutableMapping[str, Any]) -> dict[str, str]:
    """Return the headers that report the strictest limit that a request was counted for."""
    allowance = scope.get("state", {}).get(_ALLOWANCE)
    return allowance.headers() if allowance else {}


class RateLimits:
    """Counts the requests of clients."""

    def __init__(self, settings: Settings, engine: sa.Engine):
        self._limits = {
            "requests": settings.requests_per_minute,
            "uploads": settings.uploads_per_minute,
        }
        self._is_shared = engine.dialect.name == "postgresql"
        self._windows = DatabaseWindows(engine) if self._is_shared else MemoryWindows()

    async def count(self, scope: MutableMapping[str, Any], client: str) -> None:
        """Count a request of a client; :func:`headers` reports what remains.

        :param scope: the ASGI scope of the request
        :param client: an IP address, or the name of a user
        :raises TooManyRequestsError: the client sent as many in this minute as it may
        """
        kind = "requests" if scope["method"] in _READING else "uploads"
        if not self._limits[kind]:
            return
        try:
            if self._is_shared:
                is_allowed, allowance = await run_in_threadpool(self._hit, kind, client)
            else:
                is_allowed, allowance = self._hit(kind, client)
        except (sa.exc.OperationalError, sa.exc.TimeoutError):
            return  # What the request asks of the database reports that it does not answer.
        state = scope.setdefault("state", {})
        state[_ALLOWANCE] = min(allowance, state.get(_ALLOWANCE, allowance))
        if not is_allowed:
            raise TooManyRequestsError("too many requests; try again in a minute")

    def _hit(self, kind: str, client: str) -> tuple[bool, Allowance]:
        most = self._limits[kind]
        number, ends_at = self._windows.hit(f"{kind}/{client}", _SECONDS_OF_A_MINUTE)
        reset = max(0, math.ceil(ends_at - time.time()))
        return number <= most, Allowance(max(0, most - number), most, reset)
