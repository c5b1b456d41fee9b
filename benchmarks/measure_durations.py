"""Write refstack_client/data/durations.json from runs: measure_durations.py RUN… --far RUN…

The time between the last test of one class and the first test of the next class on the same worker
is counted as the set-up of the next class.
"""

import argparse
import json
import re
import statistics
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

import subunit
import testtools

from capabilities import tempest_id
from capabilities.tempest_id import class_of
from refstack_client.planning import durations

DATA = Path(durations.__file__).parents[1] / "data" / "durations.json"
DIGITS = 2
Test = tuple[str, datetime, datetime]
Lengths = dict[str, dict[str, float]]
Pairs = dict[str, tuple[float, int]]


class Tests(testtools.StreamResult):
    """Collects, by worker, the tests with start and end, and which passed."""

    def __init__(self) -> None:
        """Start without tests."""
        super().__init__()
        self._started: dict[str, datetime] = {}
        self.by_worker: dict[str, list[Test]] = defaultdict(list)
        self.passed: set[str] = set()

    def status(self, test_id=None, test_status=None, test_tags=None, timestamp=None, **event):
        """Take one event of the stream."""
        test = tempest_id.parse(test_id or "")
        if not test or not timestamp:
            return
        if test_status == "inprogress":
            self._started[test_id] = timestamp
        elif test_status in ("success", "fail", "skip") and test_id in self._started:
            worker = next((tag for tag in test_tags or () if tag.startswith("worker-")), "")
            self.by_worker[worker].append((test.name, self._started.pop(test_id), timestamp))
            if test_status == "success":
                self.passed.add(test_id)


def tests_of(stream: BinaryIO) -> Tests:
    """Read the tests of a subunit stream."""
    seen = Tests()
    subunit.ByteStreamToStreamResult(stream, non_subunit_name="stdout").run(seen)
    return seen


def seconds(run: Path) -> Iterator[tuple[str, str, float]]:
    """Yield ("tests" or "classes", name, seconds) of one run."""
    with (run / "stream.subunit").open("rb") as content:
        seen = tests_of(content)
    begun = set()
    for tests in seen.by_worker.values():
        previous: Test | None = None
        for name, start, end in sorted(tests, key=lambda test: test[1]):
            yield "tests", name, (end - start).total_seconds()
            if previous and class_of(name) not in begun:
                yield "classes", class_of(name), (start - previous[2]).total_seconds()
            begun.add(class_of(name))
            previous = name, start, end


def medians(runs: Iterable[Path]) -> Lengths:
    """Return the median seconds of each test and class over several runs."""
    lengths: Lengths = {"tests": {}, "classes": {}}
    samples: dict[tuple[str, str], list[float]] = defaultdict(list)
    for run in runs:
        for kind, name, length in seconds(run):
            samples[kind, name].append(length)
    for (kind, name), sample in sorted(samples.items()):
        lengths[kind][name] = statistics.median(sample)
    return lengths


def with_answers(near: Mapping[str, float], far: Mapping[str, float], latency: float) -> Pairs:
    """Return by name the seconds, and the number of answers of the cloud that a test waits for.

    :param near: seconds by name against a cloud without latency
    :param far: seconds by name against a cloud with ``latency`` seconds
    """
    return {
        name: (round(length, DIGITS), round(max(0.0, far.get(name, length) - length) / latency))
        for name, length in near.items()
    }


def middle(pairs: Iterable[tuple[float, int]]) -> tuple[float, int]:
    """Return the medians of seconds and answers."""
    lengths, answers = zip(*pairs, strict=True)
    return round(statistics.median(lengths), DIGITS), round(statistics.median(answers))


def main() -> None:
    """Read the runs and write the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("near", nargs="+", type=Path, help="runs without latency")
    parser.add_argument("--far", nargs="+", type=Path, required=True, help="runs with latency")
    parser.add_argument(
        "--latency", type=float, default=0.1, help="of the runs --far, in seconds (default: 0.1)"
    )
    args = parser.parse_args()
    near, far = medians(args.near), medians(args.far)
    tests, classes = (
        with_answers(near[kind], far[kind], args.latency) for kind in ("tests", "classes")
    )
    areas = defaultdict(list)
    for name, pair in classes.items():
        areas[durations.area(name)].append(pair)
    document = {
        "source": f"medians of {len(args.near)} runs on two cores, two workers, in seconds; and "
        f"how many answers of the cloud each waits for, from {len(args.far)} runs with "
        f"{args.latency} s of latency; a class is its set-up and the tear-down of the one before",
        "test": middle(tests.values()),
        "areas": {area: middle(pairs) for area, pairs in areas.items()},
        "tests": tests,
        "classes": classes,
    }
    text = json.dumps(document, indent=1)
    DATA.write_text(re.sub(r"\[\s+([\d.]+),\s+(\d+)\s+\]", r"[\1, \2]", text) + "\n")


if __name__ == "__main__":
    main()
