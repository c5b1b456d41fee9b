"""Results as JSON documents, which workers write."""

import json

from typing_extensions import TypedDict

from refstack_client.report import comparison as results_compared
from refstack_client.report import document as report_document
from refstack_server.intake import verify_upload
from refstack_server.publish import statistics
from refstack_server.publish.stored_result import By, StoredResult
from refstack_server.store import packed_outcomes


class OutcomeDocument(TypedDict):
    """The outcome of one attempt of a test, or of the set-up of a class."""

    test: str
    outcome: str
    reason: str


class ChangeDocument(TypedDict):
    """The outcome of a test in two results."""

    test: str
    before: str
    after: str
    change: str
    reason: str


def verdict(result: StoredResult, by: By) -> bytes:
    """Return the verdict on a result with all reasons; errors as for its method."""
    return _json(report_document.as_json(result.verdict(by)))


def outcomes(result: StoredResult) -> bytes:
    """Return every outcome of a result in order."""
    documents: list[OutcomeDocument] = [
        {"test": entry.name, "outcome": entry.outcome, "reason": entry.reason}
        for entry in result.entries()
    ]
    return _json(documents)


def passed(result: StoredResult) -> list[str]:
    """Return the names of the tests that passed."""
    return packed_outcomes.passed(packed_outcomes.unpack(result.outcomes))


def compared_by(first: StoredResult, second: StoredResult, by: By) -> By:
    """Return the guideline and programme by which two results are compared.

    Those of the first result are the default, or of the second if the first has none. They are ""
    if neither has.
    """
    return second.judged_by(first.judged_by(by))


def comparison(first: StoredResult, second: StoredResult, by: By) -> bytes:
    """Return the outcome of each required test in two results, by :func:`compared_by`."""
    chosen = compared_by(first, second, by)
    changes = results_compared.compare(first.verdict(chosen), second.verdict(chosen))
    documents: list[ChangeDocument] = [
        {
            "test": change.test.name,
            "before": str(change.before),
            "after": str(change.after),
            "change": str(change.change),
            "reason": change.reason,
        }
        for change in changes
    ]
    return _json(documents)


def counts(packed: list[bytes], by: By) -> bytes:
    """Return statistics of results by a programme."""
    programme = verify_upload.shipped_programme(by.guideline, by.programme)
    return _json(statistics.over(packed, programme))


def _json(document: object) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode()
