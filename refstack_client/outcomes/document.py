"""The outcomes of a stream as a JSON document: the one reader and the one writer of that form."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass

from refstack_client.outcomes.json_value import JsonObject, JsonValue
from scoring.conformance.outcomes import Attempt, ClassOutcome, Outcomes


@dataclass(frozen=True)
class OutcomeEntry:
    """An attempt of a test by its full ID, or of a class by ``setUpClass (module.Class)``.

    ``seconds`` is how long the test took, None where the stream has no time.
    """

    test: str
    outcome: str
    reason: str
    seconds: float | None = None

    @classmethod
    def from_json(cls, document: JsonValue) -> "OutcomeEntry":
        """Read an item of the document; times are not read, for nothing compares them.

        :raises InputError: it has another form; names file and JSON pointer
        """
        return cls(
            test=document.member("test").text(),
            outcome=document.member("outcome").text(),
            reason=document.member("reason").text(),
        )


def entries(outcomes: Outcomes) -> tuple[OutcomeEntry, ...]:
    """Return every attempt in the order of the stream, set-ups of classes included."""
    rows: list[tuple[str, Attempt | ClassOutcome, float | None]] = [
        (attempt.test.full, attempt, attempt.seconds) for attempt in outcomes.attempts
    ]
    rows += [(f"setUpClass ({fixture.class_name})", fixture, None) for fixture in outcomes.classes]
    return tuple(
        OutcomeEntry(name, str(outcome.outcome), outcome.reason, seconds)
        for name, outcome, seconds in sorted(rows, key=lambda row: row[1].place or row[1].order)
    )


def as_json(listed: Iterable[OutcomeEntry]) -> list[JsonObject]:
    """Return the document of ``outcomes.json``."""
    return [asdict(entry) for entry in listed]


def parse(content: bytes, source: str) -> tuple[OutcomeEntry, ...]:
    """Read the content of an ``outcomes.json``.

    :raises InputError: it has another form; names file and JSON pointer
    """
    return tuple(map(OutcomeEntry.from_json, JsonValue.parse(content, source).items()))
