"""The outcomes of a stream as a JSON document: the one reader and the one writer of that form."""

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass

from refstack_client.outcomes.json_value import JsonObject, JsonValue
from scoring.conformance.outcomes import Attempt, Event, Outcomes


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
        """Read an item of the document.

        :raises InputError: it has another form; names file and JSON pointer
        """
        return cls(
            test=document.member("test").text(),
            outcome=document.member("outcome").text(),
            reason=document.member("reason").text(),
            seconds=document.optional("seconds", JsonValue.decimal, None),
        )


def entries(outcomes: Outcomes) -> tuple[OutcomeEntry, ...]:
    """Return every attempt in the order of the stream, set-ups of classes included."""
    return _sorted(outcomes, lambda event: event.place or event.order)


def entries_by_time(outcomes: Outcomes) -> tuple[OutcomeEntry, ...]:
    """Return the same in the order of the ends: of those of one test the last one decides."""
    return _sorted(outcomes, lambda event: event.order)


def _sorted(outcomes: Outcomes, key: Callable[[Event], int]) -> tuple[OutcomeEntry, ...]:
    events: tuple[Event, ...] = (*outcomes.attempts, *outcomes.classes)
    return tuple(map(_entry, sorted(events, key=key)))


def _entry(event: Event) -> OutcomeEntry:
    if isinstance(event, Attempt):
        return OutcomeEntry(event.test.full, str(event.outcome), event.reason, event.seconds)
    name = f"setUpClass ({event.class_name})"
    return OutcomeEntry(name, str(event.outcome), event.reason)


def as_json(listed: Iterable[OutcomeEntry]) -> list[JsonObject]:
    """Return the document of ``outcomes.json``."""
    return [asdict(entry) for entry in listed]


def parse(content: bytes, source: str) -> tuple[OutcomeEntry, ...]:
    """Read the content of an ``outcomes.json``.

    :raises InputError: it has another form; names file and JSON pointer
    """
    return tuple(map(OutcomeEntry.from_json, JsonValue.parse(content, source).items()))
