"""Measure a certification against other ways to run the same tests, on one sandbox.

python benchmarks/platform_speed.py [--rounds N] [--latency 100ms] [--only certify] [--old TREE]

Each round runs the same tests of the same programme in several ways, one after the other:

certify  refstack-client certify --concurrency 2 (with --latency: the concurrency it chooses)
old      the same with the refstack-client of another checkout, which has a virtual environment
tempest  tempest run --load-list --concurrency 2, with dynamic credentials
polling  the same, with the interval at which certify polls for servers and volumes
serial   as the original refstack-client: list all tests, then run the required ones serially

Tempest polls every second, unless its configuration sets another interval. certify sets the one
that clouds.yaml has for the sandbox. All ways use the platform sandbox through its fault proxy,
which counts the requests. The time of certify includes discovery, the creation and removal of
projects and users, and the verdict. The other times start with a finished tempest.conf.

The requests of a plan are counted too, with the refstack-client of each checkout.
"""

import argparse
import contextlib
import dataclasses
import io
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from measure_durations import tests_of

from capabilities import catalogue, programme
from capabilities.guideline import Test
from capabilities.tempest_id import class_of
from refstack_client.cloud.selection import CloudSelection
from refstack_client.planning import test_requirements
from refstack_client.planning.request import CertificationRequest
from refstack_client.planning.test_requirements import TENANTS_OF_TEMPEST
from refstack_client.planning.workers import Workers
from refstack_client.running import tempest_session
from refstack_client.sandbox import fault_proxy, lifecycle, state
from refstack_client.sandbox.faults import Faults, parse
from refstack_client.tempest import conf as tempest_conf
from refstack_client.tempest.workspace import workspace
from refstack_client.tenants.resource_record import ResourceRecord

BIN = Path(sys.executable).parent
GUIDELINE, PROGRAMME = "2020.06", "platform"
WHAT = ("--os-cloud", "sandbox", "--guideline", GUIDELINE, "--programme", PROGRAMME)
WORKERS = 2
DEFAULT, POLLING = "tempest.conf", "polling.conf"


@dataclasses.dataclass(frozen=True)
class Targets:
    """The most that is accepted.

    :param tempest: total time of certify, as a fraction of that of Tempest
    :param bodies: the same, as a fraction of the sum of the tests' durations by workers
    :param to_first_test: in seconds
    """

    tempest: float
    to_first_test: float
    bodies: float = float("inf")
    imbalance: float = 1.0


NEAR = Targets(tempest=0.6, to_first_test=3, bodies=1.25)
FAR = Targets(tempest=0.33, to_first_test=8, imbalance=0.15)


@dataclasses.dataclass(frozen=True)
class Measurement:
    """Seconds of one run, and how many tests passed and requests were sent.

    :param bodies: sum of the tests' durations, divided by the number of workers
    :param imbalance: the fraction by which the first worker finished before the last one. It
        ignores a worker whose only classes need users that Tempest itself creates.
    """

    total: float
    to_first_test: float
    bodies: float
    imbalance: float
    passed: int
    requests: int

    def __str__(self) -> str:
        """Return the figures in one line."""
        return (
            f"total {self.total:6.1f} s, first test {self.to_first_test:5.2f} s, "
            f"bodies/workers {self.bodies:6.1f} s, imbalance {self.imbalance:4.0%}, "
            f"{self.passed} passed, {self.requests} requests"
        )


def measurement(began: float, ended: float, stream: bytes, requests: int) -> Measurement:
    """Return the figures of a run from its times (seconds since the epoch) and its stream."""
    seen = tests_of(io.BytesIO(stream))
    every = [test for tests in seen.by_worker.values() for test in tests]
    first = min(start for _, start, _ in every)
    # Classes stay whole, so a test that needs no tenants of Tempest may run beside one that does.
    creating = {class_of(name) for name, *_ in every if creates_tenants(name)}
    lengths = [
        (max(end for *_, end in tests) - first).total_seconds()
        for tests in seen.by_worker.values()
        if not {class_of(name) for name, *_ in tests} <= creating
    ]
    return Measurement(
        total=ended - began,
        to_first_test=first.timestamp() - began,
        bodies=sum((end - start).total_seconds() for _, start, end in every) / len(lengths),
        imbalance=(max(lengths) - min(lengths)) / max(lengths),
        passed=len(seen.passed),
        requests=requests,
    )


def creates_tenants(test_name: str) -> bool:
    """Return whether a test runs only with tenants that Tempest itself creates."""
    return TENANTS_OF_TEMPEST in test_requirements.of_test(Test(test_name))


@contextlib.contextmanager
def dynamic_workspace() -> Iterator[tuple[Path, Path]]:
    """Create a workspace of Tempest with dynamic credentials; yield it and the load list."""
    guideline, _ = catalogue.load(GUIDELINE)
    request = CertificationRequest(
        programme=programme.find(guideline, PROGRAMME),
        guideline_name=GUIDELINE,
        cloud=CloudSelection("sandbox"),
        accounts_file=None,
        workers=Workers(1),
        settings=(),
        output=Path(),
    )
    cloud, request = tempest_session.connect_for(request)
    place = Path(tempfile.mkdtemp(prefix="refstack-benchmark-"))
    try:
        with (
            workspace() as space,
            tempest_session.opened(
                request,
                cloud,
                space,
                ResourceRecord("refstack-bench", space.log, place / "note"),
                [],
            ) as own,
        ):
            planned, _ = own.planned()
            subprocess.run(
                [
                    BIN / "tempest",
                    "init",
                    "--workspace-path",
                    place / "registry",
                    place / "tempest",
                ],
                check=True,
                capture_output=True,
            )
            # Tempest creates its own tenants, which have other networks.
            for name, excluded in (
                (POLLING, ("fixed_network_name",)),
                (DEFAULT, ("fixed_network_name", "build_interval")),
            ):
                conf = {key: value for key, value in own.conf.items() if key[1] not in excluded}
                overrides = [item for item in own.choices.overrides if item.option not in excluded]
                choices = dataclasses.replace(own.choices, overrides=overrides)
                tempest_conf.write(space, conf, choices, own.tenants.tempest_admin)
                shutil.copy(space.tempest_conf, place / "tempest" / "etc" / name)
            load_list = place / "load-list"
            load_list.write_text("".join(f"{test}\n" for test in planned.load_list))
            yield place / "tempest", load_list
    finally:
        shutil.rmtree(place)


def timed(sandbox: state.Sandbox, run: Callable[[], bytes]) -> Measurement:
    """Measure ``run``, which returns a subunit stream."""
    before, began = fault_proxy.request_count(sandbox), time.time()
    stream = run()
    ended = time.time()
    return measurement(began, ended, stream, fault_proxy.request_count(sandbox) - before)


def certify(bin_: Path, *concurrency: str) -> bytes:
    """Run the refstack-client in ``bin_`` and return its stream."""
    with tempfile.TemporaryDirectory() as output:
        command = (bin_ / "refstack-client", "certify", *WHAT, "--output", output, *concurrency)
        subprocess.run(command, check=False, capture_output=True)
        (run,) = Path(output).iterdir()
        plan_ = json.loads((run / "plan.json").read_text())
        print(f"plan: {plan_['estimated_seconds']} s, concurrency {plan_['concurrency']}")
        return (run / "stream.subunit").read_bytes()


def tempest(place: Path, conf: str, load_list: Path, *options: str) -> bytes:
    """Run Tempest in its workspace ``place`` and return its stream."""
    shutil.rmtree(place / ".stestr", ignore_errors=True)
    environ = {key: value for key, value in os.environ.items() if not key.startswith("OS_")}
    environ["PATH"] = f"{BIN}:{environ['PATH']}"
    config = ("--config-file", place / "etc" / conf)
    if "--serial" in options:
        subprocess.run(
            [BIN / "tempest", "run", *config, "--list-tests"],
            cwd=place,
            env=environ,
            check=False,
            capture_output=True,
        )
    subprocess.run(
        [BIN / "tempest", "run", *config, "--load-list", load_list, *options],
        cwd=place,
        env=environ,
        check=False,
        capture_output=True,
    )
    last = [BIN / "stestr", "last", "--subunit"]
    return subprocess.run(last, cwd=place, env=environ, check=False, capture_output=True).stdout


def requests_of_plan(sandbox: state.Sandbox, bin_: Path) -> int:
    """Return how many requests the refstack-client in ``bin_`` sends for a plan."""
    before = fault_proxy.request_count(sandbox)
    subprocess.run((bin_ / "refstack-client", "plan", *WHAT), check=True, capture_output=True)
    return fault_proxy.request_count(sandbox) - before


def report(results: Mapping[str, Sequence[Measurement]], targets: Targets) -> None:
    """Print the ratios of medians, and the targets."""
    certified = results.get("certify")
    if not certified:
        return
    total = statistics.median(run.total for run in certified)
    for name, runs in results.items():
        ratio = total / statistics.median(run.total for run in runs)
        target = f" (at most {targets.tempest})" if name == "tempest" else ""
        print(f"certify / {name}: {ratio:.2f}{target}")
    for value, most in (
        ("to_first_test", targets.to_first_test),
        ("imbalance", targets.imbalance),
    ):
        median = statistics.median(getattr(run, value) for run in certified)
        print(f"{value}: {median:.2f} (at most {most})")
    bodies = statistics.median(run.total / run.bodies for run in certified)
    print(f"certify / bodies: {bodies:.2f} (at most {targets.bodies})")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=1, help="how often to run (default: 1)")
    parser.add_argument("--latency", help="of the fault proxy, such as 100ms (default: none)")
    parser.add_argument("--only", action="append", help="measure only this way (repeatable)")
    parser.add_argument("--old", type=Path, help="another checkout, to compare with")
    args = parser.parse_args()
    root = Path(os.environ.get("REFSTACK_SANDBOX_ROOT", ".sandbox"))
    sandbox = state.find(root, "platform", "platform")
    lifecycle.up(sandbox, None, print, parse(args.latency, (), ()) or Faults())
    os.environ["OS_CLIENT_CONFIG_FILE"] = str(sandbox.clouds_yaml)
    parallel = ("--concurrency", str(WORKERS))
    concurrency = () if args.latency else parallel
    results: dict[str, list[Measurement]] = defaultdict(list)
    programs = {"certify": BIN} | ({"old": args.old / ".venv" / "bin"} if args.old else {})
    for name, bin_ in programs.items():
        print(f"{name:8} a plan takes {requests_of_plan(sandbox, bin_)} requests", flush=True)
    with dynamic_workspace() as (place, load_list):
        ways: dict[str, Callable[[], bytes]] = {
            **{name: partial(certify, bin_, *concurrency) for name, bin_ in programs.items()},
            "tempest": lambda: tempest(place, DEFAULT, load_list, *parallel),
            "polling": lambda: tempest(place, POLLING, load_list, *parallel),
            "serial": lambda: tempest(place, DEFAULT, load_list, "--serial"),
        }
        for _ in range(args.rounds):
            for name in args.only or ways:
                results[name].append(timed(sandbox, ways[name]))
                print(f"{name:8} {results[name][-1]}", flush=True)
    report(results, FAR if args.latency else NEAR)


if __name__ == "__main__":
    main()
