"""A PostgreSQL server for tests, from Debian's packages."""

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
"""The only user with a password."""


def programs() -> Path | None:
    """Return the directory of PostgreSQL's programs; Debian does not add it to the path."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    usual = shutil.which("initdb")
    return found[-1].parent if found else Path(usual).parent if usual else None


@contextlib.contextmanager
def running(place: Path, bin_: Path) -> Iterator[str]:
    """Run a cluster in ``place``; yield its URL, in which NAME stands for a database."""
    data, sockets = place / "data", place / "sockets"
    sockets.mkdir()
    prefix = []
    if os.getuid() == 0:  # PostgreSQL refuses to run as root.
        pwd.getpwnam(_USER)
        for directory in (place, *place.parents):
            if directory not in (Path("/tmp"), Path("/")):
                with contextlib.suppress(PermissionError):
                    directory.chmod(directory.stat().st_mode | 0o011)
        shutil.chown(place, _USER)
        shutil.chown(sockets, _USER)
        prefix = ["setpriv", "--reuid", _USER, "--regid", _USER, "--clear-groups"]

    def run(program: str, *arguments: str | Path) -> None:
        command = [*prefix, bin_ / program, *arguments]
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
    """Create a database; return its URL."""
    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(url.replace("NAME", _USER), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return url.replace("NAME", name)
