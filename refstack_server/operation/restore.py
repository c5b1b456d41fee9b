"""Restore a backup into a new data directory and an empty database, of any supported kind.

Nothing that exists is changed: after a failure, the directory and the database are empty again.
"""

import contextlib
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import sqlalchemy as sa

from refstack_client.errors import InputError, MachineError
from refstack_server.operation import archive, rows
from refstack_server.operation.archive import Member
from refstack_server.operation.backup import MANIFEST, ROWS, SECRET, UPLOAD, Content, Manifest
from refstack_server.settings import DATABASE, SECRETS, Settings
from refstack_server.store import blobs, database

_UNFINISHED = f"restoring-{DATABASE}"
"""The name of a SQLite database until all is restored."""
_MOST_OF_ROWS = 512 * 1024 * 1024
_MOST_OF_MANIFEST = 64 * 1024
_MEMBER = re.compile(
    rf"{ROWS}/(?P<{ROWS}>\w+)/\d{{6}}\.jsonl"
    rf"|{SECRET}/(?P<{SECRET}>{'|'.join(SECRETS)})"
    rf"|{UPLOAD}/(?P<{UPLOAD}>[0-9a-f]{{64}})"
)


def read(settings: Settings, path: Path) -> Content:
    """Restore a backup; return what it contained.

    :raises InputError: the file is not a backup, is damaged or of a newer release; or the data
        directory or the database is not empty
    """
    with path.open("rb") as file, _new_directory(settings.data):
        is_sqlite = not settings.database
        unfinished = f"sqlite:///{(settings.data / _UNFINISHED).resolve()}"
        engine = database.open_empty(unfinished if is_sqlite else settings.database)
        try:
            with engine.begin() as connection:
                content = _restore(settings.data, path, archive.read(path, file), connection)
                os.sync()
        except sa.exc.OperationalError as error:
            raise MachineError(
                f"cannot write to the database: {error.orig}",
                hint="check that it is running, and the space on the disk",
            ) from error
        finally:
            engine.dispose()
        if is_sqlite:
            (settings.data / _UNFINISHED).rename(settings.data / DATABASE)
    return content


@contextlib.contextmanager
def _new_directory(data: Path) -> Iterator[None]:
    """Create a directory, unless it exists and is empty; leave it as it was after an error."""
    is_new = not data.exists()
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    if entry := next(data.iterdir(), None):
        raise InputError(
            f"{data} is not empty: it has {entry.name}", hint="name a new directory with --data"
        )
    try:
        yield
    except BaseException:
        for entry in data.iterdir():
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
        if is_new:
            data.rmdir()
        raise


def _restore(
    data: Path, path: Path, members: Iterator[Member], connection: sa.Connection
) -> Content:
    database.upgrade_to(connection, _manifest(path, next(members, None)).revision)
    tables = {table.name: table for table in rows.tables(connection)}
    rows.clear(connection, tables.values())
    content = Content(0, 0, ())
    for member in members:
        match = _MEMBER.fullmatch(member.name)
        kind = match.lastgroup if match else None
        name = match[kind] if match and kind else ""
        if kind == ROWS and name in tables:
            number = _add_rows(connection, tables[name], member)
            content = replace(content, rows=content.rows + number)
        elif kind == SECRET:
            _add_file(data / name, member)
        elif kind == UPLOAD:
            _add_upload(data, name, member)
            content = replace(content, uploads=content.uploads + 1)
        else:
            raise _damaged(f"{member.name!r} does not belong there")
    database.upgrade_to(connection)
    rows.continue_sequences(connection, rows.tables(connection))
    return content


def _manifest(path: Path, member: Member | None) -> Manifest:
    """Return the manifest of a backup.

    :raises InputError: it is not valid, or of a newer release
    """
    try:
        if member is None or member.name != MANIFEST:
            raise ValueError("its first member is another file")
        manifest = Manifest.model_validate_json(member.read(_MOST_OF_MANIFEST))
    except ValueError as error:
        raise InputError(
            f"{path} is not a backup that this release can read",
            hint="name a file that refstack-client server backup wrote",
        ) from error
    try:
        database.check_known(manifest.revision)
    except InputError as error:
        raise InputError(
            f"{path} is newer than this release: its schema is {manifest.revision}",
            hint=f"install refstack-client {manifest.release}, which wrote it, or a later release",
        ) from error
    return manifest


def _damaged(why: str) -> InputError:
    return InputError(f"the backup is damaged: {why}", hint="use another copy of the backup")


def _add_rows(connection: sa.Connection, table: sa.Table, member: Member) -> int:
    try:
        return rows.load(connection, table, member.read(_MOST_OF_ROWS).splitlines())
    except sa.exc.OperationalError:
        raise
    except (sa.exc.SQLAlchemyError, ValueError, OverflowError, RecursionError) as error:
        # The message of SQLAlchemy has all values, secret ones too.
        why = getattr(error, "orig", None) or (str(error) if type(error) is ValueError else "")
        raise _damaged(f"{member.name} does not fit the table. {why}".strip()) from error


def _add_upload(data: Path, sha256: str, member: Member) -> None:
    _add_file(blobs.path_of(data, sha256), member)
    if member.content.drain() != sha256:
        raise _damaged(f"the content of the upload {sha256} has changed")


def _add_file(path: Path, member: Member) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        with open(path, "xb", opener=_private) as file:
            shutil.copyfileobj(member.content, file)
    except FileExistsError as error:
        raise _damaged(f"{member.name} occurs twice") from error


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
