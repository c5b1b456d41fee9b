"""What an operator does with a server: starts, stops, kills and upgrades it."""

import json
import os
import random
import sqlite3
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import alembic.command
import alembic.config
import psycopg
import pytest
import requests
import sqlalchemy as sa
from support import postgresql
from support.certifying import CLIENT
from support.serving import add_user, person, serving

from refstack_client.upload import rsa_key
from refstack_server.store.database import MIGRATIONS


def client(*arguments):
    return subprocess.run(
        [CLIENT, "server", *arguments], capture_output=True, text=True, check=False, timeout=60
    )


def test_what_was_stored_is_there_after_a_restart(tmp_path):
    data = tmp_path / "data"
    alice = person("alice")
    add_user(data, alice)
    with serving(data) as server:
        result_id = server.upload(["t"], alice)
    with serving(data) as server:
        assert server.call("GET", f"/v1/results/{result_id}", alice).json()["results"] == ["t"]
    assert (data / "secret").stat().st_mode & 0o777 == 0o600
    assert data.stat().st_mode & 0o777 == 0o700


def test_a_database_of_a_newer_release_is_left_alone(tmp_path):
    data = tmp_path / "data"
    assert client("upgrade", "--data", data).returncode == 0
    with sqlite3.connect(data / "refstack.sqlite") as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    for command in ((), ("upgrade",), ("user", "add", "x")):
        done = client(*command, "--data", data)
        assert done.returncode == 4
        assert "newer release" in done.stderr
        assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("url", "code", "said"),
    [
        ("nonsense", 4, "the database's URL is none"),
        ("postgresql://u:canary@127.0.0.1:1/x", 4, "--database-password"),
        ("nodatabase://x", 4, "cannot be used"),
        ("postgresql://127.0.0.1:1/x", 5, "cannot be reached"),
    ],
)
def test_a_database_that_cannot_be_had_is_an_error_in_a_sentence(tmp_path, url, code, said):
    done = client("--data", tmp_path, "--database", url)
    assert done.returncode == code
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert "canary" not in done.stderr


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        *((each, "is no address like https://") for each in ("refstack.example.org", "ftp://x")),
        *((each, "is no address like https://") for each in ("https://", "https://x/?y")),
        ("https://x/refstack", "has a path"),
    ],
)
def test_an_address_that_is_none_is_an_error_in_a_sentence(tmp_path, wrong, said):
    done = client("--data", tmp_path, "--public-url", wrong)
    assert (done.returncode, f"{wrong} {said}" in done.stderr) == (2, True)


def test_links_begin_with_the_public_address(tmp_path):
    with serving(tmp_path / "data", "--public-url", "https://refstack.example.org/") as server:
        sent = {"cpid": "c", "duration_seconds": 1, "results": [{"name": "t"}]}
        made = server.call("POST", "/v1/results", json=sent).json()
    assert made["url"] == f"https://refstack.example.org/results/{made['test_id']}"


def test_a_start_says_where_it_listens_and_nothing_else(tmp_path):
    with serving(tmp_path / "data") as server:
        said = (tmp_path / "data.log").read_text().splitlines()
    lines = [each for each in said if not each.startswith("{")]
    assert lines == [f"listening at {server.url}; Ctrl-C ends it"]


def test_a_port_that_is_taken_is_an_error_in_a_sentence(tmp_path):
    with serving(tmp_path / "data") as server:
        port = server.url.rpartition(":")[2]
        done = client("--data", tmp_path / "other", "--port", port)
    assert done.returncode == 5
    assert "Traceback" not in done.stderr
    assert f"127.0.0.1:{port}" in done.stderr


def test_anonymous_uploads_can_be_left_out(tmp_path):
    document = {"cpid": "c", "duration_seconds": 1, "results": [{"name": "t"}]}
    with serving(tmp_path / "data", "--no-anonymous") as server:
        answer = server.call("POST", "/v1/results", json=document)
    assert answer.status_code == 401
    assert "Anonymous result uploads are disabled" in answer.json()["detail"]


KILLS = int(os.environ.get("REFSTACK_SERVER_KILLS", "5"))


def test_what_was_acknowledged_survives_a_kill_once_and_whole(tmp_path):
    data = tmp_path / "data"
    acknowledged: dict[str, list[str]] = {}
    rng = random.Random(20261121)

    def upload(server, number):
        names = [f"t{number}.{each}" for each in range(50)]
        document = {
            "cpid": "c",
            "duration_seconds": 1,
            "results": [{"name": each} for each in names],
        }
        try:
            answer = server.call("POST", "/v1/results", json=document)
        except requests.RequestException:
            return
        assert answer.status_code == 201
        acknowledged[answer.json()["test_id"]] = names

    for round_ in range(KILLS):
        with serving(data) as server, ThreadPoolExecutor(8) as pool:
            futures = [pool.submit(upload, server, f"{round_}-{n}") for n in range(60)]
            time.sleep(rng.uniform(0, 0.6))
            server.kill()
            for each in futures:
                each.result()
    assert acknowledged
    with serving(data) as server:
        for result_id, names in acknowledged.items():
            assert server.call("GET", f"/v1/results/{result_id}").json()["results"] == names
    with sqlite3.connect(data / "refstack.sqlite") as database:
        (stored,) = database.execute("SELECT count(*) FROM results").fetchone()
        (counted,) = database.execute("SELECT number FROM counts").fetchone()
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert stored == counted >= len(acknowledged)


def test_a_database_that_is_gone_is_said_and_no_fault_of_the_requests(tmp_path, postgres):
    url = postgresql.new_database(postgres)
    name = urlsplit(url).path[1:]
    with (
        psycopg.connect(postgres.replace("NAME", "postgres"), autocommit=True) as admin,
        serving(tmp_path / "data", "--database", url) as server,
    ):
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
        answers = [server.call("GET", each) for each in ("/health", "/v1/results")]
    assert [each.status_code for each in answers] == [503, 503]
    assert answers[0].json()["title"] == "the database does not answer; try again"


def test_what_an_older_release_published_stays_so_when_the_database_is_upgraded(tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    with sqlite3.connect(data / "refstack.sqlite") as old:
        config = alembic.config.Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        engine = sa.create_engine(f"sqlite:///{data / 'refstack.sqlite'}")
        with engine.connect() as connection:
            config.attributes["connection"] = connection
            alembic.command.upgrade(config, "0001")
            connection.commit()
        old.execute("INSERT INTO users VALUES ('alice', '', '', '2026-01-01 00:00:00')")
        row = "'2026-01-01 00:00:00', 'c', 'c', 1, {owner}, {listed}, 0, NULL, NULL, x'00'"
        for name, owner, listed in (("a", "'alice'", 1), ("b", "'alice'", 0), ("c", "NULL", 1)):
            values = row.format(owner=owner, listed=listed)
            rest = "'passes', NULL, NULL, NULL, NULL"
            old.execute(f"INSERT INTO results VALUES (NULL, '{name}', {values}, {rest})")
    refused = client("--data", data)
    assert (refused.returncode, "older than this release" in refused.stderr) == (4, True)
    assert client("upgrade", "--data", data).returncode == 0
    with sqlite3.connect(data / "refstack.sqlite") as upgraded:
        found = upgraded.execute("SELECT id, submitted FROM results ORDER BY id").fetchall()
    assert found == [("a", 1), ("b", 0), ("c", 0)]


def test_what_was_half_received_when_a_server_died_is_forgotten_in_the_end(tmp_path):
    uploads = tmp_path / "data" / "uploads"
    uploads.mkdir(parents=True)
    old, young = uploads / ".coming-old", uploads / ".coming-young"
    for each in (old, young):
        each.write_bytes(b"half")
    os.utime(old, (1, 1))
    with serving(tmp_path / "data"):
        assert list(uploads.iterdir()) == [young]


def test_the_openapi_document_describes_bodies(tmp_path):
    with serving(tmp_path / "data") as server:
        paths = json.loads(server.call("GET", "/openapi.json").text)["paths"]
    assert paths["/v1/results"]["post"]["requestBody"]["content"]["application/json"]["schema"]


def test_users_and_the_first_of_the_foundation_are_made_by_command(tmp_path):
    data, alice = tmp_path / "data", person("alice")
    key = tmp_path / "key.pub"
    key.write_text(f"{rsa_key.public_line(alice.key)} a comment\n")
    add = ("user", "add", "--data", data, "--key", key)
    for _ in range(2):  # it may be said again
        assert client(*add, "--foundation", "--fullname", "Alice", alice.openid).returncode == 0
    other = client(*add, "somebody-else")
    assert other.returncode == 4
    assert "already exists" in other.stderr
    key.write_text("nonsense")
    assert client(*add, alice.openid).returncode == 4
    with serving(data) as server:
        profile = server.call("GET", "/v1/profile", alice).json()
    assert (profile["fullname"], profile["is_admin"]) == ("Alice", True)
