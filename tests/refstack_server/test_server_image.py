"""The collector in a container, as compose.yaml runs it."""

import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import requests
import yaml
from support import postgresql
from support.engines import ROOT, built, docker
from support.serving import free_port

from refstack_server.cli.serve import Serve

IMAGE = "refstack-server:test"
VARIABLE = re.compile(r"\$\{\w+:-([^}]*)\}")
"""A variable of compose, and its default."""
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]["server"]
PASSWORD = "canary-of-a-password"


@pytest.fixture(scope="module")
def image() -> Iterator[str]:
    yield built(COMPOSE["build"]["target"], IMAGE)
    docker("rmi", "--force", IMAGE, check=False)


def hardening() -> list[str]:
    """Return the hardening of compose.yaml as options of docker run."""
    return [
        *(["--read-only"] if COMPOSE["read_only"] else []),
        *(f"--tmpfs={path}" for path in COMPOSE["tmpfs"]),
        *(f"--cap-drop={capability}" for capability in COMPOSE["cap_drop"]),
        *(f"--security-opt={option}" for option in COMPOSE["security_opt"]),
    ]


def test_the_command_of_the_compose_file_is_valid():
    command = [VARIABLE.sub(r"\1", argument) for argument in COMPOSE["command"]]
    parsed = Serve(None, None).get_parser("server").parse_args(command)
    assert parsed.public_url == "http://localhost:8000"
    assert parsed.database == "postgresql://refstack@database/refstack"
    assert parsed.database_password == Path("/run/secrets/database-password")
    assert parsed.data == Path("/var/lib/refstack")
    assert COMPOSE["volumes"] == ["uploads:/var/lib/refstack"]


@pytest.mark.container
@pytest.mark.long
def test_the_image_serves_over_postgresql_and_stops_cleanly(image, postgres, tmp_path):
    url = postgresql.new_database(postgres)
    with psycopg.connect(url, autocommit=True) as admin:
        admin.execute(f"CREATE ROLE {postgresql.GUARDED} LOGIN PASSWORD '{PASSWORD}'")
        admin.execute(f"GRANT ALL ON SCHEMA public TO {postgresql.GUARDED}")
    port, sockets = free_port(), url.rpartition("=")[2]
    address = f"http://127.0.0.1:{port}"
    secret = tmp_path / "password"
    secret.touch(mode=0o444)
    name, volume = f"refstack-{tmp_path.name}", f"refstack-{tmp_path.name}"
    options = [
        *("run", "--name", name, "--network", "host", *hardening()),
        *("-v", f"{volume}:/var/lib/refstack", "-v", f"{secret}:/run/password:ro"),
        *("-v", f"{sockets}:{sockets}"),
    ]
    served = [
        *("--data", "/var/lib/refstack", "--port", str(port)),
        *("--database", url.replace("postgres@", f"{postgresql.GUARDED}@")),
        *("--database-password", "/run/password"),
    ]
    try:
        secret.write_text("wrong")
        refused = docker(*options, "--rm", image, *served, check=False, text=True)
        assert (refused.returncode, "cannot reach" in refused.stderr) == (5, True)
        assert "Traceback" not in refused.stderr
        secret.write_text(f"{PASSWORD}\n")
        docker(*options, "--detach", image, *served)
        assert answer(name, f"{address}/health").json() == {"status": "ok"}
        sent = {"cpid": "c", "duration_seconds": 1, "results": [{"name": "t"}]}
        made = requests.post(f"{address}/v1/results", json=sent, timeout=30).json()
        docker("restart", name)
        assert answer(name, f"{address}/v1/results/{made['test_id']}").json()["results"] == ["t"]
        assert docker("exec", name, "id", "-u").stdout == b"65532\n"
        docker("stop", name)
        ended = docker("inspect", name, "--format", "{{.State.ExitCode}}")
        assert ended.stdout == b"0\n"
        for done in (docker("inspect", name), docker("logs", name), docker("history", image)):
            assert PASSWORD.encode() not in done.stdout + done.stderr
    finally:
        docker("rm", "--force", name, check=False)
        docker("volume", "rm", volume, check=False)


def answer(name: str, url: str) -> requests.Response:
    """Return the server's answer; wait until it answers."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            return requests.get(url, timeout=30)
        except requests.ConnectionError:
            time.sleep(0.2)
    done = subprocess.run(["docker", "logs", name], capture_output=True, check=False)
    raise AssertionError(done.stderr.decode())
