"""Measure a certification against other ways to run the same tests, on one sandbox.

python benchmarks/platform_speed.py [--rounds N] [--latency 100ms] [--without serial]

Each round runs the same tests of the same programme in several ways, one after the other:

certify  refstack-client certify --concurrency 2 (with --latency: the concurrency it chooses)
tempest  tempest run --load-list --concurrency 2, with dynamic credentials
polling  the same, with the interval at which certify polls for servers and volumes
serial   as the original refstack-client: list all tests, then run the required ones serially

Tempest polls every second, unless its configuration sets another interval. certify sets the one
that clouds.yaml has for the sandbox. All ways use the platform sandbox through its fault proxy,
which counts the requests. The time of certify includes discovery, the creation and removal of
projects and users, and the verdict. The other times start with a finished tempest.conf.
"""

import argparse
import contextlib
import dataclasses
import io
import itertools
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

from measure_durations import tests_of

from capabilities import catalogue, programme
from capabilities.tempest_id import class_of
from refstack_client.cloud.selection import CloudSelection
from refstack_client.planning import plan
from refstack_client.planning.request import CertificationRequest
from refstack_client.planning.workers import Workers
from refstack_client.running import tempest_session
from refstack_client.sandbox import fault_proxy, lifecycle, state
from refstack_client.sandbox.faults import Faults, parse
from refstack_client.tempest import conf as tempest_conf
from refstack_client.tempest.workspace import workspace
from refstack_client.tenants.resource_record import ResourceRecord

BIN = Path(sys.executable).parent
GUIDELINE, PROGRAMME = "2020.06", "platform"
WORKERS = 2
DEFAULT, POLLING = "tempest.conf", "polling.conf"
TARGETS = {"tempest": 0.8, "serial": 0.4}
TARGETS_WITH_LATENCY = {"tempest": 0.45}


@dataclasses.dataclass(frozen=True)
class Measurement:
    """Seconds of one run, and how many tests passed and requests were sent.

    ``imbalance`` is the fraction by which the first worker finished before the last one. It ignores
    a worker whose only classes need users that Tempest itself creates.
    """

    total: float
    to_first_test: float
    imbalance: float
    between_classes: float
    passed: int
    requests: int


def measurement(began: float, ended: float, stream: bytes, requests: int) -> Measurement:
    """Return the figures of a run from its times (seconds since the epoch) and its stream."""
    seen = tests_of(io.BytesIO(stream))
    guideline, _ = catalogue.load(GUIDELINE)
    own = plan.own_tenants(programme.find(guideline, PROGRAMME))
    apart = {class_of(test.name) for test in own}
    all_tests = [test for tests in seen.by_worker.values() for test in tests]
    lengths = [
        (max(test[2] for test in tests) - min(test[1] for test in all_tests)).total_seconds()
        for tests in seen.by_worker.values()
        if not {class_of(name) for name, *_ in tests} <= apart
    ]
    between = 0.0
    for tests in seen.by_worker.values():
        ordered = sorted(tests, key=lambda test: test[1])
        for one, other in itertools.pairwise(ordered):
            if class_of(one[0]) != class_of(other[0]):
                between += (other[1] - one[2]).total_seconds()
    first = min(test[1] for test in all_tests).timestamp()
    return Measurement(
        ended - began,
        first - began,
        (max(lengths) - min(lengths)) / max(lengths),
        between,
        len(seen.passed),
        requests,
    )


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


def certify(concurrency: tuple[str, ...]) -> bytes:
    """Run refstack-client and return its stream."""
    with tempfile.TemporaryDirectory() as output:
        command = (BIN / "refstack-client", "certify", "--os-cloud", "sandbox")
        options = ("--guideline", GUIDELINE, "--programme", PROGRAMME, "--output", output)
        subprocess.run([*command, *options, *concurrency], check=False, capture_output=True)
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


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=1, help="how often to run (default: 1)")
    parser.add_argument("--latency", help="of the fault proxy, such as 100ms (default: none)")
    parser.add_argument("--without", action="append", default=[], help="skip one way")
    args = parser.parse_args()
    root = Path(os.environ.get("REFSTACK_SANDBOX_ROOT", ".sandbox"))
    sandbox = state.find(root, "platform", "platform")
    lifecycle.up(sandbox, None, print, parse(args.latency, (), ()) or Faults())
    os.environ["OS_CLIENT_CONFIG_FILE"] = str(sandbox.clouds_yaml)
    parallel = ("--concurrency", str(WORKERS))
    concurrency = () if args.latency else parallel
    results: dict[str, list[Measurement]] = defaultdict(list)
    with dynamic_workspace() as (place, load_list):
        ways: dict[str, Callable[[], bytes]] = {
            "certify": lambda: certify(concurrency),
            "tempest": lambda: tempest(place, DEFAULT, load_list, *parallel),
            "polling": lambda: tempest(place, POLLING, load_list, *parallel),
            "serial": lambda: tempest(place, DEFAULT, load_list, "--serial"),
        }
        for _ in range(args.rounds):
            for name, run in ways.items():
                if name not in args.without:
                    results[name].append(timed(sandbox, run))
                    print(f"{name:8} {results[name][-1]}", flush=True)
    targets = TARGETS_WITH_LATENCY if args.latency else TARGETS
    medians = {
        name: statistics.median(result.total for result in rounds)
        for name, rounds in results.items()
    }
    for name in medians.keys() - {"certify"}:
        ratio = medians["certify"] / medians[name]
        target = f" (target: at most {targets[name]})" if name in targets else ""
        print(f"certify / {name}: {ratio:.2f}{target}")


if __name__ == "__main__":
    main()
