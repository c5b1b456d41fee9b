"""Measure the processor time of an export: the first one, one without changes, one with a change.

python benchmarks/server_export.py [--results 1000]

Each result has 300 tests and a verdict. The time is that of the export and of its workers.
"""

import argparse
import os
import subprocess
import tempfile
import time
from pathlib import Path

import sqlalchemy as sa
from server_load import CLIENT, GUIDELINE, fill

from refstack_server.store import database
from refstack_server.store.schema import Result


def export(data: Path, site: Path, what: str) -> None:
    """Export, and print how long it took."""
    began, before = time.monotonic(), os.times()
    command = [CLIENT, "server", "export", site, "--data", data]
    done = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=True)
    after = os.times()
    processor = sum(after[2:4]) - sum(before[2:4])
    system = after.children_system - before.children_system
    print(
        f"{what:20} {processor:6.1f} s of processor time ({system:.1f} s in the system), "
        f"{time.monotonic() - began:6.1f} s: {done.stderr.splitlines()[-2:][0]}",
        flush=True,
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=int, default=1000)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="refstack-export-") as place:
        data, site = Path(place) / "data", Path(place) / "site"
        data.mkdir()
        engine = database.connect(f"sqlite:///{data / 'refstack.sqlite'}")
        database.upgrade(engine)
        changed = fill(engine, args.results)[0]
        judged = {"guideline": GUIDELINE.id, "programme": "platform"}
        with database.writer(engine).begin() as connection:
            connection.execute(sa.update(Result).values(**judged, conformance="not-conformant"))
        export(data, site, "first")
        export(data, site, "without changes")
        with database.writer(engine).begin() as connection:
            query = sa.update(Result).where(Result.id == changed)
            connection.execute(query.values(conformance="incomplete"))
        export(data, site, "one result changed")


if __name__ == "__main__":
    main()
