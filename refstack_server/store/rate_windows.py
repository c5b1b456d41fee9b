"""Counts of requests: in memory, or in a PostgreSQL database for all processes over it."""

import hashlib
import time
from typing import NamedTuple

import sqlalchemy as sa
from limits.storage import MemoryStorage
from sqlalchemy.dialects.postgresql import insert

from refstack_server.store.schema import RateWindow


class Window(NamedTuple):
    """The number of requests of a key, and when it starts anew, in seconds of the epoch."""

    number: int
    ends_at: float


class MemoryWindows:
    """Counts of one process."""

    def __init__(self) -> None:
        self._storage = MemoryStorage()

    def hit(self, key: str, seconds: int) -> Window:
        """Add one to the count of a key, which starts anew after ``seconds``; return it."""
        number = self._storage.incr(key, seconds)
        return Window(number, self._storage.get_expiry(key))


class DatabaseWindows:
    """Counts of all processes over a database.

    A key contains an IP address or a user; the database has only its SHA-256.
    """

    def __init__(self, engine: sa.Engine):
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")
        with self._engine.connect() as connection:
            connection.execute(sa.delete(RateWindow).where(RateWindow.expires_at <= time.time()))

    def hit(self, key: str, seconds: int) -> Window:
        """As :meth:`MemoryWindows.hit`, in one query."""
        now = time.time()
        new = insert(RateWindow).values(key=_digest(key), number=1, expires_at=now + seconds)
        is_over = RateWindow.expires_at <= now
        counting = new.on_conflict_do_update(
            index_elements=[RateWindow.key],
            set_={
                "number": sa.case((is_over, 1), else_=RateWindow.number + 1),
                "expires_at": sa.case((is_over, now + seconds), else_=RateWindow.expires_at),
            },
        ).returning(RateWindow.number, RateWindow.expires_at)
        with self._engine.connect() as connection:
            return Window(*connection.execute(counting).one())


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
