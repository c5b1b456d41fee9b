"""Limits of requests per minute, for each IP address and each user.

Several processes over one PostgreSQL database count together. A user's requests count after the
token or the signature was checked, so that naming the key of another user takes nothing from them.
"""

import sqlalchemy as sa
from fastapi.concurrency import run_in_threadpool
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from refstack_server.settings import Settings
from refstack_server.store.rate_windows import DatabaseStorage
from refstack_server.web.errors import TooManyRequestsError

_READING = ("GET", "HEAD", "OPTIONS")


class RateLimits:
    """Counts the requests of clients."""

    def __init__(self, settings: Settings, engine: sa.Engine):
        self._limits = {
            "requests": settings.requests_per_minute,
            "uploads": settings.uploads_per_minute,
        }
        self._is_shared = engine.dialect.name == "postgresql"
        storage = DatabaseStorage(engine) if self._is_shared else MemoryStorage()
        self._counts = FixedWindowRateLimiter(storage)
        if self._is_shared:
            storage.reset()

    async def count(self, method: str, client: str) -> None:
        """Count a request of a client.

        :param method: the HTTP method
        :param client: an IP address, or the name of a user
        :raises TooManyRequestsError: the client sent as many in this minute as it may
        """
        kind = "requests" if method in _READING else "uploads"
        most = self._limits[kind]
        if not most:
            return
        limit = RateLimitItemPerMinute(most)
        try:
            if self._is_shared:
                is_allowed = await run_in_threadpool(self._counts.hit, limit, kind, client)
            else:
                is_allowed = self._counts.hit(limit, kind, client)
        except (sa.exc.OperationalError, sa.exc.TimeoutError):
            return  # What the request asks of the database reports that it does not answer.
        if not is_allowed:
            raise TooManyRequestsError("too many requests; try again in a minute")
