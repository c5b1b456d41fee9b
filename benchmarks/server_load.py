"""Measure how many requests a second a server answers, with few and with many results stored.

python benchmarks/server_load.py [--results 100000] [--seconds 10] [--database URL]

The clients run on this machine too and use a share of its processors. Each result has 300 tests.
The server is one process with SQLite unless --database names another database.
"""

import argparse
import contextlib
import http.client
import json
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from capabilities import catalogue, programme
from refstack_server.store import database, packed_outcomes
from refstack_server.store.packed_outcomes import Entry
from refstack_server.store.schema import Count, Kind, Result, new_id, now

CLIENT = Path(sys.executable).with_name("refstack-client")
FEW, TESTS, CLIENTS = 100, 300, 8
TARGETS = {"list": 200, "one": 200, "post": 100}
P99 = 250
GUIDELINE, _ = catalogue.load("2022.11")
NAMES = [test.name for test in programme.find(GUIDELINE, "platform").counted_tests()][:TESTS]


@dataclass(frozen=True)
class Rate:
    """Requests a second; the median and the 99th percentile of their milliseconds."""

    a_second: float
    median: float
    p99: float


def fill(engine: sa.Engine, number: int) -> list[str]:
    """Store results; return the ids of some."""
    ids = [new_id() for _ in range(number)]
    packed = packed_outcomes.pack([Entry(name, "", "pass") for name in NAMES])
    common = {
        "created_at": now(),
        "cpid": "cloud",
        "cpid_folded": "cloud",
        "duration_seconds": 600,
        "listed": True,
        "verification_status": 0,
        "outcomes": packed,
        "kind": str(Kind.PASSES),
    }
    with database.writer(engine).begin() as connection:
        for begin in range(0, number, 1000):
            rows = [{"id": result_id, **common} for result_id in ids[begin : begin + 1000]]
            connection.execute(sa.insert(Result), rows)
        counting = sa.update(Count).where(Count.what == "listed results")
        connection.execute(counting.values(number=Count.number + number))
    return random.sample(ids, min(FEW, number))


@contextlib.contextmanager
def serving(data: Path, url: str) -> Iterator[int]:
    """Run a server; yield its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = ["--requests-per-minute", "0", "--uploads-per-minute", "0"]
    command = [CLIENT, "server", "--data", data, "--port", str(port), *options]
    command += ["--database", url] if url else []
    began = time.monotonic()
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        try:
            while True:
                with contextlib.suppress(OSError):
                    send(http.client.HTTPConnection("127.0.0.1", port), ("GET", "/health", None))
                    break
                time.sleep(0.02)
            print(f"started in {time.monotonic() - began:.2f} s")
            yield port
        finally:
            process.terminate()


Request = tuple[str, str, bytes | None]


def send(connection: http.client.HTTPConnection, request: Request) -> None:
    """Send a request and read the response."""
    method, path, body = request
    connection.request(method, path, body)
    response = connection.getresponse()
    response.read()
    if response.status not in (200, 201):
        raise RuntimeError(f"{method} {path}: {response.status}")


def measure(port: int, seconds: float, next_: Callable[[], Request]) -> Rate:
    """Send requests over several persistent connections."""
    seconds_taken: list[float] = []
    until = time.monotonic() + seconds

    def client() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        while (began := time.monotonic()) < until:
            send(connection, next_())
            seconds_taken.append(time.monotonic() - began)

    threads = [threading.Thread(target=client) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds_taken.sort()
    return Rate(
        len(seconds_taken) / seconds,
        1000 * statistics.median(seconds_taken),
        1000 * seconds_taken[int(len(seconds_taken) * 0.99)],
    )


def upload(names: list[str]) -> bytes:
    """Return the body of an upload of passed tests."""
    results = [{"name": name} for name in names]
    return json.dumps({"cpid": "c", "duration_seconds": 1, "results": results}).encode()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--database", default="")
    args = parser.parse_args()
    medians: dict[int, dict[str, float]] = {}
    body = upload(NAMES)
    with tempfile.TemporaryDirectory(prefix="refstack-load-") as place:
        data = Path(place) / "data"
        data.mkdir()
        engine = database.connect(args.database or f"sqlite:///{data / 'refstack.sqlite'}")
        database.upgrade(engine)
        stored = 0
        for number in (FEW, args.results):
            ids = fill(engine, number - stored)
            stored = number
            with serving(data, args.database) as port:
                ways: dict[str, Callable[[], Request]] = {
                    "list": lambda: ("GET", f"/v1/results?page={random.randint(1, 5)}", None),
                    "one": lambda ids=ids: ("GET", f"/v1/results/{random.choice(ids)}", None),
                    "page": lambda: ("GET", "/results", None),
                    "post": lambda: ("POST", "/v1/results", body),
                }
                medians[number] = {}
                for name, next_ in ways.items():
                    measure(port, 1, next_)
                    rate = measure(port, args.seconds, next_)
                    medians[number][name] = rate.median
                    target = f" (target: {TARGETS[name]})" if name in TARGETS else ""
                    print(
                        f"{number:7} results  {name:5} {rate.a_second:6.0f}/s{target}, "
                        f"median {rate.median:.1f} ms, p99 {rate.p99:.1f} ms (target: {P99})",
                        flush=True,
                    )
        for name, few in medians[FEW].items():
            ratio = medians[args.results][name] / few
            print(f"{name}: {ratio:.2f} times as long at {args.results} results as at {FEW}")
        large(data, args.database)


def large(data: Path, url: str) -> None:
    """Measure an upload of 100,000 names while other clients request lists."""
    body = upload([f"test.{number}" for number in range(100_000)])
    with serving(data, url) as port:
        others: list[Rate] = []
        clients = threading.Thread(
            target=lambda: others.append(measure(port, 3, lambda: ("GET", "/v1/results", None)))
        )
        clients.start()
        time.sleep(0.5)
        began = time.monotonic()
        send(http.client.HTTPConnection("127.0.0.1", port), ("POST", "/v1/results", body))
        took = time.monotonic() - began
        clients.join()
    print(f"100,000 names: {took:.2f} s; lists meanwhile {others[0]}")


if __name__ == "__main__":
    main()
