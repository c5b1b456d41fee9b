"""Measure whether a server answers while anonymous clients send the worst that they may.

python benchmarks/server_attack.py [--clients 100] [--seconds 30]

The clients request the largest results in every form and upload the largest bodies. Meanwhile
/health and the list of results are requested, and the memory of the server and its workers is
measured. The clients run on this machine too, with a lower priority: elsewhere they would take
nothing from the server's processors.
"""

import argparse
import contextlib
import itertools
import json
import multiprocessing
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import psutil
import requests
from server_load import serving

from capabilities import catalogue
from refstack_client.bundle import archive
from refstack_server.intake.verify_upload import MOST_ENTRIES
from refstack_server.settings import MIB, Settings
from refstack_server.store import database

LONGEST_MILLISECONDS, MOST_MIB = 250, 512
LARGE_RESULTS = 6
WATCHED = ("/health", "/results")


def passes(number: int, tests: int) -> bytes:
    """Return an upload of passed tests."""
    results = [{"name": f"tempest.api.Class{number}.test_{index}"} for index in range(tests)]
    body = {"cpid": "c", "duration_seconds": number, "results": results}
    return json.dumps(body).encode()


def stored(url: str, body: bytes) -> str:
    """Upload results; return their id."""
    return requests.post(f"{url}/v1/results", data=body).json()["test_id"]


def unsigned() -> bytes:
    """Return a bundle of the largest size, signed with a key that is not registered."""
    with tempfile.TemporaryDirectory() as place:
        key = Path(place) / "key"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
        (Path(place) / "manifest").write_bytes(b"{}")
        sign = ["ssh-keygen", "-q", "-Y", "sign", "-n", "bundle@refstack-client", "-f", key]
        subprocess.run([*sign, Path(place) / "manifest"], check=True)
        signature = (Path(place) / "manifest.sig").read_bytes()
    filler = b"x" * (Settings.most_bundle_bytes - MIB)
    members = {"manifest.json": b"{}", "manifest.json.sig": signature, "report.html": filler}
    return archive.pack(members)


def attack(url: str, clients: int, until: float, ids: list[str], bundle: bytes) -> None:
    """Send the requests of all clients; print how often each was answered how."""
    psutil.Process().nice(5)
    many = b'{"cpid":"c","duration_seconds":1,"results":['
    many += b",".join(b'{"name":"a%x"}' % number for number in range(230_000)) + b"]}"
    guidelines = list(catalogue.shipped())

    def one() -> str:
        return random.choice(ids)

    kinds: dict[str, Callable[[requests.Session], requests.Response]] = {
        "GET /v1/results/ID": lambda client: client.get(f"{url}/v1/results/{one()}"),
        "GET /results/ID": lambda client: client.get(f"{url}/results/{one()}"),
        "GET /v2/…/outcomes": lambda client: client.get(f"{url}/v2/results/{one()}/outcomes"),
        "GET /compared": lambda client: client.get(
            f"{url}/compared?before={one()}&after={one()}&programme=platform"
            f"&guideline={random.choice(guidelines)}"
        ),
        "POST /v1/results": lambda client: client.post(f"{url}/v1/results", data=many),
        "POST /v2/bundles": lambda client: client.post(f"{url}/v2/bundles", data=bundle),
    }
    answers: Counter[str] = Counter()

    def client(number: int) -> None:
        session = requests.Session()
        for kind in itertools.islice(itertools.cycle(kinds), number, None):
            if time.time() > until:
                return
            try:
                answers[f"{kind}: {kinds[kind](session).status_code}"] += 1
            except requests.ConnectionError:
                answers[f"{kind}: closed"] += 1

    threads = [threading.Thread(target=client, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for answer, times in sorted(answers.items()):
        print(f"{times:6} × {answer}")


def memory(server: psutil.Process) -> int:
    """Return the memory of a server and its workers, in bytes."""
    with contextlib.suppress(psutil.Error):
        processes = [server, *server.children(recursive=True)]
        return sum(process.memory_info().rss for process in processes)
    return 0


def main() -> int:
    """Measure and print; return 1 if an answer took too long or the memory was too large."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=30)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="refstack-attack-") as place:
        data = Path(place) / "data"
        data.mkdir()
        database.upgrade(database.connect(f"sqlite:///{data / 'refstack.sqlite'}"))
        with serving(data, "") as port:
            url = f"http://127.0.0.1:{port}"
            server = next(
                process
                for process in psutil.Process().children()
                if str(port) in " ".join(process.cmdline())
            )
            ids = [
                requests.post(f"{url}/v1/results", data=passes(number, MOST_ENTRIES)).json()[
                    "test_id"
                ]
                for number in range(LARGE_RESULTS)
            ]
            for path in WATCHED:  # The first request of a page compiles its template.
                requests.get(url + path)
            until = time.time() + args.seconds
            attacking = multiprocessing.Process(
                target=attack, args=(url, args.clients, until, ids, unsigned())
            )
            attacking.start()
            took: dict[str, list[float]] = {path: [] for path in WATCHED}
            largest = 0
            while time.time() < until:
                for path, milliseconds in took.items():
                    began = time.monotonic()
                    requests.get(url + path).raise_for_status()
                    milliseconds.append(1000 * (time.monotonic() - began))
                largest = max(largest, memory(server))
            attacking.join()
    is_good = largest < MOST_MIB * MIB
    for path, milliseconds in took.items():
        milliseconds.sort()
        median, longest = milliseconds[len(milliseconds) // 2], milliseconds[-1]
        is_good = is_good and longest <= LONGEST_MILLISECONDS
        print(
            f"{path}: {len(milliseconds)} answers, median {median:.0f} ms, longest {longest:.0f} ms"
        )
    print(f"memory: {largest // MIB} MiB at most")
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
