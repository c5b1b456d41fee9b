"""The database: SQLite in one directory, or PostgreSQL by its URL; its schema is Alembic's."""

from pathlib import Path

import alembic.command
import alembic.config
import sqlalchemy as sa
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.engine import make_url

from refstack_client.errors import InputError, MachineError

MIGRATIONS = Path(__file__).parents[1] / "migrations"
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


def opened(url: str, *, begins: bool) -> sa.Engine:
    """Return an engine over a schema that this release works with.

    :param begins: an empty database gets one; else it is none of a server's
    :raises InputError: the schema is older or newer, or there is none
    """
    engine = connect(url)
    current = _current(engine)
    if current is None and begins:
        upgrade(engine)
        return engine
    if current is None:
        raise InputError(
            "the database has nothing of a server in it", hint="name a server's with --data"
        )
    _check_not_newer(current)
    if current != _scripts().get_current_head():
        raise InputError(
            "the database is older than this release",
            hint="make a copy of it, then run: refstack-client server upgrade",
        )
    return engine


def upgrade(engine: sa.Engine) -> None:
    """Bring the schema to the newest this release knows; what is stored stays.

    :raises InputError: it is newer
    """
    _check_not_newer(_current(engine))
    with engine.connect() as connection:
        alembic.command.upgrade(_config(connection), "head")
        connection.commit()


def _check_not_newer(current: str | None) -> None:
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


def _scripts() -> ScriptDirectory:
    return ScriptDirectory(str(MIGRATIONS))


def _config(connection: sa.Connection) -> alembic.config.Config:
    config = alembic.config.Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    return config
