"""Measure the time from the command to the first test, on this machine and in a container.

python benchmarks/time_to_first_test.py [ROUNDS]

Needs a container engine (DOCKER_HOST) with the image of `refstack-client container build`. Starts
the storage sandbox if it is not running. Each round starts both ways one after the other and
interrupts each when its first test has begun. The output is seconds, and ratios to the host.
"""

import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

import testtools

from refstack_client.container.image import default_name
from refstack_client.outcomes import stream_tools
from refstack_client.sandbox import lifecycle, services, state

BIN = Path(sys.executable).parent
CERTIFY = ("--os-cloud", "sandbox", "--programme", "storage")
MAX_RATIO = 1.5


class First(testtools.StreamResult):
    """Remembers when the first test began."""

    began: float | None = None

    def status(self, test_id=None, test_status=None, timestamp=None, **event):
        """Take one event of the stream."""
        if test_status == "inprogress" and timestamp and self.began is None:
            self.began = timestamp.timestamp()


def began(results: Path) -> float | None:
    """Return when the first test of a run below ``results`` began, in seconds since the epoch."""
    first = First()
    for path in results.glob("*/stream.subunit"):
        with path.open("rb") as content:
            stream_tools.copy(content, stream_tools.CompletePackets(first))
    return first.began


def measure(command: tuple[str, ...], place: Path, stop: tuple[str, ...] = ()) -> float:
    """Return the seconds from the start of ``command`` to the first test in ``place``."""
    started = time.time()
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        while process.poll() is None and not any(
            path.stat().st_size for path in place.glob("*/stream.subunit")
        ):
            time.sleep(0.05)
        time.sleep(1)
    finally:
        if stop:
            subprocess.run(stop, check=False, capture_output=True)
        else:
            process.send_signal(signal.SIGINT)
        process.wait(60)
    start = began(place)
    if start is None:
        raise SystemExit(f"no test began: {' '.join(command)}")
    return start - started


def host(place: Path) -> float:
    """Measure on this machine."""
    return measure(
        (str(BIN / "refstack-client"), "certify", *CERTIFY, "--output", str(place)), place
    )


def container(place: Path) -> float:
    """Measure in a container."""
    place.chmod(0o777)
    name = f"refstack-benchmark-{os.getpid()}"
    mounts = (f"{os.environ['OS_CLIENT_CONFIG_FILE']}:/etc/openstack/clouds.yaml:ro",)
    command = (
        *("docker", "run", "--rm", "--name", name, "--network", "host", "--user", str(os.getuid())),
        *("--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL", "-v", mounts[0]),
        *("-v", f"{place}:/results", default_name(), "certify", *CERTIFY),
    )
    return measure(command, place, ("docker", "stop", name))


WAYS = {"host": host, "docker run": container}


def report(seconds: Mapping[str, list[float]]) -> None:
    """Print the seconds of each way."""
    for way, taken in seconds.items():
        ratios = [one / other for one, other in zip(taken, seconds["host"], strict=True)]
        listed = " ".join(f"{one:.2f}" for one in taken)
        median, ratio = statistics.median(taken), statistics.median(ratios)
        print(f"{way:12} median {median:5.2f} s, ratio {ratio:.2f}  ({listed})")
    print(f"target: at most {MAX_RATIO}")


def main(rounds: str = "5") -> None:
    """Measure both ways and print."""
    root = Path(os.environ.get("REFSTACK_SANDBOX_ROOT", ".sandbox"))
    sandbox = state.find(root, None, "storage")
    was_up = services.is_up(sandbox)
    lifecycle.up(sandbox, None, lambda line: None)
    os.environ["OS_CLIENT_CONFIG_FILE"] = str(sandbox.clouds_yaml)
    seconds: dict[str, list[float]] = {way: [] for way in WAYS}
    try:
        for number in range(int(rounds) + 1):
            for way, run in WAYS.items():
                with tempfile.TemporaryDirectory() as place:
                    taken = run(Path(place))
                if number:  # the first round fills caches
                    seconds[way].append(taken)
    finally:
        if not was_up:
            lifecycle.down(sandbox)
    report(seconds)


if __name__ == "__main__":
    main(*sys.argv[1:])
