"""A PostgreSQL of the test's own, as Debian packages it."""

import contextlib
import os
import pwd
import shutil
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg

_USER = "postgres"
GUARDED = "guarded"
"""The one user who needs a password."""


def programs() -> Path | None:
    """Return where PostgreSQL's server programs are; Debian keeps them out of the path."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    usual = shutil.which("initdb")
    return found[-1].parent if found else Path(usual).parent if usual else None


@contextlib.contextmanager
def running(place: Path, bin_: Path) -> Iterator[str]:
    """Run a cluster in ``place``; yield the URL of its server, to which a name is appended."""
    data, sockets = place / "data", place / "sockets"
    sockets.mkdir()
    as_whom = []
    if os.getuid() == 0:  # which PostgreSQL refuses
        pwd.getpwnam(_USER)
        for each in (place, *place.parents):
            if each not in (Path("/tmp"), Path("/")):
                with contextlib.suppress(PermissionError):
                    each.chmod(each.stat().st_mode | 0o011)
        shutil.chown(place, _USER)
        shutil.chown(sockets, _USER)
        as_whom = ["setpriv", "--reuid", _USER, "--regid", _USER, "--clear-groups"]

    def run(program: str, *arguments: str | Path) -> None:
        command = [*as_whom, bin_ / program, *arguments]
        subprocess.run(command, check=True, capture_output=True, cwd=place)

    run("initdb", "-D", data, "-U", _USER, "-A", "trust", "--no-sync")
    rules = data / "pg_hba.conf"
    rules.write_text(f"local all {GUARDED} scram-sha-256\n{rules.read_text()}")
    options = f"-c listen_addresses= -c unix_socket_directories={sockets} -c fsync=off"
    run("pg_ctl", "-D", data, "-w", "-l", place / "log", "-o", options, "start")
    try:
        yield f"postgresql://{_USER}@/NAME?host={sockets}"
    finally:
        run("pg_ctl", "-D", data, "-m", "immediate", "stop")


def new_database(url: str) -> str:
    """Make a database; return its URL."""
    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(url.replace("NAME", _USER), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return url.replace("NAME", name)
