"""The database: SQLite in one directory, or PostgreSQL by its URL; its schema is Alembic's."""

from pathlib import Path

import alembic.command
import alembic.config
import sqlalchemy as sa
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.engine import make_url

from refstack_client.errors import InputError, MachineError

MIGRATIONS = Path(__file__).parent / "migrations"
_EXAMPLE = "postgresql://user@host/name, or none for SQLite in the data directory"
_SECONDS_TO_WAIT = 20
"""How long somebody waits for others to have written."""


def with_password(url: str, password: str) -> str:
    """Return the URL of a database with the password of its user.

    :raises InputError: it is none, or holds one already, which everybody on the machine could read
    """
    parsed = _parsed(url)
    if parsed.password is not None:
        raise InputError(
            "a password in the database's URL is for all to see",
            hint="put it into a file and name that with --database-password",
        )
    return parsed.set(password=password or None).render_as_string(hide_password=False)


def _parsed(url: str) -> sa.URL:
    try:
        return make_url(url)
    except sa.exc.ArgumentError as error:
        raise InputError("the database's URL is none", hint=_EXAMPLE) from error


def connect(url: str) -> sa.Engine:
    """Return an engine, for SQLite one to read with.

    :raises InputError: the URL names no database that can be used
    """
    parsed = _parsed(url)
    try:
        if parsed.get_backend_name() == "postgresql":
            return sa.create_engine(parsed.set(drivername="postgresql+psycopg"), pool_pre_ping=True)
        return _sqlite(parsed, "BEGIN")
    except (sa.exc.ArgumentError, ModuleNotFoundError) as error:
        raise InputError(f"the database's URL cannot be used: {error}", hint=_EXAMPLE) from error


def writer(engine: sa.Engine) -> sa.Engine:
    """Return an engine to write with.

    SQLite has one writer at a time, and lets who finds another sleep and try again, some much
    longer than others. Here they share one connection, and get it in turn.
    """
    if engine.dialect.name != "sqlite":
        return engine
    one = {"pool_size": 1, "max_overflow": 0, "pool_timeout": _SECONDS_TO_WAIT}
    return _sqlite(engine.url, "BEGIN IMMEDIATE", **one)


def _sqlite(url: sa.URL, begin: str, **pool: int) -> sa.Engine:
    engine = sa.create_engine(url, connect_args={"timeout": _SECONDS_TO_WAIT}, **pool)
    sa.event.listen(engine, "connect", _set_up_sqlite)
    # The driver begins transactions late, so that two could read before either writes.
    sa.event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(begin))
    return engine


def _set_up_sqlite(connection, _record) -> None:
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


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
    if is_empty(engine):
        raise InputError(
            "the database has nothing of a server in it", hint="name a server's with --data"
        )
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
    return ScriptDirectory(str(MIGRATIONS))


def _config(connection: sa.Connection) -> alembic.config.Config:
    config = alembic.config.Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    return config
