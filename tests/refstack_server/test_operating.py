"""Operation of a server: start, stop, kill, upgrade."""

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
from support.bundles import make_key, packed
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
        assert "newer than this release" in done.stderr
        assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("url", "code", "message"),
    [
        ("nonsense", 4, "the URL of the database is not valid"),
        ("postgresql://u:canary@127.0.0.1:1/x", 4, "--database-password"),
        ("nodatabase://x", 4, "cannot use the URL"),
        ("postgresql://127.0.0.1:1/x", 5, "cannot reach the database"),
    ],
)
def test_an_unusable_database_is_an_error_message(tmp_path, url, code, message):
    done = client("--data", tmp_path, "--database", url)
    assert done.returncode == code
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert "canary" not in done.stderr


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        *((url, "is not a valid URL") for url in ("refstack.example.org", "ftp://x")),
        *((url, "is not a valid URL") for url in ("https://", "https://x/?y")),
        ("https://x/refstack", "has a path"),
    ],
)
def test_an_invalid_public_url_is_an_error_message(tmp_path, wrong, message):
    done = client("--data", tmp_path, "--public-url", wrong)
    assert (done.returncode, f"{wrong} {message}" in done.stderr) == (2, True)


def test_links_begin_with_the_public_url(tmp_path):
    with serving(tmp_path / "data", "--public-url", "https://refstack.example.org/") as server:
        sent = {"cpid": "c", "duration_seconds": 1, "results": [{"name": "t"}]}
        made = server.call("POST", "/v1/results", json=sent).json()
    assert made["url"] == f"https://refstack.example.org/results/{made['test_id']}"


def test_a_start_reports_only_the_url(tmp_path):
    with serving(tmp_path / "data") as server:
        log = (tmp_path / "data.log").read_text().splitlines()
    lines = [line for line in log if not line.startswith("{")]
    assert lines == [f"listening on {server.url}; stop with Ctrl-C"]


@pytest.mark.parametrize("mode", [0o700, 0o755])
def test_no_file_is_readable_by_others(tmp_path, mode):
    data = tmp_path / "data"
    data.mkdir()
    data.chmod(mode)
    key = make_key(tmp_path / "key")
    with serving(data) as server:
        answer = server.call(
            "POST", "/v2/challenges", json={"key": (tmp_path / "key.pub").read_text()}
        )
        assert answer.status_code == 201
        assert server.call("GET", "/v2/challenges/signers").status_code == 200
        server.call("POST", "/v2/bundles", data=packed(tmp_path, key))
        files = [path for path in data.rglob("*") if path.is_file()]
        assert {"refstack.sqlite", "secret", "challenge_key"} <= {path.name for path in files}
        assert {path.stat().st_mode & 0o077 for path in files} == {0}


def test_a_used_port_is_an_error_message(tmp_path):
    with serving(tmp_path / "data") as server:
        port = server.url.rpartition(":")[2]
        done = client("--data", tmp_path / "other", "--port", port)
    assert done.returncode == 5
    assert "Traceback" not in done.stderr
    assert f"cannot bind to 127.0.0.1:{port}: " in done.stderr


def test_anonymous_uploads_can_be_refused(tmp_path):
    document = {"cpid": "c", "duration_seconds": 1, "results": [{"name": "t"}]}
    with serving(tmp_path / "data", "--no-anonymous") as server:
        answer = server.call("POST", "/v1/results", json=document)
    assert answer.status_code == 401
    assert "Anonymous result uploads are disabled" in answer.json()["detail"]


KILLS = int(os.environ.get("REFSTACK_SERVER_KILLS", "5"))


@pytest.mark.long
def test_acknowledged_uploads_survive_a_kill_once_and_complete(tmp_path):
    data = tmp_path / "data"
    acknowledged: dict[str, list[str]] = {}
    rng = random.Random(20261121)

    def upload(server, number):
        names = [f"t{number}.{index}" for index in range(50)]
        document = {
            "cpid": "c",
            "duration_seconds": 1,
            "results": [{"name": name} for name in names],
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
            for future in futures:
                future.result()
    assert acknowledged
    with serving(data) as server:
        for result_id, names in acknowledged.items():
            assert server.call("GET", f"/v1/results/{result_id}").json()["results"] == names
    with sqlite3.connect(data / "refstack.sqlite") as database:
        (stored,) = database.execute("SELECT count(*) FROM results").fetchone()
        (counted,) = database.execute("SELECT number FROM counts").fetchone()
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert stored == counted >= len(acknowledged)


def test_a_missing_database_is_reported_with_status_503(tmp_path, postgres):
    url = postgresql.new_database(postgres)
    name = urlsplit(url).path[1:]
    with (
        psycopg.connect(postgres.replace("NAME", "postgres"), autocommit=True) as admin,
        serving(tmp_path / "data", "--database", url) as server,
    ):
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
        answers = [server.call("GET", path) for path in ("/health", "/v1/results")]
    assert [answer.status_code for answer in answers] == [503, 503]
    assert answers[0].json()["title"] == "the database does not answer; try again"


def test_an_upgrade_keeps_what_an_older_release_published(tmp_path):
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


def test_old_partial_uploads_are_removed_at_the_start(tmp_path):
    uploads = tmp_path / "data" / "uploads"
    uploads.mkdir(parents=True)
    old, young = uploads / ".coming-old", uploads / ".coming-young"
    for path in (old, young):
        path.write_bytes(b"partial")
    os.utime(old, (1, 1))
    with serving(tmp_path / "data"):
        assert list(uploads.iterdir()) == [young]


def test_the_openapi_document_describes_bodies(tmp_path):
    with serving(tmp_path / "data") as server:
        paths = json.loads(server.call("GET", "/openapi.json").text)["paths"]
    assert paths["/v1/results"]["post"]["requestBody"]["content"]["application/json"]["schema"]


def test_users_and_the_foundation_are_added_by_command(tmp_path):
    data, alice = tmp_path / "data", person("alice")
    key = tmp_path / "key.pub"
    key.write_text(f"{rsa_key.public_line(alice.key)} a comment\n")
    add = ("user", "add", "--data", data, "--key", key)
    for _ in range(2):  # The command can be repeated.
        assert client(*add, "--foundation", "--fullname", "Alice", alice.openid).returncode == 0
    other = client(*add, "another-user")
    assert other.returncode == 4
    assert "already exists" in other.stderr
    key.write_text("nonsense")
    assert client(*add, alice.openid).returncode == 4
    with serving(data) as server:
        profile = server.call("GET", "/v1/profile", alice).json()
    assert (profile["fullname"], profile["is_admin"]) == ("Alice", True)
