"""The database: SQLite in one directory, or PostgreSQL by its URL; its schema is Alembic's."""

import logging
from pathlib import Path

import alembic.command
import alembic.config
import sqlalchemy as sa
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.engine import make_url

from refstack_client.errors import InputError, MachineError

# It tells of itself whenever it looks.
logging.getLogger("alembic").setLevel(logging.WARNING)
_MIGRATIONS = Path(__file__).parent / "migrations"
_SECONDS_TO_WAIT = 20
"""SQLite has one writer at a time; the others wait."""


def connect(url: str) -> sa.Engine:
    """Return an engine.

    :raises InputError: the URL names no database that can be used
    """
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() == "postgresql":
            return sa.create_engine(parsed.set(drivername="postgresql+psycopg"), pool_pre_ping=True)
        engine = sa.create_engine(parsed, connect_args={"timeout": _SECONDS_TO_WAIT})
    except (sa.exc.ArgumentError, sa.exc.NoSuchModuleError, ModuleNotFoundError) as error:
        raise InputError(
            f"the database's URL cannot be used: {error}",
            hint="postgresql://user@host/name, or none for SQLite in the data directory",
        ) from error
    sa.event.listen(engine, "connect", _set_up_sqlite)
    sa.event.listen(engine, "begin", _begin_sqlite)
    return engine


def _set_up_sqlite(connection, _record) -> None:
    # The driver begins transactions late, so that two could read before either writes.
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: sa.Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def upgrade(engine: sa.Engine) -> None:
    """Bring the schema to the newest this release knows; what is stored stays."""
    check_not_newer(engine)
    with engine.connect() as connection:
        alembic.command.upgrade(_config(connection), "head")
        connection.commit()


def is_empty(engine: sa.Engine) -> bool:
    """Return whether nothing was ever stored."""
    return _current(engine) is None


def check(engine: sa.Engine) -> None:
    """Check that the schema is the one this release works with.

    :raises InputError: it is older, newer, or there is none
    """
    check_not_newer(engine)
    if _current(engine) != _head():
        raise InputError(
            "the database is older than this release",
            hint="make a copy of it, then run: refstack-client server upgrade",
        )


def check_not_newer(engine: sa.Engine) -> None:
    current = _current(engine)
    known = {each.revision for each in _scripts().walk_revisions()}
    if current and current not in known:
        raise InputError(
            f"the database is of a newer release than this one (its schema is {current})",
            hint="install that release; an older one could not read what is stored",
        )


def _current(engine: sa.Engine) -> str | None:
    try:
        with engine.connect() as connection:
            return MigrationContext.configure(connection).get_current_revision()
    except sa.exc.OperationalError as error:
        raise MachineError(
            f"the database cannot be reached: {error.orig}", hint="check its URL, and that it runs"
        ) from error


def _head() -> str | None:
    return _scripts().get_current_head()


def _scripts() -> ScriptDirectory:
    return ScriptDirectory(str(_MIGRATIONS))


def _config(connection: sa.Connection) -> alembic.config.Config:
    config = alembic.config.Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.attributes["connection"] = connection
    return config
