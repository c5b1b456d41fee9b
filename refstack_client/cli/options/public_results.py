"""Results on a collector, by URL: the bundle where the user may read it, else what is public."""

import io
import re

from capabilities import catalogue, tempest_id
from capabilities.guideline import Guideline
from capabilities.tempest_id import TestId
from refstack_client.bundle import open_results
from refstack_client.bundle.contents import Bundle
from refstack_client.bundle.open_results import Results
from refstack_client.cli.command import say
from refstack_client.cli.options.collector import connect_as
from refstack_client.errors import CloudError, InputError
from refstack_client.outcomes.attestation import Attestation, Statement
from refstack_client.outcomes.subunit_stream import class_fixture
from refstack_client.upload import login
from refstack_client.upload.collector import Collector
from refstack_client.upload.collector_requests import Record, RefusedError
from refstack_client.upload.http import Server
from refstack_client.upload.login import LOG_IN
from scoring.conformance.outcomes import Attempt, ClassOutcome, Outcome, Outcomes

_RESULT = re.compile(
    r"(?P<server>https?://[^?#]+?)/(?:v2/)?results/(?P<id>[A-Za-z0-9][A-Za-z0-9_-]*)(?:[/?#].*)?"
)
_HIDDEN = (401, 403, 404)
"""The refusals to show a result, or its bundle."""


def read(url: str) -> Results:
    """Read the results at the URL of a result's page, or of the result in API v2.

    The user of the login reads the bundle of an own result. Others, also without a login, read the
    outcomes that the server shows them, which are judged again here.

    :raises InputError: the URL is that of no result, or the result is private
    :raises CloudError: the server cannot be reached, or its response is not that of a collector
    """
    match = _RESULT.fullmatch(url)
    if match is None:
        raise InputError(
            f"{url} is not the URL of a result",
            hint="give the URL of its page, such as https://refstack.example.org/results/ID",
        )
    user, result_id = login.find(), match["id"]
    if user is None or user.url != match["server"]:
        return _shown(Collector(Server(match["server"]), say), url, result_id)
    collector = connect_as(user, insecure=False)
    try:
        content = collector.bundle(result_id)
    except RefusedError as error:
        if error.status not in _HIDDEN:
            raise
        return _shown(collector, url, result_id)
    return open_results.of_bundle(Bundle.unpack(content, url))


def _shown(collector: Collector, url: str, result_id: str) -> Results:
    """Return the results as far as the server shows them."""
    try:
        record, entries = collector.result(result_id), collector.outcomes(result_id)
    except RefusedError as error:
        if error.status not in _HIDDEN:
            raise
        raise InputError(str(error), hint=f"as the owner of a private result, {LOG_IN}") from error
    try:
        found = _results(record, _outcomes(entries))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise CloudError(
            f"{url}: unexpected response: {error!r}", hint="check that it is that of a collector"
        ) from error
    say(f"{url}: judged from the outcomes that the server shows, without the bundle")
    _compare(found, record)
    return found


def _compare(found: Results, record: Record) -> None:
    """Report if the outcomes lead to another verdict than that of the server."""
    chosen = found.programme(None)
    stated = record.get("conformance")
    if chosen and stated and (judged := found.judge(chosen).conformance) != stated:
        say(f"warning: the verdict of the server is {stated}, that on these outcomes {judged}")


def _results(record: Record, outcomes: Outcomes) -> Results:
    guideline = catalogue.load(record["guideline"])[0] if record["guideline"] else None
    return Results(
        outcomes=outcomes,
        open_stream=lambda: io.BytesIO(b""),
        guideline=guideline,
        key=record["programme"] or "",
        attested=_attested(record, guideline) if guideline else None,
    )


def _attested(record: Record, guideline: Guideline) -> Attestation | None:
    found = record.get("attestation")
    if found is None:
        return None
    return Attestation(
        guideline=guideline.id,
        sha256=guideline.digest,
        programme=record["programme"],
        product=found["product"] or "",
        by=found["by"] or "the vendor",
        date=found["date"],
        sections=tuple(Statement(name, answer) for name, answer in found["sections"].items()),
    )


def _outcomes(entries: list[Record]) -> Outcomes:
    attempts, classes = [], []
    for order, entry in enumerate(entries, start=1):
        name, outcome, reason = entry["test"], Outcome(entry["outcome"]), entry["reason"]
        if fixture := class_fixture(name):
            classes.append(ClassOutcome(fixture, outcome, reason, order))
        else:
            # The original refstack-client uploads names without ids.
            test = tempest_id.parse(name) or TestId(name, name, None)
            attempts.append(Attempt(test, outcome, reason, order))
    return Outcomes(tuple(attempts), tuple(classes))
