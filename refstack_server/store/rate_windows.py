"""Counts of requests in a PostgreSQL database, for all processes that serve over it."""

import hashlib
import time

import sqlalchemy as sa
from limits.storage import Storage
from sqlalchemy.dialects.postgresql import insert

from refstack_server.store.schema import RateWindow

_FOREVER = 0.0


class DatabaseStorage(Storage):
    """A storage of the library ``limits``: for each key a count, and when it starts anew.

    A key contains an IP address or a user; the database has only its SHA-256.
    """

    STORAGE_SCHEME = None

    def __init__(self, engine: sa.Engine):
        super().__init__()
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")

    @property
    def base_exceptions(self) -> type[Exception]:
        """The errors of the database."""
        return sa.exc.SQLAlchemyError

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Add to the count of a key, which starts anew after ``expiry`` seconds; return it."""
        now = time.time()
        new = insert(RateWindow).values(key=_digest(key), number=amount, expires_at=now + expiry)
        is_over = RateWindow.expires_at <= now
        counting = new.on_conflict_do_update(
            index_elements=[RateWindow.key],
            set_={
                "number": sa.case((is_over, amount), else_=RateWindow.number + amount),
                "expires_at": sa.case((is_over, now + expiry), else_=RateWindow.expires_at),
            },
        ).returning(RateWindow.number)
        with self._engine.connect() as connection:
            return connection.scalars(counting).one()

    def get(self, key: str) -> int:
        """Return the count of a key."""
        query = sa.select(RateWindow.number).where(
            RateWindow.key == _digest(key), RateWindow.expires_at > time.time()
        )
        with self._engine.connect() as connection:
            return connection.scalar(query) or 0

    def get_expiry(self, key: str) -> float:
        """Return when the count of a key starts anew, in seconds of the epoch."""
        query = sa.select(RateWindow.expires_at).where(RateWindow.key == _digest(key))
        with self._engine.connect() as connection:
            return connection.scalar(query) or _FOREVER

    def check(self) -> bool:
        """Return whether the database answers."""
        with self._engine.connect() as connection:
            return connection.scalar(sa.select(1)) == 1

    def reset(self) -> int:
        """Remove counts that are over; return their number."""
        with self._engine.connect() as connection:
            over = sa.delete(RateWindow).where(RateWindow.expires_at <= time.time())
            return connection.execute(over).rowcount

    def clear(self, key: str) -> None:
        """Remove the count of a key."""
        with self._engine.connect() as connection:
            connection.execute(sa.delete(RateWindow).where(RateWindow.key == _digest(key)))


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
