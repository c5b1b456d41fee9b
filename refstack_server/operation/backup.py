"""Write everything that a server has into one file: rows, secrets, uploads.

The rows are of one state of the database. Uploads are copied afterwards: the server writes an
upload before its row and never changes it, so that each row has its upload.
"""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Literal

import pydantic
import sqlalchemy as sa

from refstack_client.files import new_private
from refstack_server.operation import rows
from refstack_server.operation.archive import Writer
from refstack_server.settings import SECRETS, Settings
from refstack_server.store import blobs, database
from refstack_server.store.schema import Result

MANIFEST, ROWS, SECRET, UPLOAD = "manifest.json", "rows", "secrets", "uploads"
"""The first member, and the directories of the others."""
_BYTES_AT_A_TIME = 1024 * 1024


class Manifest(pydantic.BaseModel):
    """What a backup is: format, revision of the schema, release that wrote it, time in UTC."""

    format: Literal["refstack-server-backup/1"] = "refstack-server-backup/1"
    revision: str = pydantic.Field(min_length=1)
    release: str
    created: datetime


@dataclass(frozen=True)
class Content:
    """What a backup contains.

    :param missing: the SHA-256 of uploads that the server has lost, or whose content has changed
    """

    rows: int
    uploads: int
    missing: tuple[str, ...]


def write(settings: Settings, path: Path) -> Content:
    """Write a backup of a server, which may be running; return what it contains.

    :raises InputError: ``path`` exists, or the database is empty or of a newer release
    """
    engine = database.open_any(settings.database_url)
    with new_private(path) as file:
        archive = Writer(file)
        with database.snapshot(engine) as connection:
            number = _add_rows(archive, connection)
            expected = _uploads(connection)
        for name in SECRETS:
            if (settings.data / name).exists():
                archive.add(f"{SECRET}/{name}", (settings.data / name).read_bytes())
        copied = set(_add_uploads(archive, settings.data))
        archive.close()
    engine.dispose()
    return Content(number, len(copied), tuple(sorted(expected - copied)))


def _add_rows(archive: Writer, connection: sa.Connection) -> int:
    manifest = Manifest(
        revision=database.revision(connection),
        release=version("refstack-client"),
        created=datetime.now(UTC).replace(microsecond=0),
    )
    archive.add(MANIFEST, manifest.model_dump_json(indent=1).encode())
    number = 0
    for table in rows.tables(connection):
        for part, lines in enumerate(_parts(rows.dump(connection, table)), start=1):
            archive.add(f"{ROWS}/{table.name}/{part:06}.jsonl", b"".join(lines))
            number += len(lines)
    return number


def _parts(lines: Iterable[bytes]) -> Iterator[list[bytes]]:
    """Yield the lines in lists that fit into memory."""
    part: list[bytes] = []
    size = 0
    for line in lines:
        part.append(line)
        size += len(line)
        if size >= _BYTES_AT_A_TIME:
            yield part
            part, size = [], 0
    if part:
        yield part


def _uploads(connection: sa.Connection) -> set[str]:
    # An earlier schema has no published copies.
    existing = {column["name"] for column in sa.inspect(connection).get_columns("results")}
    columns = (Result.sha256, Result.public_sha256)
    query = sa.select(*(column for column in columns if column.key in existing))
    return {sha256 for row in connection.execute(query) for sha256 in row if sha256}


def _add_uploads(archive: Writer, data: Path) -> Iterator[str]:
    """Add the uploads that are whole; yield the SHA-256 of each."""
    for sha256 in blobs.stored(data):
        if blobs.is_whole(data, sha256):
            path = blobs.path_of(data, sha256)
            try:
                file = path.open("rb")
            except FileNotFoundError:  # Its result was removed in the meantime.
                continue
            with file:
                archive.add_file(f"{UPLOAD}/{sha256}", file, os.fstat(file.fileno()).st_size)
            yield sha256
