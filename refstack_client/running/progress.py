"""Show the progress of a run on stderr: a bar on a terminal, plain lines elsewhere."""

import contextlib
import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

import testtools
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from capabilities import tempest_id
from refstack_client.outcomes.subunit_stream import class_fixture, final_outcome
from refstack_client.planning import durations
from refstack_client.planning.workers import Workers
from refstack_client.printable import printable
from scoring.conformance.outcomes import Outcome

SECONDS_BETWEEN_LINES = 10
_SECONDS_OF_EQUAL_WEIGHT = 5
"""After so many seconds of tests the pace of the run counts as much as the estimate."""


class RunProgress(testtools.StreamResult):
    """Shows outcomes, completed capabilities and the remaining time from the events of a run.

    :param capabilities: names of the tests of each capability
    :param workers: how many test classes run at a time
    """

    def __init__(
        self, console: Console, capabilities: Mapping[str, Sequence[str]], workers: Workers
    ):
        """Prepare the bar; :meth:`startTestRun` shows it."""
        super().__init__()
        self._console = console
        self._remaining = {
            capability: set(names) for capability, names in capabilities.items() if names
        }
        self._capabilities_of: dict[str, list[str]] = defaultdict(list)
        for capability, names in capabilities.items():
            for name in names:
                self._capabilities_of[name].append(capability)
        self._outcomes: dict[str, Outcome] = {}
        self._seconds = durations.by_test(self._capabilities_of, workers.latency)
        self._concurrency = workers.count
        self._started = self._last_line = time.monotonic()
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[remaining]}"),
            console=console,
            transient=True,
        )
        self._task = self._bar.add_task(
            "starting Tempest", total=len(self._capabilities_of), remaining=""
        )

    def startTestRun(self) -> None:  # noqa: N802 - testtools' name
        """Show the bar."""
        if self._console.is_terminal:
            self._bar.start()

    def stopTestRun(self) -> None:  # noqa: N802 - testtools' name
        """Remove the bar."""
        self._bar.stop()

    def status(
        self, test_id: str | None = None, test_status: str | None = None, **event: object
    ) -> None:
        """Show what an event changes."""
        if test_id is None:
            return
        outcome = final_outcome(test_id, test_status)
        if outcome is None:
            return
        fixture = class_fixture(test_id)
        test = tempest_id.parse(test_id)
        if fixture:
            names = [name for name in self._capabilities_of if tempest_id.class_of(name) == fixture]
            self._say(f"{outcome.upper():5} set-up of {fixture} ({len(names)} tests)")
        elif test and test.name in self._capabilities_of:
            names = [test.name]
            if outcome is not Outcome.PASS:
                self._say(f"{outcome.upper():5} {test.name}")
        else:
            return
        for name in names:
            self._end(name, outcome)
        remaining = f"about {self.seconds_remaining():.0f} s remaining"
        self._bar.update(
            self._task,
            completed=len(self._outcomes),
            description=self._summary(),
            remaining=remaining,
        )
        now = time.monotonic()
        if not self._console.is_terminal and now - self._last_line >= SECONDS_BETWEEN_LINES:
            self._last_line = now
            done, total = len(self._outcomes), len(self._capabilities_of)
            self._say(f"{done}/{total} tests, {self._summary()}, {remaining}")

    def seconds_remaining(self) -> float:
        """Return the estimated seconds until the last test ends.

        The estimate of the remaining tests is scaled by how long the completed tests took compared
        with their estimate.
        """
        done = sum(self._seconds[name] for name in self._outcomes) / self._concurrency
        whole = sum(self._seconds.values()) / self._concurrency
        took = time.monotonic() - self._started
        pace = (took + _SECONDS_OF_EQUAL_WEIGHT) / (done + _SECONDS_OF_EQUAL_WEIGHT)
        return max(0.0, whole - done) * pace

    def _end(self, name: str, outcome: Outcome) -> None:
        self._outcomes[name] = outcome
        for capability in self._capabilities_of[name]:
            names = self._remaining[capability]
            if name in names:
                names.remove(name)
                if not names:
                    self._say(f"      {capability}: {self._count(capability)}")

    def _count(self, capability: str) -> str:
        mine = [
            self._outcomes[name]
            for name, capabilities in self._capabilities_of.items()
            if capability in capabilities
        ]
        return ", ".join(f"{number} {outcome}" for outcome, number in Counter(mine).items())

    def _summary(self) -> str:
        counts = Counter(self._outcomes.values())
        summary = f"{counts[Outcome.FAIL]} failed, {counts[Outcome.SKIP]} skipped"
        if len(self._remaining) == 1:  # as of a list, which has no capabilities
            return summary
        done = sum(not names for names in self._remaining.values())
        return f"{summary}, {done}/{len(self._remaining)} capabilities done"

    def _say(self, line: str) -> None:
        (self._bar.console if self._console.is_terminal else self._console).print(
            printable(line), highlight=False, markup=False, soft_wrap=True
        )


class RemovalProgress:
    """Shows the counts of a removal: on a terminal as it goes, elsewhere every few seconds."""

    def __init__(self, console: Console):
        """Show on ``console``."""
        self._console = console
        self._last_line: float | None = None

    def __call__(self, what: str, done: int, total: int) -> None:
        """Show that ``done`` of ``total`` are removed; a console that fails does not stop it."""
        now = time.monotonic()
        if self._last_line is None:
            self._last_line = now
        is_terminal = self._console.is_terminal
        if not is_terminal and now - self._last_line < SECONDS_BETWEEN_LINES:
            return
        self._last_line = now
        end = "\r" if is_terminal and done < total else "\n"
        with contextlib.suppress(OSError):
            self._console.print(f"{done}/{total} {what}", end=end, highlight=False)
