"""Counts of requests in memory and in PostgreSQL."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa
from support import postgresql

from refstack_server.store import database
from refstack_server.store.rate_windows import DatabaseWindows, MemoryWindows


@pytest.fixture(params=["memory", pytest.param("postgresql", marks=pytest.mark.long)])
def windows(request):
    if request.param == "memory":
        yield MemoryWindows()
        return
    engine = database.open_or_create(postgresql.new_database(request.getfixturevalue("postgres")))
    yield DatabaseWindows(engine)
    engine.dispose()


def test_each_key_has_a_count_that_starts_anew(windows):
    began = time.time()
    first = windows.hit("a", 1)
    assert first.number == 1
    assert began + 1 <= first.ends_at <= time.time() + 1
    assert windows.hit("a", 1) == (2, first.ends_at)
    assert windows.hit("b", 60).number == 1
    time.sleep(max(0, first.ends_at - time.time()) + 0.05)
    assert windows.hit("a", 1).number == 1


def test_hits_at_the_same_time_are_all_counted(windows):
    with ThreadPoolExecutor(8) as threads:
        numbers = list(threads.map(lambda _: windows.hit("a", 60).number, range(200)))
    assert max(numbers) == 200


@pytest.mark.long
def test_a_hit_is_one_query(postgres):
    engine = database.open_or_create(postgresql.new_database(postgres))
    windows = DatabaseWindows(engine)
    asked = []
    sa.event.listen(engine, "before_cursor_execute", lambda *call: asked.append(call[2]))
    windows.hit("a", 60)
    assert len(asked) == 1
    engine.dispose()
