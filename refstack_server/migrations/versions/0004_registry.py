"""Times of verifications and revocations, and the entries of the log that record them."""

import json
from collections.abc import Iterator
from datetime import datetime

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
_ROWS_AT_A_TIME = 1000


def upgrade() -> None:
    """Add the table and columns, with what the log has recorded so far."""
    op.add_column("results", sa.Column("verified_at", sa.DateTime(), nullable=True))
    op.add_column("results", sa.Column("revoked_at", sa.DateTime(), nullable=True))
    op.create_table(
        "decisions",
        sa.Column(
            "number",
            sa.Integer(),
            sa.ForeignKey("log.number"),
            primary_key=True,
            autoincrement=False,
        ),
        sa.Column("result_id", sa.String(36), nullable=False, index=True),
    )
    _read_log(op.get_bind())
    op.create_index(
        "standing_of_versions",
        "results",
        [
            *("product_version_id", "verified_at", "listed", "guideline", "programme"),
            *("verification_status", "verified_until", "revoked_at"),
        ],
    )


def _read_log(connection: sa.Connection) -> None:
    decisions = sa.table("decisions", sa.column("number"), sa.column("result_id"))
    results = sa.table(
        "results",
        sa.column("id"),
        sa.column("verified_at", sa.DateTime()),
        sa.column("revoked_at", sa.DateTime()),
    )
    for number, entry in _entries(connection):
        at = datetime.fromisoformat(entry["at"])
        if entry["event"] == "verified":
            times: dict[str, datetime | None] = {"verified_at": at, "revoked_at": None}
        elif entry["event"] == "revoked":
            times = {"revoked_at": at}
        else:
            continue
        result_id = entry["result"]
        connection.execute(decisions.insert().values(number=number, result_id=result_id))
        connection.execute(results.update().where(results.c.id == result_id).values(times))


def _entries(connection: sa.Connection) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the number and the document of each entry of the log, the oldest first."""
    log = sa.table("log", sa.column("number"), sa.column("text"))
    last = 0
    while rows := connection.execute(
        sa.select(log.c.number, log.c.text)
        .where(log.c.number > last)
        .order_by(log.c.number)
        .limit(_ROWS_AT_A_TIME)
    ).all():
        for number, text in rows:
            yield number, json.loads(text)
        last = rows[-1].number
