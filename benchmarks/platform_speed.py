"""How long a certification takes beside the other ways to run the same tests, on one sandbox.

python benchmarks/platform_speed.py [--rounds N] [--latency 100ms] [--without old]

Each round runs, one after the other, with the same tests of the same programme:

ours     refstack-client certify --concurrency 2 (with --latency: with its own choice)
tempest  tempest run --load-list --concurrency 2, with dynamic credentials
looking  the same, looking as often as ours whether a server or a volume is there
old      as the old refstack-client did: list all tests, then run the wanted ones serially

Tempest looks every second, unless it is told that a cloud is quicker: ours is, by what stands with
the sandbox in clouds.yaml. All come to the platform sandbox through its front, which counts the
requests. The time of ours has everything in it: asking the cloud, making tenants, the run, removing
them, the verdict. Those of the others begin with a tempest.conf that is already there.
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
from refstack_client.cloud import connection as clouds
from refstack_client.planning import plan
from refstack_client.planning.request import Request
from refstack_client.running import tempest_session
from refstack_client.sandbox import lifecycle
from refstack_client.sandbox.faults import Trouble, parse
from refstack_client.tempest import conf as tempest_conf
from refstack_client.tempest.concurrency import Workers
from refstack_client.tempest.workspace import workspace
from refstack_client.tenants.provision import Traces

BIN = Path(sys.executable).parent
GUIDELINE, PROGRAMME = "2020.06", "platform"
WORKERS = 2
USUAL, LOOKING = "tempest.conf", "looking.conf"
MOST = {"tempest": 0.8, "old": 0.4}
MOST_FAR = {"tempest": 0.45}


@dataclasses.dataclass(frozen=True)
class Took:
    """Seconds of one way; ``imbalance`` is by how much the last worker was later than the first.

    A worker beside the others, which has but the class with tenants of Tempest's, is left out.
    """

    whole: float
    to_first: float
    imbalance: float
    between_classes: float
    passed: int
    asked: int


def took(began: float, ended: float, stream: bytes, asked: int) -> Took:
    seen = tests_of(io.BytesIO(stream))
    guideline, _ = catalogue.load(GUIDELINE)
    own = plan.own_tenants(programme.find(guideline, PROGRAMME))
    apart = {class_of(test.name) for test in own}
    every = [each for tests in seen.by_worker.values() for each in tests]
    lengths = [
        (max(each[2] for each in tests) - min(each[1] for each in every)).total_seconds()
        for tests in seen.by_worker.values()
        if not {class_of(name) for name, *_ in tests} <= apart
    ]
    between = 0.0
    for tests in seen.by_worker.values():
        ordered = sorted(tests, key=lambda each: each[1])
        for one, other in itertools.pairwise(ordered):
            if class_of(one[0]) != class_of(other[0]):
                between += (other[1] - one[2]).total_seconds()
    first = min(each[1] for each in every).timestamp()
    return Took(
        ended - began,
        first - began,
        (max(lengths) - min(lengths)) / max(lengths),
        between,
        len(seen.passed),
        asked,
    )


@contextlib.contextmanager
def dynamic_workspace() -> Iterator[tuple[Path, Path]]:
    """Make Tempest's own workspace with dynamic credentials; yield it and the load list."""
    guideline, _ = catalogue.load(GUIDELINE)
    request = Request(
        programme=programme.find(guideline, PROGRAMME),
        guideline_name=GUIDELINE,
        os_cloud="sandbox",
        accounts_file=None,
        workers=Workers(1),
        settings=(),
        output=Path(),
    )
    connection = clouds.connect("sandbox")
    request = request.for_cloud(connection)
    place = Path(tempfile.mkdtemp(prefix="refstack-benchmark-"))
    try:
        with (
            workspace() as space,
            tempest_session.opened(
                request, connection, space, Traces("refstack-bench", space.log, place / "note"), []
            ) as own,
        ):
            planned, _ = own.planned()
            subprocess.run(
                [BIN / "tempest", "init", "--workspace-path", place / "known", place / "tempest"],
                check=True,
                capture_output=True,
            )
            # The network of one tenant is not that of the tenants Tempest makes.
            for name, left_out in (
                (LOOKING, ("fixed_network_name",)),
                (USUAL, ("fixed_network_name", "build_interval")),
            ):
                conf = {key: value for key, value in own.conf.items() if key[1] not in left_out}
                given = [each for each in own.choices.overrides if each[1] not in left_out]
                choices = dataclasses.replace(own.choices, overrides=given)
                tempest_conf.write(space, conf, choices, own.tenants.maker)
                shutil.copy(space.tempest_conf, place / "tempest" / "etc" / name)
            wanted = place / "wanted"
            wanted.write_text("".join(f"{each}\n" for each in planned.load_list))
            yield place / "tempest", wanted
    finally:
        shutil.rmtree(place)


def timed(sandbox: lifecycle.Sandbox, run: Callable[[], bytes]) -> Took:
    before, began = lifecycle.asked(sandbox), time.time()
    stream = run()
    ended = time.time()
    return took(began, ended, stream, lifecycle.asked(sandbox) - before)


def ours(concurrency: tuple[str, ...]) -> bytes:
    with tempfile.TemporaryDirectory() as output:
        command = (BIN / "refstack-client", "certify", "--os-cloud", "sandbox")
        what = ("--guideline", GUIDELINE, "--programme", PROGRAMME, "--output", output)
        subprocess.run([*command, *what, *concurrency], check=False, capture_output=True)
        (made,) = Path(output).iterdir()
        kept = json.loads((made / "plan.json").read_text())
        print(f"the plan said {kept['estimated_seconds']} s, {kept['concurrency']} at a time")
        return (made / "stream.subunit").read_bytes()


def tempest(place: Path, conf: str, wanted: Path, *how: str) -> bytes:
    shutil.rmtree(place / ".stestr", ignore_errors=True)
    environ = {key: value for key, value in os.environ.items() if not key.startswith("OS_")}
    environ["PATH"] = f"{BIN}:{environ['PATH']}"
    config = ("--config-file", place / "etc" / conf)
    if "--serial" in how:
        subprocess.run(
            [BIN / "tempest", "run", *config, "--list-tests"],
            cwd=place,
            env=environ,
            check=False,
            capture_output=True,
        )
    subprocess.run(
        [BIN / "tempest", "run", *config, "--load-list", wanted, *how],
        cwd=place,
        env=environ,
        check=False,
        capture_output=True,
    )
    kept = [BIN / "stestr", "last", "--subunit"]
    return subprocess.run(kept, cwd=place, env=environ, check=False, capture_output=True).stdout


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--latency")
    parser.add_argument("--without", action="append", default=[])
    args = parser.parse_args()
    root = Path(os.environ.get("REFSTACK_SANDBOX_ROOT", ".sandbox"))
    sandbox = lifecycle.find(root, "platform", "platform")
    lifecycle.up(sandbox, None, print, parse(args.latency, (), ()) or Trouble())
    os.environ["OS_CLIENT_CONFIG_FILE"] = str(sandbox.clouds_yaml)
    parallel = ("--concurrency", str(WORKERS))
    concurrency = () if args.latency else parallel
    found: dict[str, list[Took]] = defaultdict(list)
    with dynamic_workspace() as (place, wanted):
        ways: dict[str, Callable[[], bytes]] = {
            "ours": lambda: ours(concurrency),
            "tempest": lambda: tempest(place, USUAL, wanted, *parallel),
            "looking": lambda: tempest(place, LOOKING, wanted, *parallel),
            "old": lambda: tempest(place, USUAL, wanted, "--serial"),
        }
        for _ in range(args.rounds):
            for name, run in ways.items():
                if name not in args.without:
                    found[name].append(timed(sandbox, run))
                    print(f"{name:8} {found[name][-1]}", flush=True)
    most = MOST_FAR if args.latency else MOST
    whole = {name: statistics.median(each.whole for each in all_) for name, all_ in found.items()}
    for name in whole.keys() - {"ours"}:
        ratio = whole["ours"] / whole[name]
        wished = f" (at most {most[name]} is wished for)" if name in most else ""
        print(f"ours / {name}: {ratio:.2f}{wished}")


if __name__ == "__main__":
    main()
