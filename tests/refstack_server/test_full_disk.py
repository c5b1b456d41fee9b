"""A disk that fills refuses uploads with a message, and stops nothing else."""

import shutil
import sqlite3
import subprocess
import threading
from pathlib import Path

import pytest
from support.bundles import make_key, packed, registered
from support.serving import add_user, person, serving

MIB = 1024 * 1024
NO_SPACE = "the server has no space left for uploads; its operator must free disk space"


@pytest.fixture
def disk(tmp_path):
    """Mount a disk of 40 MiB; yield its directory."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=40m", "refstack-test", place]
    mounted = subprocess.run(command, capture_output=True, text=True, check=False)
    if mounted.returncode:
        pytest.skip(f"a file system cannot be mounted: {mounted.stderr.strip()}")
    yield place
    subprocess.run(["umount", "-l", place], check=True)


def fill(place: Path, free: int) -> Path:
    """Write a file so that ``free`` bytes of the disk are free."""
    path = place / "filler"
    with path.open("wb", buffering=0) as file:
        while (size := shutil.disk_usage(place).free - free) > 0:
            file.write(bytes(min(MIB, size)))
    return path


def v1_upload(server, size: int = 100):
    results = [{"name": "x" * 500} for _ in range(size)]
    return server.call(
        "POST", "/v1/results", json={"cpid": "c", "duration_seconds": 1, "results": results}
    )


def is_refused(answer) -> bool:
    return (answer.status_code, answer.json()["title"]) == (507, NO_SPACE)


def check_database(data: Path) -> None:
    with sqlite3.connect(f"file:{data / 'refstack.sqlite'}?mode=ro", uri=True) as stored:
        assert stored.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def uploads(data: Path) -> set[Path]:
    return {path for path in (data / "uploads").rglob("*") if path.is_file()}


@pytest.mark.parametrize("reserve", [0, 8])
def test_a_full_disk_refuses_uploads_and_nothing_else(disk, tmp_path, reserve):
    """Without a reserve the disk is full to the last byte, and every write fails."""
    data, alice = disk / "data", person("alice")
    add_user(data, alice)
    key = make_key(tmp_path / "key")
    bundle = packed(tmp_path, key)
    with serving(data, "--disk-reserve", str(reserve)) as server:
        registered(server, alice, key)
        stored = server.upload(["t"], alice)
        before = uploads(data)
        assert server.call("GET", "/health").json() == {"status": "ok"}
        filler = fill(disk, free=reserve * MIB // 2)
        for size in (1, 100, 10_000):
            assert is_refused(v1_upload(server, size))
            assert is_refused(server.call("POST", "/v2/bundles", alice, data=bundle))
            assert is_refused(server.call("POST", "/v2/bundles", data=bundle))
        assert uploads(data) == before
        assert server.call("GET", f"/v1/results/{stored}", alice).json()["results"] == ["t"]
        assert server.call("GET", "/v1/results").status_code == 200
        health = server.call("GET", "/health")
        expected = "disk is nearly full" if reserve else "ok"
        assert (health.status_code, health.json()) == (200, {"status": expected})
        assert "refstack_disk_free_bytes" in server.call("GET", "/metrics").text
        filler.unlink()
        assert v1_upload(server).status_code == 201
        assert server.call("POST", "/v2/bundles", alice, data=bundle).status_code == 201
        assert server.call("GET", "/health").json() == {"status": "ok"}
        check_database(data)
    check_database(data)
    assert "raceback" not in (disk / "data.log").read_text()


def test_an_upload_that_would_use_the_reserve_is_refused_while_it_arrives(disk):
    data, alice = disk / "data", person("alice")
    add_user(data, alice)
    with serving(data, "--disk-reserve", "8") as server:
        stated = server.call("POST", "/v2/bundles", alice, data=bytes(39 * MIB))
        assert is_refused(stated)
        pieces = (bytes(MIB) for _ in range(39))
        assert is_refused(server.call("POST", "/v2/bundles", alice, data=pieces))
        assert uploads(data) == set()
        assert shutil.disk_usage(disk).free > 30 * MIB
        assert v1_upload(server).status_code == 201


def test_uploads_at_the_same_time_leave_the_reserve(disk):
    data, alice = disk / "data", person("alice")
    add_user(data, alice)
    with serving(data, "--disk-reserve", "8") as server:
        answers, least = [], []

        def send():
            pieces = (bytes(MIB // 4) for _ in range(4 * 20))
            answers.append(server.call("POST", "/v2/bundles", alice, data=pieces).status_code)

        threads = [threading.Thread(target=send) for _ in range(4)]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            least.append(shutil.disk_usage(disk).free)
            threads[0].join(0.005)
        assert 507 in answers
        assert set(answers) <= {400, 507}  # 400: a complete body that is not a bundle.
        assert min(least) > 7 * MIB
        assert uploads(data) == set()
