"""Check the data of a server: schema, database, log, counts, uploads, permissions."""

import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.orm import Session

from refstack_server.settings import Settings
from refstack_server.store import audit_log, blobs, database
from refstack_server.store import results as stored_results
from refstack_server.store.audit_log import EntryDocument
from refstack_server.store.schema import AuditLogEntry, Count, Kind, Result

_ENTRIES_AT_A_TIME = 1000
_SHOWN = 3
_BACKUP = "restore a backup"
_OTHERS = 0o077
_Finding = tuple[bool, str, str]
"""Whether a check passed, what it found, and the remedy."""


@dataclass(frozen=True)
class Check:
    """A check, what it found, and what to do; ``remedy`` is "" if nothing is to be done."""

    name: str
    passed: bool
    found: str
    remedy: str = ""


@dataclass(frozen=True)
class _Data:
    """The data of a server: one state of the database, and the uploads before that."""

    directory: Path
    session: Session
    uploads: frozenset[str]


def run(settings: Settings) -> Iterator[Check]:
    """Yield the results of all checks of a server, which may be running.

    :raises InputError: the database is empty or of a newer release
    """
    engine = database.open_any(settings.database_url)
    uploads = frozenset(blobs.stored(settings.data))
    with database.snapshot(engine) as connection, Session(connection) as session:
        schema = _schema(database.revision(connection))
        yield schema
        data = _Data(settings.data, session, uploads)
        if engine.dialect.name == "sqlite":
            yield _result("database", _sqlite, data)
        if schema.passed:
            yield from (_result(name, check, data) for name, check in _CHECKS.items())
    engine.dispose()
    yield _permissions(settings.data)


def _result(name: str, check: Callable[[_Data], _Finding], data: _Data) -> Check:
    try:
        return Check(name, *check(data))
    except sa.exc.DatabaseError as error:
        return Check(name, False, f"cannot read the database: {error.orig}", _BACKUP)


def _schema(revision: str) -> Check:
    if revision == database.head():
        return Check("schema", True, "that of this release")
    found = f"{revision}, but that of this release is {database.head()}"
    return Check("schema", False, found, "refstack-client server upgrade")


def _sqlite(data: _Data) -> _Finding:
    session = data.session
    found = [str(row[0]) for row in session.execute(sa.text("PRAGMA integrity_check"))]
    found = [message for message in found if message != "ok"]
    for row in session.execute(sa.text("PRAGMA foreign_key_check")):
        found.append(f"{row[0]}, row {row[1]}: no row in {row[2]}")
    return not found, _some(found, "intact"), _BACKUP if found else ""


def _log(data: _Data) -> _Finding:
    number = data.session.scalar(sa.select(sa.func.count()).select_from(AuditLogEntry))
    is_intact = audit_log.is_intact(_entries(data.session))
    return is_intact, f"entries: {number}", "" if is_intact else _BACKUP


def _entries(session: Session) -> Iterator[EntryDocument]:
    last, is_more = 0, True
    while is_more:
        is_more = False
        for entry in audit_log.entries(session, last, _ENTRIES_AT_A_TIME):
            last, is_more = entry["number"], True
            yield entry


_COUNTED: dict[str, sa.Select[int]] = {
    stored_results.LISTED_RESULTS: sa.select(sa.func.count())
    .select_from(Result)
    .where(stored_results.LISTED),
    stored_results.UNOWNED_BYTES: sa.select(
        sa.func.coalesce(sa.func.sum(sa.func.length(Result.outcomes)), 0)
    ).where(Result.openid.is_(None)),
    audit_log.ENTRIES: sa.select(sa.func.count()).select_from(AuditLogEntry),
}
"""What the table of counts has, and how it is counted."""


def _counts(data: _Data) -> _Finding:
    stored = {count.what: count.number for count in data.session.scalars(sa.select(Count))}
    actual = {what: data.session.scalar(query) for what, query in _COUNTED.items()}
    wrong = [what for what in actual if stored.get(what) != actual[what]]
    found = ", ".join(f"{what}: {stored.get(what)}" for what in actual)
    remedy = "; ".join(
        f"UPDATE counts SET number = {actual[what]} WHERE what = '{what}'"  # noqa: S608
        for what in wrong
    )
    if wrong:
        found += "; counted: " + ", ".join(f"{what}: {actual[what]}" for what in wrong)
    return not wrong, found, remedy


def _uploads(data: _Data) -> _Finding:
    """Check that each bundle and stream is as it was uploaded."""
    uploaded = sa.select(Result.id, Result.sha256).where(Result.kind != Kind.PASSES)
    copies = sa.select(Result.id, Result.public_sha256).where(Result.public_sha256.is_not(None))
    query = sa.union_all(uploaded, copies)
    number, wrong = 0, []
    for result_id, sha256 in data.session.execute(query, execution_options={"yield_per": 1000}):
        number += 1
        if not sha256 or not blobs.is_whole(data.directory, sha256):
            state = "changed" if sha256 in data.uploads else "missing"
            wrong.append(f"result {result_id}: {sha256 or 'the SHA-256'} is {state}")
    found = _some(wrong, f"with their SHA-256: {number}")
    return not wrong, found, "copy the file from a backup" if wrong else ""


def _orphans(data: _Data) -> _Finding:
    """Report uploads without a result: of a removed one, or of an upload that has just begun."""
    query = sa.select(Result.sha256, Result.public_sha256)
    rows = data.session.execute(query, execution_options={"yield_per": 1000})
    orphans = sorted(data.uploads.difference(sha256 for row in rows for sha256 in row))
    return True, _some(orphans, "none"), ""


_CHECKS: dict[str, Callable[[_Data], _Finding]] = {
    "log": _log,
    "counts": _counts,
    "uploads": _uploads,
    "orphaned uploads": _orphans,
}


def _permissions(data: Path) -> Check:
    paths = [data, *data.rglob("*")]
    readable = [
        str(path)
        for path in paths
        if not path.is_symlink() and path.exists() and path.stat().st_mode & _OTHERS
    ]
    remedy = f"chmod -R go= {shlex.quote(str(data))}" if readable else ""
    found = _some(
        [f"{path} is open to others" for path in readable],
        f"private files and directories: {len(paths)}",
    )
    return Check("permissions", not readable, found, remedy)


def _some(found: list[str], otherwise: str) -> str:
    """Return the first findings, and the number of the others."""
    if not found:
        return otherwise
    more = [f"{len(found) - _SHOWN} more"] if len(found) > _SHOWN else []
    return ", ".join((*found[:_SHOWN], *more))
