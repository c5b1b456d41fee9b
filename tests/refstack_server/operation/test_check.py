"""``server check`` on a server that was damaged in each way."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from support import postgresql
from support.operating import client, listed, upload_stream, where
from support.serving import add_user, person, serving

from refstack_server.settings import DATABASE

NAMES = ("schema", "database", "log", "counts", "uploads", "orphaned uploads", "permissions")


@pytest.fixture(scope="module")
def original(tmp_path_factory) -> Path:
    data = tmp_path_factory.mktemp("check") / "data"
    alice = person("alice")
    add_user(data, alice)
    with serving(data) as server:
        for reason in ("one", "two"):
            sent = upload_stream(server, alice, reason)
            path = f"/v2/results/{sent['id']}/sharing"
            assert server.call("PUT", path, alice, json={"with": "everybody"}).ok
    execute(data, "PRAGMA wal_checkpoint(TRUNCATE)")
    make_private(data)
    return data


def make_private(data: Path) -> None:
    for path in (data, *data.rglob("*")):
        path.chmod(path.stat().st_mode & ~0o077)


@pytest.fixture
def data(original, tmp_path) -> Path:
    return shutil.copytree(original, tmp_path / "a place")


def execute(data: Path, *statements: str) -> None:
    with closing(sqlite3.connect(data / DATABASE)) as connection, connection:
        for statement in statements:
            connection.execute(statement)


def failed(data: Path, code: int = 4) -> dict[str, tuple[str, str]]:
    """Return what failed checks found, and the remedies."""
    checks = listed("check", "--data", data, code=code)
    assert {"check", "result", "found", "remedy"} == set(checks[0])
    return {
        str(check["check"]): (str(check["found"]), str(check["remedy"]))
        for check in checks
        if check["result"] != "passed"
    }


def test_a_server_that_is_whole_passes_each_check(data):
    assert failed(data, code=0) == {}
    assert [check["check"] for check in listed("check", "--data", data)] == list(NAMES)


UNLOCK = ("DROP TRIGGER log_update", "DROP TRIGGER log_delete")


@pytest.mark.parametrize(
    ("statements", "check", "found", "remedy"),
    [
        ((*UNLOCK, "UPDATE log SET text = '{}' WHERE number = 1"), "log", "entries: 2", "backup"),
        ((*UNLOCK, "DELETE FROM log WHERE number = 1"), "log", "entries: 1", "backup"),
        (
            (*UNLOCK, "DELETE FROM log WHERE number = 2"),
            "counts",
            "lines of the log: 2; counted: lines of the log: 1",
            "UPDATE counts SET number = 1 WHERE what = 'lines of the log'",
        ),
        (
            ("UPDATE counts SET number = 7 WHERE what = 'listed results'",),
            "counts",
            "listed results: 7",
            "UPDATE counts SET number = 2 WHERE what = 'listed results'",
        ),
        (
            ("UPDATE results SET sha256 = NULL WHERE number = 1",),
            "uploads",
            "the SHA-256 is missing",
            "backup",
        ),
        (("UPDATE results SET openid = 'x' WHERE number = 1",), "database", "users", "backup"),
        (("UPDATE alembic_version SET version_num = '0001'",), "schema", "0001", "server upgrade"),
    ],
)
def test_damage_of_the_database_is_found(data, statements, check, found, remedy):
    execute(data, *statements)
    result = failed(data)[check]
    assert found in result[0]
    assert remedy in result[1]


def test_the_remedy_for_a_wrong_count_repairs_it(data):
    execute(data, "UPDATE counts SET number = 7")
    ((_, remedy),) = failed(data).values()
    execute(data, *remedy.split("; "))
    assert failed(data, code=0) == {}


def test_a_damaged_page_of_the_database_is_found(data):
    path = data / DATABASE
    content = bytearray(path.read_bytes())
    with closing(sqlite3.connect(path)) as connection:
        query = "SELECT rootpage FROM sqlite_master WHERE name = 'ix_results_cpid_folded'"
        ((page,),) = connection.execute(query)
        ((size,),) = connection.execute("PRAGMA page_size")
    content[(page - 1) * size + 3 : (page - 1) * size + 5] = b"\0\0"  # The index has no entry.
    path.write_bytes(content)
    assert "ix_results_cpid_folded" in failed(data)["database"][0]


def test_a_file_that_is_not_a_database_is_an_error_message(data):
    (data / DATABASE).write_bytes(b"nonsense" * 1000)
    for suffix in ("-wal", "-shm"):
        (data / f"{DATABASE}{suffix}").unlink(missing_ok=True)
    done = client("check", "--data", data)
    assert (done.returncode in (4, 5), "unexpected" in done.stderr) == (True, False), done.stderr
    assert "hint:" in done.stderr


def test_lost_changed_and_orphaned_uploads_are_told_apart(data):
    first, second = sorted((data / "uploads").glob("*/*"))
    first.write_bytes(b"changed")
    second.rename(second.with_name("0" * 64))
    found, remedy = failed(data)["uploads"]
    assert f"{first.name} is changed" in found
    assert f"{second.name} is missing" in found
    assert "backup" in remedy
    orphans = {check["check"]: check for check in listed("check", "--data", data, code=4)}
    orphaned = orphans["orphaned uploads"]
    assert (orphaned["result"], orphaned["found"]) == ("passed", "0" * 64)


@pytest.mark.parametrize("name", ["", "secret", "uploads", DATABASE])
def test_files_that_others_can_read_are_found_and_the_remedy_helps(data, name):
    path = data / name
    path.chmod(path.stat().st_mode | 0o040)
    found, remedy = failed(data)["permissions"]
    assert str(path) in found
    assert remedy == f"chmod -R go= '{data}'"
    path.chmod(path.stat().st_mode & ~0o077)
    assert failed(data, code=0) == {}


@pytest.mark.long
def test_checks_of_postgresql(tmp_path, postgres):
    url, alice, data = postgresql.new_database(postgres), person("alice"), tmp_path / "data"
    add_user(data, alice, url)
    with serving(data, "--database", url) as server:
        upload_stream(server, alice, "one")
    make_private(data)
    checks = listed("check", *where(data, url))
    assert [check["check"] for check in checks] == [name for name in NAMES if name != "database"]
    assert {check["result"] for check in checks} == {"passed"}
