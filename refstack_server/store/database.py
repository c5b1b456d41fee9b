"""The database: SQLite in the data directory, or PostgreSQL by URL; Alembic manages the schema."""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import alembic.command
import alembic.config
import sqlalchemy as sa
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.engine import make_url

from refstack_client.errors import InputError, MachineError

MIGRATIONS = Path(__file__).parents[1] / "migrations"
_EXAMPLE = (
    "use postgresql://user@host/name, or leave --database out for SQLite in the data directory"
)
_SECONDS_TO_WAIT = 20
"""How long a writer waits for other writers."""
_FULL = ("SQLITE_FULL", "53100")
"""The errors of SQLite and PostgreSQL for a full disk."""


def with_password(url: str, password: str) -> str:
    """Return the URL of a database with the password of its user.

    :raises InputError: the URL is not valid, or contains a password, which all users of the
        machine could read in the list of processes
    """
    parsed = _parsed(url)
    if parsed.password is not None:
        raise InputError(
            "a password in the URL of the database is visible to other users of this machine",
            hint="put it into a file and name the file with --database-password",
        )
    return parsed.set(password=password or None).render_as_string(hide_password=False)


def _parsed(url: str) -> sa.URL:
    try:
        return make_url(url)
    except sa.exc.ArgumentError as error:
        raise InputError("the URL of the database is not valid", hint=_EXAMPLE) from error


def connect(url: str) -> sa.Engine:
    """Return an engine; for SQLite, one that only reads.

    :raises InputError: the URL does not name a supported database
    """
    parsed = _parsed(url)
    try:
        if parsed.get_backend_name() == "postgresql":
            return sa.create_engine(parsed.set(drivername="postgresql+psycopg"), pool_pre_ping=True)
        return _sqlite(parsed, "BEGIN")
    except (sa.exc.ArgumentError, ModuleNotFoundError) as error:
        raise InputError(f"cannot use the URL of the database: {error}", hint=_EXAMPLE) from error


def writer(engine: sa.Engine) -> sa.Engine:
    """Return an engine to write with.

    SQLite allows one writer at a time and has the others sleep and retry, some of them much longer
    than others. Here all writers share one connection and take turns.
    """
    if engine.dialect.name != "sqlite":
        return engine
    single = {"pool_size": 1, "max_overflow": 0, "pool_timeout": _SECONDS_TO_WAIT}
    return _sqlite(engine.url, "BEGIN IMMEDIATE", **single)


def _sqlite(url: sa.URL, begin: str, **pool: int) -> sa.Engine:
    engine = sa.create_engine(url, connect_args={"timeout": _SECONDS_TO_WAIT}, **pool)
    sa.event.listen(engine, "connect", _set_up_sqlite)
    # The driver begins transactions late, so that two could read before either writes.
    sa.event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(begin))
    return engine


def _set_up_sqlite(connection: sqlite3.Connection, _record: Any) -> None:
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def open_or_create(url: str) -> sa.Engine:
    """Return an engine over a database with the schema of this release; create an empty one's.

    :raises InputError: the schema is older or newer
    """
    engine = connect(url)
    current = _current(engine)
    if current is None:
        upgrade(engine)
    else:
        _check_current(current)
    return engine


def open_existing(url: str) -> sa.Engine:
    """Return an engine over a database with the schema of this release.

    :raises InputError: the schema is older or newer, or the database is empty
    """
    engine = connect(url)
    current = _current(engine)
    _check_current(_require_schema(current))
    return engine


def open_any(url: str) -> sa.Engine:
    """Return an engine over a database of this release or an earlier one.

    :raises InputError: the schema is newer, or the database is empty
    """
    engine = connect(url)
    _require_schema(_current(engine))
    return engine


def open_empty(url: str) -> sa.Engine:
    """Return an engine over a database without tables.

    :raises InputError: the database has tables
    """
    engine = connect(url)
    _current(engine)
    if sa.inspect(engine).get_table_names():
        raise InputError("the database is not empty", hint="create a new one, and name it")
    return engine


@contextlib.contextmanager
def snapshot(engine: sa.Engine) -> Iterator[sa.Connection]:
    """Yield a connection that reads one state of the database, whatever others write meanwhile."""
    if engine.dialect.name == "postgresql":
        engine = engine.execution_options(isolation_level="REPEATABLE READ")
    with engine.connect() as connection:
        yield connection


def _require_schema(current: str | None) -> str:
    if current is None:
        raise InputError(
            "the database does not belong to a server: it is empty",
            hint="name the data directory of a server with --data",
        )
    check_known(current)
    return current


def _check_current(current: str) -> None:
    check_known(current)
    if current != head():
        raise InputError(
            "the database is older than this release",
            hint="make a copy of it, then run: refstack-client server upgrade",
        )


def upgrade(engine: sa.Engine) -> None:
    """Upgrade the schema to that of this release; all data is kept.

    :raises InputError: the schema is newer
    """
    check_known(_current(engine))
    with engine.connect() as connection:
        alembic.command.upgrade(_config(connection), "head")
        connection.commit()


def upgrade_to(connection: sa.Connection, revision: str = "head") -> None:
    """Upgrade the schema in the transaction of the caller, who commits it."""
    alembic.command.upgrade(_config(connection), revision)


def revision(connection: sa.Connection) -> str:
    """Return the revision of the schema, "" for an empty database."""
    return MigrationContext.configure(connection).get_current_revision() or ""


def head() -> str:
    """Return the revision of the schema of this release."""
    return _scripts().get_current_head() or ""


def check_known(current: str | None) -> None:
    """Check that this release has the migrations up to a revision.

    :raises InputError: it is of a newer release
    """
    known = {script.revision for script in _scripts().walk_revisions()}
    if current and current not in known:
        raise InputError(
            f"the database is newer than this release: its schema is {current}",
            hint="install the release that wrote it; an older one cannot read it",
        )


def _current(engine: sa.Engine) -> str | None:
    try:
        with engine.connect() as connection:
            return revision(connection) or None
    except sa.exc.OperationalError as error:
        raise MachineError(
            f"cannot reach the database: {error.orig}",
            hint="check its URL, and that it is running",
        ) from error
    except sa.exc.DatabaseError as error:
        raise InputError(
            f"cannot read the database: {error.orig}", hint="restore a backup of the server"
        ) from error


def is_full(error: sa.exc.SQLAlchemyError) -> bool:
    """Return whether a statement failed because the disk of the database is full."""
    original = getattr(error, "orig", None)
    codes = (getattr(original, name, None) for name in ("sqlite_errorname", "sqlstate"))
    return any(code in _FULL for code in codes)


def _scripts() -> ScriptDirectory:
    return ScriptDirectory(str(MIGRATIONS))


def _config(connection: sa.Connection) -> alembic.config.Config:
    config = alembic.config.Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    return config
