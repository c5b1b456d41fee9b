"""Lists of results: what each reader sees, in order, and the plans of the queries."""

import random
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session
from support import postgresql

from refstack_server.store import callers, result_list, results
from refstack_server.store import database as databases
from refstack_server.store.callers import ANONYMOUS, Caller
from refstack_server.store.schema import (
    Kind,
    Membership,
    Product,
    ProductVersion,
    Result,
    User,
    Vendor,
    VendorType,
)

NUMBER, MOST = 200, 7
USERS = ("alice", "bob", "root", "nobody")
_TYPES = (VendorType.OFFICIAL, VendorType.PRIVATE, VendorType.FOUNDATION)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.long)])
def session(request, tmp_path) -> Iterator[Session]:
    """Yield a database with results of every kind, owner, product and visibility."""
    url = f"sqlite:///{tmp_path / 'database'}"
    if request.param == "postgresql":
        url = postgresql.new_database(request.getfixturevalue("postgres"))
    engine = databases.open_or_create(url)
    with Session(databases.writer(engine), expire_on_commit=False) as writing:
        _fill(writing)
        writing.commit()
    with Session(engine) as reading:
        yield reading
    engine.dispose()


def _fill(session: Session) -> None:
    session.add_all(User(openid=name) for name in USERS)
    session.flush()
    versions: list[str | None] = [None]
    for user, kind in zip(USERS, _TYPES, strict=False):
        vendor = Vendor(name=f"of {user}", type=int(kind), created_by_user=user, properties=None)
        session.add(vendor)
        session.flush()
        session.add(Membership(vendor_id=vendor.id, openid=user))
        product = Product(name="p", product_type=0, organization_id=vendor.id, created_by_user=user)
        session.add(product)
        session.flush()
        version = ProductVersion(product_id=product.id, version="1")
        session.add(version)
        session.flush()
        versions.append(version.id)
    chosen = random.Random(1)
    for _ in range(NUMBER):
        session.add(
            Result(
                cpid="c",
                cpid_folded="c",
                duration_seconds=1,
                outcomes=b"",
                openid=chosen.choice([*USERS, None]),
                product_version_id=chosen.choice(versions),
                listed=chosen.random() < 0.2,
                submitted=chosen.random() < 0.2,
                kind=chosen.choice([*Kind]),
                programme=chosen.choice(["compute", None]),
            )
        )
        session.flush()


def _all(session: Session) -> list[Result]:
    return list(session.scalars(sa.select(Result).order_by(Result.number.desc())))


def _pages(session: Session, seen, conditions) -> list[int]:
    """Return the numbers of all results of a list, page by page."""
    numbers: list[int] = []
    than = None
    while found := result_list.older(session, seen, conditions, MOST, than):
        assert len(found) <= MOST
        numbers += [result.number for result in found]
        than = numbers[-1]
    return numbers


def _callers(session: Session) -> list[Caller]:
    return [ANONYMOUS, *(callers.of_user(session, name) for name in USERS)]


def test_a_list_has_what_the_reader_sees_each_once_and_in_order(session):
    for caller in _callers(session):
        expected = [one.number for one in _all(session) if results.role(one, caller)]
        assert 0 < len(expected) < NUMBER
        assert _pages(session, result_list.seen_by(caller), []) == expected


def test_a_filter_applies_to_each_part_of_a_list(session):
    for caller in _callers(session):
        expected = [
            one.number
            for one in _all(session)
            if results.role(one, caller) and one.programme == "compute"
        ]
        conditions = [Result.programme == "compute"]
        assert _pages(session, result_list.seen_by(caller), conditions) == expected


def test_a_list_of_own_results_has_no_others(session):
    for caller in _callers(session)[1:]:
        expected = [one.number for one in _all(session) if results.owns(one, caller)]
        assert _pages(session, result_list.owned_by(caller), []) == expected


def test_lists_end_after_the_rows_of_a_page(session):
    """A plan that sorts reads all results of a user, or of the public, for each page."""
    if session.bind.dialect.name != "sqlite":
        pytest.skip("the planner of PostgreSQL decides by statistics")
    asked = []
    alice = Caller("alice")
    of_programme = [Result.guideline == "2022.11", Result.programme == "compute"]
    sa.event.listen(session.bind, "before_cursor_execute", lambda *call: asked.append(call[2:4]))
    result_list.older(session, result_list.seen_by(alice), [], MOST)
    result_list.older(session, result_list.seen_by(ANONYMOUS), of_programme, MOST)
    plans = [
        [
            row[3]
            for row in session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {query}", values)
        ]
        for query, values in asked
        if query.startswith("SELECT")
    ]
    of_alice, of_all = plans
    assert any("owned_in_order (openid=?)" in step for step in of_alice), of_alice
    assert any("listed_in_order (listed=?)" in step for step in of_alice), of_alice
    assert any("judged_in_order (listed=? AND programme=?" in step for step in of_all), of_all
    for plan in plans:
        assert not any("ORDER BY" in step for step in plan), plan


def test_a_result_is_read_without_a_table_of_all_products(session):
    """SQLite makes a table of a join in parentheses, for each query anew."""
    assert "JOIN (" not in str(sa.select(Result).compile(session.bind))
