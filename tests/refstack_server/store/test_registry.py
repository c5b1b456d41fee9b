"""The registry in the database: what an upgrade reads from the log, and the plans of queries."""

import json

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session
from support import postgresql

from refstack_server.store import database, registry
from refstack_server.store.registry import Filters

LOG = (
    (1, "published", "2025-01-01T00:00:00", "a"),
    (2, "verified", "2025-01-02T00:00:00", "a"),
    (3, "revoked", "2025-01-03T00:00:00", "a"),
    (4, "verified", "2025-01-04T00:00:00", "b"),
    (5, "revoked", "2025-01-05T00:00:00", "b"),
    (6, "verified", "2025-01-06T00:00:00", "b"),
    (7, "verified", "2025-01-07T00:00:00", "removed"),
)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.long)])
def older(request, tmp_path) -> sa.Engine:
    """Return a database of the release before, with results and a log."""
    url = f"sqlite:///{tmp_path / 'database'}"
    if request.param == "postgresql":
        url = postgresql.new_database(request.getfixturevalue("postgres"))
    engine = database.connect(url)
    with engine.begin() as connection:
        database.upgrade_to(connection, "0003")
        for number, event, at, result in LOG:
            text = json.dumps({"at": at, "event": event, "result": result})
            values = {"number": number, "text": text}
            insert = "INSERT INTO log (number, text, digest) VALUES (:number, :text, '')"
            connection.execute(sa.text(insert), values)
        for number, result in enumerate(("a", "b", "c"), start=1):
            connection.execute(
                sa.text(
                    "INSERT INTO results (number, id, created_at, cpid, cpid_folded, "
                    "duration_seconds, listed, submitted, verification_status, outcomes, kind) "
                    "VALUES (:number, :id, '2025-01-01 00:00:00', '', '', 1, true, true, 0, '', "
                    "'passes')"
                ),
                {"number": number, "id": result},
            )
    return engine


def test_an_upgrade_reads_decisions_from_the_log(older):
    with older.begin() as connection:
        database.upgrade_to(connection)
        columns = "id, verified_at, revoked_at"
        results = connection.execute(sa.text(f"SELECT {columns} FROM results ORDER BY id")).all()
        read = [tuple(str(value)[:10] for value in row) for row in results]
        assert read == [
            ("a", "2025-01-02", "2025-01-03"),
            ("b", "2025-01-06", "None"),
            ("c", "None", "None"),
        ]
        decisions = connection.execute(sa.text("SELECT number, result_id FROM decisions")).all()
    expected = [(number, result) for number, event, _, result in LOG if event != "published"]
    assert sorted(map(tuple, decisions)) == expected
    older.dispose()


@pytest.mark.parametrize("filters", [Filters(), Filters(search="x", programme="storage")])
def test_results_are_read_by_their_product(tmp_path, filters):
    """With the index of all public results, 100,000 of them would take minutes."""
    engine = database.open_or_create(f"sqlite:///{tmp_path / 'database'}")
    asked = []

    def keep(_connection, _cursor, statement, parameters, *_):
        if statement.startswith("SELECT"):
            asked.append((statement, parameters))

    with Session(engine) as session:
        sa.event.listen(engine, "before_cursor_execute", keep)
        assert registry.count(session, filters) == 0
        assert registry.rows(session, filters, 20) == []
        sa.event.remove(engine, "before_cursor_execute", keep)
        assert len(asked) == 3
        for statement, parameters in asked:
            explain = f"EXPLAIN QUERY PLAN {statement}"
            connection = session.connection()
            plan = [row[3] for row in connection.exec_driver_sql(explain, parameters)]
            assert any("(product_version_id=?" in step for step in plan), plan
            assert not any("listed_in_order" in step for step in plan), plan
    engine.dispose()
