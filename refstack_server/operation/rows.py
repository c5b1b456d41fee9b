"""Rows of any table as lines of JSON, the same for each kind of database.

Tables are those that the database has, so that rows of an earlier schema are read and written too.
"""

import base64
import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

import sqlalchemy as sa

_ROWS_AT_A_TIME = 100
_REVISION = "alembic_version"


def tables(connection: sa.Connection) -> list[sa.Table]:
    """Return the tables of a database: each after those that its foreign keys refer to."""
    metadata = sa.MetaData()
    sa.event.listen(metadata, "column_reflect", _reflect_json)
    metadata.reflect(connection)
    return [table for table in metadata.sorted_tables if table.name != _REVISION]


def _reflect_json(_inspector: Any, _table: sa.Table, column: Any) -> None:
    """Read and write NULL for a JSON column without a value, not JSON's ``null``."""
    if isinstance(column["type"], sa.JSON):
        column["type"] = sa.JSON(none_as_null=True)


def dump(connection: sa.Connection, table: sa.Table) -> Iterator[bytes]:
    """Yield each row of a table as a line, in the order of the primary key."""
    query = sa.select(table).order_by(*table.primary_key)
    options = {"yield_per": _ROWS_AT_A_TIME}
    for row in connection.execute(query, execution_options=options).mappings():
        yield f"{json.dumps(dict(row), default=_as_json)}\n".encode()


def _as_json(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else base64.b64encode(value).decode()  # type: ignore[arg-type]


def load(connection: sa.Connection, table: sa.Table, lines: Iterable[bytes]) -> int:
    """Add rows to a table; return their number.

    :raises ValueError: a line is not a row of the table
    """
    rows = [_row(table, json.loads(line)) for line in lines]
    if rows:
        connection.execute(table.insert(), rows)
    return len(rows)


def _row(table: sa.Table, document: object) -> dict[str, object]:
    names = {column.name for column in table.columns}
    if not isinstance(document, dict) or set(document) != names:
        raise ValueError(f"the columns are not {', '.join(sorted(names))}")
    return {name: _value(table.columns[name], value) for name, value in document.items()}


def _value(column: sa.Column[Any], value: Any) -> object:
    kind = column.type.python_type
    if value is None or kind not in (datetime, bytes):
        return value
    if not isinstance(value, str):
        raise ValueError(f"{column.name} is not text")
    return datetime.fromisoformat(value) if kind is datetime else base64.b64decode(value)


def clear(connection: sa.Connection, tables: Iterable[sa.Table]) -> None:
    """Remove the rows that migrations add.

    The log refuses each removal, even of nothing: tables without rows are left alone.
    """
    for table in tables:
        if connection.scalar(sa.select(sa.exists().select_from(table))):
            connection.execute(table.delete())


def continue_sequences(connection: sa.Connection, tables: Iterable[sa.Table]) -> None:
    """Have the sequences of PostgreSQL continue after the highest number of each column."""
    if connection.dialect.name != "postgresql":
        return
    for column in (column for table in tables for column in table.columns):
        quoted = connection.dialect.identifier_preparer.format_table(column.table)
        find = sa.func.pg_get_serial_sequence(quoted, column.name)
        sequence = connection.scalar(sa.select(find))
        highest = connection.scalar(sa.select(sa.func.max(column))) if sequence else None
        if highest is not None:
            connection.execute(sa.select(sa.func.setval(sequence, highest)))
