"""Backups of running servers, restored into every kind of database, and interrupted ones."""

import hashlib
import itertools
import random
import re
import signal
import sqlite3
import stat
import subprocess
import tarfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import alembic.command
import pytest
import sqlalchemy as sa
from support import images, postgresql
from support.bundles import make_key, packed, registered
from support.certifying import CLIENT
from support.operating import client, listed, session_of, upload_stream, where
from support.publishing import Publisher
from support.serving import Server, add_user, serving

from refstack_server.operation import rows
from refstack_server.settings import DATABASE, SECRETS
from refstack_server.store import database
from refstack_server.store.schema import Base

REQUEST = re.compile(rb"urn:uuid:[0-9a-f-]{36}")
KINDS = ("sqlite", pytest.param("postgresql", marks=pytest.mark.long))
KILLS = 4
PUBLIC_URL = ("--public-url", "https://refstack.example.org")


@pytest.fixture
def new_database(request) -> Callable[[str], str]:
    def create(kind: str) -> str:
        if kind == "sqlite":
            return ""
        return postgresql.new_database(request.getfixturevalue("postgres"))

    return create


def state(server: Server, people, results) -> dict[str, object]:
    """Return what users see of results, of their own data and of the server."""
    alice, root = people["alice"], people["root"]
    paths = ["/v2/log", "/v2/challenges/signers", "/v1/vendors", "/v1/products"]
    paths += [f"/{part}/{result_id}" for result_id in results for part in ("results", "v2/results")]
    paths += [f"/v2/results/{result_id}/outcomes" for result_id in results]
    paths += [f"/v2/results/{result_id}/bundle" for result_id in results]
    for vendor in server.call("GET", "/v1/vendors", root).json()["vendors"]:
        paths += [f"/v2/vendors/{vendor['id']}/{kind}" for kind in ("site", "logo")]
        paths.append(f"/vendors/{vendor['id']}/logo")
    answers = [
        server.call("GET", path, who, headers={"Accept": "text/html" if not who else "*/*"})
        for path in (*paths, "/v1/profile", "/v1/profile/pubkeys")
        for who in (None, alice, root)
    ]
    # A refusal names its request.
    return {
        f"{answer.request.url}": (answer.status_code, REQUEST.sub(b"", answer.content))
        for answer in answers
    }


def without_host(found: dict[str, object]) -> list[object]:
    return list(found.values())


def fill(server: Server, people, tmp_path) -> list[str]:
    """Add each kind of data; return the ids of results."""
    alice, root = people["alice"], people["root"]
    key = make_key(tmp_path / "key")
    registered(server, alice, key)
    bundle = packed(tmp_path, key)
    ids = [server.call("POST", "/v2/bundles", data=bundle).json()["id"]]
    ids += [upload_stream(server, alice, f"no {number}")["id"] for number in range(3)]
    ids += [server.upload(["t", "ünï"], alice), server.upload(["t"])]
    for result_id, with_ in ((ids[0], "everybody"), (ids[1], "certifier")):
        path = f"/v2/results/{result_id}/sharing"
        assert server.call("PUT", path, alice, json={"with": with_}).status_code == 200
    path = f"/v2/results/{ids[0]}/verification"
    assert server.call("PUT", path, root, json={"until": "2099-01-01"}).status_code == 200
    vendor = {"name": "Vendor", "description": "with properties"}
    assert server.call("POST", "/v1/vendors", alice, json=vendor).status_code == 201
    at = Publisher(server, alice, root)
    branded = at.vendor("Branded")
    at.branding(branded, "https://branded.example.org/", images.logo())
    at.propose(branded, images.logo("gold"))
    made = server.call("POST", "/v2/challenges", json={"key": key.with_suffix(".pub").read_text()})
    assert made.status_code == 201
    return ids


@pytest.mark.parametrize("target", KINDS)
@pytest.mark.parametrize("source", KINDS)
def test_a_backup_under_load_continues_elsewhere(tmp_path, people, new_database, source, target):
    data, url = tmp_path / "old", new_database(source)
    for name, who in people.items():
        add_user(data, who, url, is_foundation=name == "root")
    options = (*PUBLIC_URL, *(("--database", url) if url else ()), "--uploads-per-minute", "0")
    stop, acknowledged, numbers = threading.Event(), [], itertools.count()

    def load(server):
        while not stop.is_set():
            answer = upload_stream(server, people["bob"], f"load {next(numbers)}")
            acknowledged.append(answer["id"])
            server.upload(["t"])

    with serving(data, *options) as server, ThreadPoolExecutor(3) as pool:
        ids = fill(server, people, tmp_path)
        cookie = session_of(people["alice"].openid, data, url)
        futures = [pool.submit(load, server) for _ in range(3)]
        time.sleep(1)
        before = list(acknowledged)
        done = client("backup", tmp_path / "backup", *where(data, url))
        stop.set()
        for future in futures:
            future.result()
        assert (done.returncode, "missing" in done.stderr) == (0, False), done.stderr
        seen = without_host(state(server, people, [*ids, *before]))
    assert stat.S_IMODE((tmp_path / "backup").stat().st_mode) == 0o600
    assert before

    new, other = tmp_path / "new", new_database(target)
    done = client("restore", tmp_path / "backup", *where(new, other))
    assert done.returncode == 0, done.stderr
    assert {check["result"] for check in listed("check", *where(new, other))} == {"passed"}
    assert [(new / name).read_bytes() for name in SECRETS] == [
        (data / name).read_bytes() for name in SECRETS
    ]
    options = (*PUBLIC_URL, *(("--database", other) if other else ()))
    with serving(new, *options) as server:
        assert without_host(state(server, people, [*ids, *before])) == seen
        assert people["alice"].openid in server.call("GET", "/mine", headers=cookie).text
        newest = upload_stream(server, people["carol"], "after the move")["id"]
        page = server.call("GET", "/v1/results", people["carol"], params={"signed": ""}).json()
        assert page["results"][0]["id"] == newest  # Numbers continue after the highest one.
        sharing = f"/v2/results/{newest}/sharing"
        shared = server.call("PUT", sharing, people["carol"], json={"with": "everybody"})
        assert shared.status_code == 200
    assert {check["result"] for check in listed("check", *where(new, other))} == {"passed"}


@pytest.mark.parametrize("kind", KINDS)
def test_each_table_is_in_a_backup(tmp_path, new_database, kind):
    url = new_database(kind) or f"sqlite:///{tmp_path / DATABASE}"
    with database.open_or_create(url).connect() as connection:
        found = {table.name for table in rows.tables(connection)}
    assert found == set(Base.metadata.tables)


def test_each_file_of_a_data_directory_is_in_a_backup_or_can_be_made_again(tmp_path, people):
    data = tmp_path / "data"
    for who in (people["alice"], people["root"]):
        add_user(data, who, is_foundation=who is people["root"])
    with serving(data, *PUBLIC_URL) as server:
        fill(server, people, tmp_path)
        server.call("GET", "/v2/challenges/signers")
        names = {path.name for path in data.iterdir()}
    made_again = {"challenge_signers", f"{DATABASE}-wal", f"{DATABASE}-shm"}
    assert names - made_again == {DATABASE, "uploads", *SECRETS}


def small_server(tmp_path, people):
    """Return the data directory of a server without results."""
    data = tmp_path / "data"
    add_user(data, people["alice"])
    return data


def test_a_backup_never_replaces_a_file(tmp_path, people):
    data, target = small_server(tmp_path, people), tmp_path / "backup"
    target.symlink_to(tmp_path / "nowhere")
    done = client("backup", target, "--data", data)
    assert (done.returncode, f"{target} exists" in done.stderr) == (4, True)
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("place", ["missing", "."])
def test_a_backup_of_no_server_creates_nothing(tmp_path, place):
    done = client("backup", tmp_path / "backup", "--data", tmp_path / place)
    assert (done.returncode, "Traceback" in done.stderr) == (4, False)
    assert "hint:  name the data directory of a server" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_backup_reports_uploads_that_are_lost(tmp_path, people):
    data = small_server(tmp_path, people)
    with serving(data) as server:
        lost, changed, whole = (
            upload_stream(server, people["alice"], f"no {number}")["sha256"] for number in range(3)
        )
    uploads = data / "uploads"
    (uploads / lost[:2] / lost).unlink()
    (uploads / changed[:2] / changed).write_bytes(b"x")
    done = client("backup", tmp_path / "backup", "--data", data)
    assert done.returncode == 3
    assert all(
        f"the upload {sha256} is missing or damaged" in done.stderr for sha256 in (lost, changed)
    )
    assert client("restore", tmp_path / "backup", "--data", tmp_path / "new").returncode == 0
    assert [path.name for path in (tmp_path / "new/uploads").glob("*/*")] == [whole]
    found = {check["check"]: check for check in listed("check", "--data", data, code=4)}
    assert found["uploads"]["result"] == "failed"
    assert f"{lost} is missing" in found["uploads"]["found"]
    assert f"{changed} is changed" in found["uploads"]["found"]


def test_a_backup_of_an_earlier_schema_is_restored_and_upgraded(tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    engine = sa.create_engine(f"sqlite:///{data / DATABASE}")
    with engine.begin() as connection:
        alembic.command.upgrade(database._config(connection), "0001")
        user = "INSERT INTO users VALUES ('alice', '', '', '2026-01-01 00:00:00')"
        connection.exec_driver_sql(user)
        row = "'2026-01-01 00:00:00', 'c', 'c', 1, 'alice', 1, 0, NULL, NULL, x'00ff'"
        rest = "'passes', NULL, NULL, NULL, NULL"
        connection.exec_driver_sql(f"INSERT INTO results VALUES (7, 'a', {row}, {rest})")
    assert client("backup", tmp_path / "backup", "--data", data).returncode == 0
    new = tmp_path / "new"
    assert client("restore", tmp_path / "backup", "--data", new).returncode == 0
    with sqlite3.connect(new / DATABASE) as restored:
        query = "SELECT number, id, submitted, outcomes FROM results"
        assert restored.execute(query).fetchall() == [(7, "a", 1, b"\0\xff")]
    assert listed("check", "--data", new, code=4)[0]["result"] == "passed"


def test_nothing_that_exists_is_restored_over(tmp_path, people):
    data = small_server(tmp_path, people)
    assert client("backup", tmp_path / "backup", "--data", data).returncode == 0
    before = (data / DATABASE).read_bytes()
    done = client("restore", tmp_path / "backup", "--data", data)
    assert (done.returncode, f"{data} is not empty" in done.stderr) == (4, True)
    assert (data / DATABASE).read_bytes() == before


@pytest.mark.long
def test_a_database_with_tables_is_not_restored_over(tmp_path, people, new_database):
    data, url = small_server(tmp_path, people), new_database("postgresql")
    assert client("backup", tmp_path / "backup", "--data", data).returncode == 0
    add_user(tmp_path / "other", people["bob"], url)
    done = client("restore", tmp_path / "backup", *where(tmp_path / "new", url))
    assert (done.returncode, "the database is not empty" in done.stderr) == (4, True)
    assert not (tmp_path / "new").exists()
    assert [user["openid"] for user in listed("user", "list", *where(tmp_path / "other", url))]


def large_server(tmp_path, people):
    """Return a data directory whose backup takes a while."""
    data = small_server(tmp_path, people)
    for number in range(6):
        content = bytes([number]) * 32 * 1024 * 1024
        sha256 = hashlib.sha256(content).hexdigest()
        path = data / "uploads" / sha256[:2] / sha256
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return data


def interrupted(sent: signal.Signals, after: float, *arguments: object) -> int:
    command = [CLIENT, "server", *map(str, arguments)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        time.sleep(after)
        process.send_signal(sent)
        return process.wait(60)


@pytest.mark.parametrize(
    "sent",
    [
        signal.SIGKILL,
        pytest.param(signal.SIGTERM, marks=pytest.mark.long),
        pytest.param(signal.SIGINT, marks=pytest.mark.long),
    ],
)
def test_an_interrupted_backup_leaves_nothing(tmp_path, people, sent):
    data, place = large_server(tmp_path, people), tmp_path / "backups"
    place.mkdir()
    rng = random.Random(sent)
    took = time.monotonic()
    assert client("backup", place / "whole", "--data", data).returncode == 0
    took = time.monotonic() - took
    (place / "whole").unlink()
    for number in range(KILLS):
        interrupted(sent, rng.uniform(0.4, 1) * took, "backup", place / "b", "--data", data)
        for path in place.iterdir():  # It was complete already.
            done = client("restore", path, "--data", tmp_path / f"new-{number}")
            assert (path.name, done.returncode) == ("b", 0), done.stderr
            path.unlink()
    assert client("backup", place / "b", "--data", data).returncode == 0


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGTERM])
def test_an_interrupted_restore_is_not_a_server(tmp_path, people, sent):
    data, backup = large_server(tmp_path, people), tmp_path / "backup"
    assert client("backup", backup, "--data", data).returncode == 0
    took = time.monotonic()
    assert client("restore", backup, "--data", tmp_path / "whole").returncode == 0
    took = time.monotonic() - took
    for part in (0.5, 0.7, 0.9):
        new = tmp_path / f"new-{part}"
        code = interrupted(sent, part * took, "restore", backup, "--data", new)
        if (new / DATABASE).exists():  # It was complete already.
            assert listed("check", "--data", new)
        else:
            assert code
            assert sent is signal.SIGKILL or not new.exists()


@pytest.mark.long
def test_a_killed_restore_leaves_a_database_empty(tmp_path, people, new_database):
    data, backup, url = (
        large_server(tmp_path, people),
        tmp_path / "backup",
        new_database("postgresql"),
    )
    assert client("backup", backup, "--data", data).returncode == 0
    interrupted(signal.SIGKILL, 1.2, "restore", backup, *where(tmp_path / "new", url))
    done = client("restore", backup, *where(tmp_path / "other", url))
    assert done.returncode == 0 or (tmp_path / "new" / "uploads").exists(), done.stderr


def test_a_full_disk_is_reported_and_leaves_nothing(tmp_path, people):
    data, place = large_server(tmp_path, people), tmp_path / "backups"
    place.mkdir()
    limit = f"ulimit -f {50 * 1024}; trap '' XFSZ; exec"
    command = ["bash", "-c", f'{limit} "$@"', "-", CLIENT, "server", "backup", place / "b"]
    done = subprocess.run(
        [*command, "--data", data], capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, "File too large" in done.stderr) == (5, True), done.stderr
    assert list(place.iterdir()) == []


def test_any_tar_program_lists_a_backup(tmp_path, people):
    data = small_server(tmp_path, people)
    client("backup", tmp_path / "backup", "--data", data)
    with tarfile.open(tmp_path / "backup") as archive:
        names = archive.getnames()
        assert {member.mode for member in archive} == {0o600}
    assert (names[0], names[-1]) == ("manifest.json", "checksum")
