"""Measure how many requests a second a server answers, beside the least that FastAPI could do.

python benchmarks/server_load.py [--results 100000] [--seconds 2] [--rounds 5] [--database URL]

The other server (bare_server.py) reads or writes one row of the same database for each request.
The two take turns, so that what else the machine does slows down both; a rate is the median of the
rounds, a ratio the median of the ratios of the rounds. "CPU" is the processor time of the server
and its workers for a request; it does not depend on the clients, which run on this machine too.

Half of the results are anonymous lists of 300 passed tests, as RefStack v1's clients upload them.
The others are public results of 500 products of 100 vendors with a verdict; some are verified.
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
from datetime import timedelta
from pathlib import Path

import psutil
import sqlalchemy as sa

from capabilities import catalogue, programme
from refstack_server.intake.verify_upload import MOST_ENTRIES
from refstack_server.store import database, packed_outcomes
from refstack_server.store.packed_outcomes import Entry
from refstack_server.store.schema import (
    Count,
    Kind,
    Meta,
    Product,
    ProductVersion,
    Result,
    User,
    Vendor,
    VendorType,
    new_id,
    now,
)
from refstack_server.web import cursors, session_secret

CLIENT = Path(sys.executable).with_name("refstack-client")
BARE = Path(__file__).with_name("bare_server.py")
TESTS, CLIENTS, CHOSEN = 300, 8, 100
VENDORS, PRODUCTS = 100, 5
VERIFIED = 20
"""One of so many results of products is verified."""
GUIDELINES, PROGRAMMES = ("2019.11", "2020.06", "2022.11"), ("platform", "compute", "storage")
GUIDELINE, _ = catalogue.load("2022.11")
OWNER = "https://id.example.org/owner"
NAMES = [test.name for test in programme.find(GUIDELINE, "platform").counted_tests()][:TESTS]
TARGETS = {
    "list": 0.5,
    "list, deep page": 0.5,
    "list, filtered": 0.5,
    "v1 list": 0.5,
    "one": 0.5,
    "v1 one": 0.5,
    "post": 0.4,
}
"""The least ratio to the rate of the other server."""

Request = tuple[str, str, bytes | None]
Next = Callable[[], Request]
Server = tuple[int, psutil.Process]
"""The port and the process of a server."""


@dataclass(frozen=True)
class Rate:
    """Requests a second; the median and the 99th percentile of their milliseconds.

    ``cpu`` are the milliseconds of processor time that the server takes for a request.
    """

    a_second: float
    median: float
    p99: float
    cpu: float


def fill(engine: sa.Engine, number: int) -> list[str]:
    """Store results; return the ids of some."""
    common: dict[str, object] = {
        "created_at": now(),
        "cpid": "cloud",
        "cpid_folded": "cloud",
        "duration_seconds": 600,
        "listed": True,
        "outcomes": packed_outcomes.pack([Entry(name, "", "pass") for name in NAMES]),
    }
    ids = [new_id() for _ in range(number)]
    with database.writer(engine).begin() as connection:
        versions = _fill_products(connection)
        for begin in range(0, number, 1000):
            for make in (_anonymous, _of_product):
                start = begin + (make is _of_product)
                rows = [
                    {"id": ids[index], **common, **make(index, versions)}
                    for index in range(start, min(begin + 1000, number), 2)
                ]
                connection.execute(sa.insert(Result), rows)
        for key, value in (("shared", "true"), ("user", OWNER)):
            owned = sa.select(Result.number, sa.literal(key), sa.literal(value))
            owned = owned.where(Result.openid.is_not(None))
            connection.execute(sa.insert(Meta).from_select(["number", "key", "value"], owned))
        counting = sa.update(Count).where(Count.what == "listed results")
        connection.execute(counting.values(number=Count.number + number))
        if engine.dialect.name == "postgresql":  # Its autovacuum would do so within a minute.
            connection.exec_driver_sql("ANALYZE")
    return random.sample(ids, min(CHOSEN, number))


def _fill_products(connection: sa.Connection) -> list[str]:
    """Store vendors with products; return the ids of their versions."""
    connection.execute(sa.insert(User), [{"openid": OWNER, "pseudonym": new_id()}])
    versions = []
    for index in range(VENDORS):
        vendor = {"id": new_id(), "name": f"Vendor {index}", "type": int(VendorType.OFFICIAL)}
        connection.execute(sa.insert(Vendor), [{**vendor, "created_by_user": OWNER}])
        for product_index in range(PRODUCTS):
            product = {
                "id": new_id(),
                "name": f"Product {product_index}",
                "organization_id": vendor["id"],
                "product_type": 1,
                "public": True,
                "created_by_user": OWNER,
            }
            connection.execute(sa.insert(Product), [product])
            versions.append(new_id())
            version = {"id": versions[-1], "product_id": product["id"], "version": "1"}
            connection.execute(sa.insert(ProductVersion), [version])
    return versions


def _anonymous(_index: int, _versions: list[str]) -> dict[str, object]:
    return {"kind": str(Kind.PASSES)}


def _of_product(index: int, versions: list[str]) -> dict[str, object]:
    is_verified = index // 2 % VERIFIED == 0
    return {
        "kind": str(Kind.STREAM),
        "openid": OWNER,
        "product_version_id": random.choice(versions),
        "guideline": random.choice(GUIDELINES),
        "programme": random.choice(PROGRAMMES),
        "conformance": "conformant",
        "verification_status": int(is_verified),
        "verified_at": now() if is_verified else None,
        "verified_until": now() + timedelta(days=365) if is_verified else None,
    }


@contextlib.contextmanager
def serving(data: Path, url: str) -> Iterator[int]:
    """Run a server; yield its port."""
    with _running(_command(data, url), "/health") as (port, _):
        yield port


def _command(data: Path, url: str) -> list[object]:
    """Return the command that runs a server without limits per minute."""
    limits = ["--requests-per-minute", "0", "--uploads-per-minute", "0"]
    database_option = ["--database", url] if url else []
    return [CLIENT, "server", "--data", data, *limits, *database_option]


@contextlib.contextmanager
def _running(command: list[object], path: str) -> Iterator[Server]:
    """Run a server until it answers; yield its port and process."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    arguments = [*map(str, command), "--port", str(port)]
    with subprocess.Popen(arguments, stderr=subprocess.DEVNULL) as process:
        try:
            while True:
                with contextlib.suppress(OSError):
                    send(http.client.HTTPConnection("127.0.0.1", port), ("GET", path, None))
                    break
                time.sleep(0.02)
            yield port, psutil.Process(process.pid)
        finally:
            process.terminate()


def send(connection: http.client.HTTPConnection, request: Request) -> None:
    """Send a request and read the response."""
    method, path, body = request
    connection.request(method, path, body)
    response = connection.getresponse()
    response.read()
    if response.status not in (200, 201):
        raise RuntimeError(f"{method} {path}: {response.status}")


def measure(server: Server, seconds: float, next_: Next) -> Rate:
    """Send requests over several persistent connections."""
    port, process = server
    seconds_taken: list[float] = []
    cpu = _cpu_seconds(process)
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
    number = len(seconds_taken)
    seconds_taken.sort()
    return Rate(
        number / seconds,
        1000 * statistics.median(seconds_taken),
        1000 * seconds_taken[int(number * 0.99)],
        1000 * (_cpu_seconds(process) - cpu) / number,
    )


def _cpu_seconds(process: psutil.Process) -> float:
    times = [one.cpu_times() for one in (process, *process.children())]
    return sum(spent.user + spent.system for spent in times)


def upload(names: list[str]) -> bytes:
    """Return the body of an upload of passed tests."""
    results = [{"name": name} for name in names]
    return json.dumps({"cpid": "c", "duration_seconds": 1, "results": results}).encode()


def requests_of(data: Path, ids: list[str], number: int) -> dict[str, Next]:
    """Return what makes the next request of each kind."""
    secret, body = session_secret.read_or_create(data), upload(NAMES)
    filters = "guideline=2020.06&programme=storage&standing=verified"

    def get(path: Callable[[], str]) -> Next:
        return lambda: ("GET", path(), None)

    def deep() -> str:
        return cursors.write(secret, random.randint(number // 4, number // 2))

    return {
        "list": get(lambda: "/v2/results"),
        "list, deep page": get(lambda: f"/v2/results?after={deep()}"),
        "list, filtered": get(lambda: f"/v2/results?{filters}"),
        "v1 list": get(lambda: f"/v1/results?page={random.randint(1, 5)}"),
        "one": get(lambda: f"/v2/results/{random.choice(ids)}"),
        "v1 one": get(lambda: f"/v1/results/{random.choice(ids)}"),
        "page of one": get(lambda: f"/results/{random.choice(ids)}"),
        "page of results": get(lambda: "/results"),
        "front page": get(lambda: "/"),
        "front page, unofficial": get(lambda: "/?standing=unofficial"),
        "post": lambda: ("POST", "/v1/results", body),
    }


def compare(
    bare: Server, ours: Server, ways: tuple[Next, Next], args: argparse.Namespace
) -> tuple[Rate, Rate, float]:
    """Return the rates of two servers, and the ratio of the second to the first."""
    pairs = []
    for server, way in zip((bare, ours), ways, strict=True):
        measure(server, 1, way)
    for _ in range(args.rounds):
        pairs.append((measure(bare, args.seconds, ways[0]), measure(ours, args.seconds, ways[1])))
    ratio = statistics.median(second.a_second / first.a_second for first, second in pairs)
    first, second = (
        sorted(rates, key=lambda rate: rate.a_second)[args.rounds // 2]
        for rates in zip(*pairs, strict=True)
    )
    return first, second, ratio


def compare_all(data: Path, url: str, ids: list[str], args: argparse.Namespace) -> None:
    """Measure and print each kind of request."""
    body = upload(NAMES)
    bare_ways: dict[bool, Next] = {
        False: lambda: ("GET", f"/{random.choice(ids)}", None),
        True: lambda: ("POST", "/", body),
    }
    bare_command = [sys.executable, BARE, "--database", url]
    with (
        _running(bare_command, f"/{ids[0]}") as bare,
        _running(_command(data, url), "/health") as ours,
    ):
        for name, next_ in requests_of(data, ids, args.results).items():
            if args.only and name not in args.only:
                continue
            ways = bare_ways[name == "post"], next_
            first, second, ratio = compare(bare, ours, ways, args)
            target = f" (target: {TARGETS[name]})" if name in TARGETS else ""
            print(
                f"{name:22} {first.a_second:5.0f} / {second.a_second:5.0f} a second = "
                f"{ratio:.2f}{target}; CPU {first.cpu:.2f} / {second.cpu:.2f} ms; "
                f"median {second.median:.1f} ms, p99 {second.p99:.1f} ms",
                flush=True,
            )
        if not args.only:
            large(ours)


def large(server: Server) -> None:
    """Measure an upload with as many names as a result may have while others request lists."""
    body = upload([f"test.{number}" for number in range(MOST_ENTRIES)])
    others: list[Rate] = []
    clients = threading.Thread(
        target=lambda: others.append(measure(server, 3, lambda: ("GET", "/v1/results", None)))
    )
    clients.start()
    time.sleep(0.5)
    began = time.monotonic()
    send(http.client.HTTPConnection("127.0.0.1", server[0]), ("POST", "/v1/results", body))
    took = time.monotonic() - began
    clients.join()
    print(f"upload of {MOST_ENTRIES} names: {took:.2f} s; lists meanwhile {others[0]}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=int, default=100_000)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--database", default="")
    parser.add_argument("--only", nargs="+", metavar="KIND", help="kinds of requests to measure")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="refstack-load-") as place:
        data = Path(place) / "data"
        data.mkdir()
        url = args.database or f"sqlite:///{data / 'refstack.sqlite'}"
        engine = database.connect(url)
        database.upgrade(engine)
        ids = fill(engine, args.results)
        print(f"{args.results} results, {engine.dialect.name}; bare route / server", flush=True)
        compare_all(data, url, ids, args)


if __name__ == "__main__":
    main()
