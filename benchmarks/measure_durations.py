"""Write refstack_client/data/durations.json: benchmarks/measure_durations.py RUN… --far RUN…

What lies between the end of one class's last test and the start of the next one's first, on the
same worker, is what changing classes takes: it is counted as the next one's set-up.
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
        super().__init__()
        self._started: dict[str, datetime] = {}
        self.by_worker: dict[str, list[Test]] = defaultdict(list)
        self.passed: set[str] = set()

    def status(self, test_id=None, test_status=None, test_tags=None, timestamp=None, **event):
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
        for name, start, end in sorted(tests, key=lambda each: each[1]):
            yield "tests", name, (end - start).total_seconds()
            if previous and class_of(name) not in begun:
                yield "classes", class_of(name), (start - previous[2]).total_seconds()
            begun.add(class_of(name))
            previous = name, start, end


def medians(runs: Iterable[Path]) -> Lengths:
    """Return the median seconds of each test and class over several runs."""
    found: Lengths = {"tests": {}, "classes": {}}
    every: dict[tuple[str, str], list[float]] = defaultdict(list)
    for run in runs:
        for what, name, took in seconds(run):
            every[what, name].append(took)
    for (what, name), all_ in sorted(every.items()):
        found[what][name] = statistics.median(all_)
    return found


def with_answers(near: Mapping[str, float], far: Mapping[str, float], away: float) -> Pairs:
    """Return by name the seconds, and the answers of the cloud that were waited for."""
    return {
        name: (round(took, DIGITS), round(max(0.0, far.get(name, took) - took) / away))
        for name, took in near.items()
    }


def middle(pairs: Iterable[tuple[float, int]]) -> tuple[float, int]:
    took, answers = zip(*pairs, strict=True)
    return round(statistics.median(took), DIGITS), round(statistics.median(answers))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("near", nargs="+", type=Path, help="runs against a cloud that is near")
    parser.add_argument("--far", nargs="+", type=Path, required=True, help="runs against one …")
    parser.add_argument("--away", type=float, default=0.1, help="… whose answers take so long")
    args = parser.parse_args()
    near, far = medians(args.near), medians(args.far)
    tests, classes = (
        with_answers(near[what], far[what], args.away) for what in ("tests", "classes")
    )
    areas = defaultdict(list)
    for name, took in classes.items():
        areas[durations.area(name)].append(took)
    document = {
        "source": f"medians of {len(args.near)} runs on two cores, two workers, in seconds; and "
        f"how many answers of the cloud were waited for, by {len(args.far)} run(s) in which each "
        f"took {args.away} s longer; a class counts for its set-up and the tear-down before it",
        "test": middle(tests.values()),
        "areas": {area: middle(all_) for area, all_ in areas.items()},
        "tests": tests,
        "classes": classes,
    }
    text = json.dumps(document, indent=1)
    DATA.write_text(re.sub(r"\[\s+([\d.]+),\s+(\d+)\s+\]", r"[\1, \2]", text) + "\n")


if __name__ == "__main__":
    main()
