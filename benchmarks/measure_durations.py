"""Write refstack_client/data/durations.json from real runs: benchmarks/measure_durations.py RUN…

What lies between the end of one class's last test and the start of the next one's first, on the
same worker, is what changing classes takes: it is counted as the next one's set-up.
"""

import json
import statistics
import sys
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

import subunit
import testtools

from capabilities import testid
from capabilities.testid import class_of
from refstack_client import durations
from refstack_client.plan import ONLY_WITH_TENANTS_OF_TEMPEST

DATA = Path(durations.__file__).parent / "data" / "durations.json"
DIGITS = 2
Test = tuple[str, datetime, datetime]


class Tests(testtools.StreamResult):
    """Collects, by worker, the tests with start and end, which passed, and classes run apart."""

    def __init__(self) -> None:
        super().__init__()
        self._started: dict[str, datetime] = {}
        self.by_worker: dict[str, list[Test]] = defaultdict(list)
        self.passed: set[str] = set()
        self.apart: set[str] = set()

    def status(self, test_id=None, test_status=None, test_tags=None, timestamp=None, **event):
        test = testid.parse(test_id or "")
        if not test or not timestamp:
            return
        if test_status == "inprogress":
            self._started[test_id] = timestamp
        elif test_status in ("success", "fail", "skip") and test_id in self._started:
            if test.idempotent_id in ONLY_WITH_TENANTS_OF_TEMPEST:
                self.apart.add(class_of(test.name))
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
    # These run in another pass of stestr, which had to start.
    begun = set(seen.apart)
    for tests in seen.by_worker.values():
        previous: Test | None = None
        for name, start, end in sorted(tests, key=lambda each: each[1]):
            yield "tests", name, (end - start).total_seconds()
            if previous and class_of(name) not in begun:
                yield "classes", class_of(name), (start - previous[2]).total_seconds()
            begun.add(class_of(name))
            previous = name, start, end


def main(runs: list[str]) -> None:
    found: dict[str, dict[str, list[float]]] = {"tests": {}, "classes": {}}
    for run in runs:
        for what, name, took in seconds(Path(run)):
            found[what].setdefault(name, []).append(took)
    medians = {
        what: {name: round(statistics.median(all_), DIGITS) for name, all_ in sorted(by.items())}
        for what, by in found.items()
    }
    areas = defaultdict(list)
    for name, took in medians["classes"].items():
        areas[durations.area(name)].append(took)
    document = {
        "source": f"medians of {len(runs)} real runs on two cores, two workers, in seconds; a "
        "class counts for its set-up and the tear-down before it",
        "test": round(statistics.median(medians["tests"].values()), DIGITS),
        "areas": {area: round(statistics.median(all_), DIGITS) for area, all_ in areas.items()},
        **medians,
    }
    DATA.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
