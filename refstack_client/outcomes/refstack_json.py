"""Results in the JSON of RefStack v1, as the client uploads it and as the server returns it.

Only passed tests are in it, each with its name and ID. What the original server would answer with
status 500 is refused here with a reason and a place.
"""

import codecs
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from capabilities.tempest_id import TestId
from refstack_client.errors import InputError
from refstack_client.outcomes.json_value import JsonObject, loads
from scoring.conformance.outcomes import Attempt, Outcome, Outcomes, deciding

LONGEST_NAME, LONGEST_CPID = 512, 128
MOST_SECONDS = 2**31 - 1
_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
_ATTRIBUTES = re.compile(r"\[.*\]")
_HINT = "refstack-client test and upload-subunit write such a file"


@dataclass(frozen=True)
class RefstackResults:
    """``passes`` are names of passed tests, each once, with their UUID ("" without one)."""

    cpid: str
    seconds: int
    passes: tuple[tuple[str, str], ...]

    def as_json(self) -> JsonObject:
        """Return the form that is uploaded."""
        return {
            "cpid": self.cpid,
            "duration_seconds": self.seconds,
            "results": [
                {"name": name, **({"uuid": uuid} if uuid else {})} for name, uuid in self.passes
            ],
        }

    def outcomes(self) -> Outcomes:
        """Return the outcomes: each test passed in one attempt."""
        return Outcomes(
            tuple(
                Attempt(_test(name, uuid), Outcome.PASS, "", order)
                for order, (name, uuid) in enumerate(self.passes, start=1)
            )
        )


def of_outcomes(outcomes: Outcomes, cpid: str, seconds: int = 0) -> RefstackResults:
    """Return the tests whose last attempt passed, without attributes.

    A later failure of the set-up of a class overrides the outcomes of its tests. Each scenario of a
    test is a test with a name of its own, as for the original refstack-client.
    """
    last = {attempt.test.full: attempt for attempt in outcomes.attempts}
    passes = (
        (_with_scenario(attempt.test), (attempt.test.idempotent_id or "").removeprefix("id-"))
        for attempt in last.values()
        if _has_passed(outcomes, attempt.test)
    )
    return RefstackResults(cpid, seconds, _each_once(passes))


def _has_passed(outcomes: Outcomes, test: TestId) -> bool:
    decides = deciding(outcomes.history(test.full, test.class_name))
    return bool(decides and decides.outcome is Outcome.PASS)


def _with_scenario(test: TestId) -> str:
    """Return a test's full id without the attributes in its brackets: ``name(scenario)``."""
    return _ATTRIBUTES.sub("", test.full)


def _each_once(passes: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Return each name once: the server compares without case and trailing blanks."""
    return tuple({name.rstrip().lower(): (name, uuid) for name, uuid in passes}.values())


def read(content: bytes, source: str) -> RefstackResults:
    """Read results in either form: as the client uploads or as the server returns them.

    :raises InputError: the content has neither form
    """
    try:
        document: Any = loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{source}: not valid JSON: {error}", hint=_HINT) from error
    if not isinstance(document, dict) or not isinstance(document.get("results"), list):
        raise InputError(f"{source}: /results: expected a list of tests", hint=_HINT)
    passes = [
        _pass(entry, f"{source}: /results/{number}")
        for number, entry in enumerate(document["results"])
    ]
    cpid, seconds = document.get("cpid", ""), document.get("duration_seconds", 0)
    if not isinstance(cpid, str) or not isinstance(seconds, int) or isinstance(seconds, bool):
        raise InputError(
            f"{source}: cpid is a text and duration_seconds a whole number", hint=_HINT
        )
    return RefstackResults(cpid, seconds, _each_once(passes))


def is_refstack(content: bytes) -> bool:
    """Return whether a file looks like results of RefStack rather than a stream."""
    return content.removeprefix(codecs.BOM_UTF8).lstrip()[:1] == b"{" and b'"results"' in content


def _pass(entry: Any, where: str) -> tuple[str, str]:
    if isinstance(entry, str):  # as the server returns them: names alone
        return entry, ""
    if not isinstance(entry, dict) or not isinstance(entry.get("name"), str):
        raise InputError(f"{where}: expected a test with a name", hint=_HINT)
    uuid = str(entry.get("uuid") or entry.get("uid") or "").lower().removeprefix("id-")
    return entry["name"], uuid if _UUID.fullmatch(uuid) else ""


def check(results: RefstackResults, source: str) -> None:
    """Check that a server can take ``results``.

    :raises InputError: a value is missing, too long or of another form
    """
    if not results.passes:
        raise InputError(f"{source}: no test passed, and only passes are uploaded")
    if not results.cpid or len(results.cpid) > LONGEST_CPID:
        raise InputError(f"{source}: /cpid: 1 to {LONGEST_CPID} characters are needed")
    if not 0 <= results.seconds <= MOST_SECONDS:
        raise InputError(
            f"{source}: /duration_seconds: {results.seconds} is not from 0 to {MOST_SECONDS}"
        )
    for number, (name, _) in enumerate(results.passes):
        where = f"{source}: /results/{number}"
        if not name or len(name) > LONGEST_NAME:
            raise InputError(f"{where}: a name has 1 to {LONGEST_NAME} characters")
        try:
            name.encode("latin-1")
        except UnicodeEncodeError as error:
            raise InputError(f"{where}: the server takes names in Latin-1 only: {name}") from error


def _test(name: str, uuid: str) -> TestId:
    if not uuid or "(" in name:
        # One scenario that passed is not the test: whether the others failed is not listed.
        return TestId(name, name, None)
    return TestId(f"{name}[id-{uuid}]", name, f"id-{uuid}")


def body(results: RefstackResults | Mapping[str, object]) -> bytes:
    """Return the exact bytes that are sent, and signed."""
    document = results.as_json() if isinstance(results, RefstackResults) else results
    return json.dumps(document).encode()
