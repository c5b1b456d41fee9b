"""The starts of a run: what the lines of ``attempts.jsonl`` record, and the retries they make."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from refstack_client.errors import InputError
from refstack_client.outcomes.json_value import JsonValue, loads

RETRY_BUDGET = 3
"""How often failed tests may be run again by default; the report shows it."""


class Mode(StrEnum):
    """Which tests a start of a run selects."""

    ALL = "all"
    NO_OUTCOME = "no outcome"
    FAILED = "failed"


CUT_OFF = "cut off"
"""In place of the end of an attempt in merged runs, and of one that was cleaned up."""


_ONCE = ("asked", "challenge", "mode", "retry_budget", "run", "started")
"""What is recorded of an attempt once; other members can change while it runs."""


@dataclass(frozen=True)
class RunAttempt:
    """A start of a run and its end, "" where it was cut off; ``asked`` counts its tests.

    ``workspace`` is where Tempest worked. It is gone unless the attempt was cut off. ``run`` is the
    run of the attempt in a merged one, else "".
    """

    number: int
    mode: Mode
    workspace: Path
    retry_budget: int
    asked: int = 0
    started: str = ""
    ended: str = ""
    run: str = ""

    @classmethod
    def from_json(cls, record: JsonValue) -> "RunAttempt":
        """Read what the lines of one attempt record together.

        :raises InputError: it has another form; names file and JSON pointer
        """
        return cls(
            number=record.member("attempt").natural(),
            mode=record.member("mode").choice(Mode),
            # A bundle leaves it out.
            workspace=Path(record.optional("workspace", JsonValue.text, "")),
            retry_budget=record.member("retry_budget").natural(),
            asked=record.optional("asked", JsonValue.natural, 0),
            started=record.optional("started", JsonValue.text, ""),
            ended=record.optional("ended", JsonValue.text, ""),
            run=record.optional("run", JsonValue.text, ""),
        )

    @property
    def was_cut_off(self) -> bool:
        """Return whether the attempt died without an end."""
        return not self.ended


@dataclass(frozen=True)
class Retries:
    """How often failed tests were run again, and how often they could be."""

    used: int
    budget: int


def retries_of(attempts: Sequence[RunAttempt]) -> Retries:
    """Return the retries in ``attempts``, oldest first; of merged runs the most of one of them."""
    used = Counter(
        attempt.run for attempt in attempts if attempt.mode is Mode.FAILED and attempt.asked
    )
    budget = attempts[-1].retry_budget if attempts else RETRY_BUDGET
    return Retries(max(used.values(), default=0), budget)


def most_retries(recorded: Retries | None, asked: int | None = None) -> int | None:
    """Return how many repetitions of a test count, None for any number.

    :param recorded: of the run; None for a bare stream, which records none
    :param asked: what the user allows instead
    """
    if asked is None and recorded:
        return recorded.budget
    return asked


def records_in(text: str) -> tuple[JsonValue, ...]:
    """Return what the content of ``attempts.jsonl`` records of each attempt, oldest first.

    :raises InputError: a line is JSON, but not an object with a number ``attempt``, or
        contradicts an earlier one
    """
    found: dict[int, dict[str, object]] = {}
    for number, line in enumerate(text.split("\n"), start=1):
        try:
            content = loads(line)
        except RecursionError as error:
            raise InputError(f"attempts.jsonl:{number}: nested too deeply") from error
        except ValueError:  # half a line, of a killed process
            continue
        record = JsonValue(content, f"attempts.jsonl:{number}")
        attempt = record.member("attempt")
        if attempt.number() < 1:
            raise attempt.error("must be 1 or more")
        known = found.setdefault(attempt.number(), {})
        for key, value in record.members():
            if key in _ONCE and known.get(key, value.value) != value.value:
                raise value.error("differs from what an earlier line records")
        known.update(record.object())
    return tuple(
        JsonValue(found[attempt], f"attempts.jsonl: attempt {attempt}") for attempt in sorted(found)
    )


def attempts_in(text: str) -> tuple[RunAttempt, ...]:
    """Return every attempt in the content of ``attempts.jsonl``, oldest first."""
    return tuple(map(RunAttempt.from_json, records_in(text)))
