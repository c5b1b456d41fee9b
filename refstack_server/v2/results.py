"""Whole results (``/v2``): uploaded, judged, compared."""

from datetime import date, datetime
from http import HTTPStatus
from typing import Annotated, Any

import pydantic
from fastapi import APIRouter, Query, Response
from sqlalchemy.orm import Session

from refstack_client import comparison, report
from refstack_server import kept, ledger, outcomes, received, results, statistics, stored, verdicts
from refstack_server.context import Asked, Body, Looking, Reading, Writer, Writing
from refstack_server.errors import bad_request, forbidden, not_found
from refstack_server.reading import Document, Text, read, schema_of
from refstack_server.received import Received
from refstack_server.tables import Kind, now
from refstack_server.v1.results import page_url
from refstack_server.verdicts import By

router = APIRouter(tags=["whole results"])


_ANY_BYTES = {
    "requestBody": {
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
    }
}


@router.post("/bundles", status_code=HTTPStatus.CREATED, openapi_extra=_ANY_BYTES)
def add_bundle(
    body: Body, response: Response, session: Writing, looking: Looking
) -> dict[str, Any]:
    """Take a bundle that holds; the same one again is the same result, and answered with 200.

    It belongs to whoever signed it with a registered key, else to the caller, and is private.
    """
    return _stored(session, looking, received.read_bundle(body), body, response)


@router.post("/streams", status_code=HTTPStatus.CREATED, openapi_extra=_ANY_BYTES)
def add_stream(
    by: Annotated[By, Query()],
    body: Body,
    response: Response,
    session: Writing,
    looking: Looking,
) -> dict[str, Any]:
    """Take a subunit stream of the caller's, judged by a programme."""
    looking.caller.require_user()
    sent = received.read_stream(body, received.shipped_programme(by.guideline, by.programme))
    return _stored(session, looking, sent, body, response)


def _stored(
    session: Session, looking: Asked, sent: Received, body: bytes, response: Response
) -> dict[str, Any]:
    result, is_new = stored.store(session, looking, sent, body)
    response.status_code = HTTPStatus.CREATED if is_new else HTTPStatus.OK
    return {
        "id": result.id,
        "url": page_url(looking.settings, result),
        "sha256": sent.sha256,
        "verdict": report.headline(sent.verdict),
        "checks": received.checks_as_json(sent.checks),
    }


@router.get("/results/{result_id}")
def show(result_id: str, looking: Looking) -> dict[str, Any]:
    """Return what is known of a result."""
    result = looking.find(result_id)
    return {
        "id": result.id,
        "url": page_url(looking.settings, result),
        "kind": result.kind,
        "sha256": result.sha256,
        "guideline": result.guideline,
        "programme": result.programme,
        "conformance": result.conformance,
        "published": result.listed,
        "verified": result.is_verified,
        "verified_until": result.verified_until.isoformat() if result.verified_until else None,
    }


@router.get("/results/{result_id}/verdict")
def verdict(result_id: str, by: Annotated[By, Query()], looking: Looking) -> dict[str, Any]:
    """Return the verdict on a result by a guideline's programme, with every reason."""
    return report.as_json(verdicts.of(looking.settings, looking.find(result_id), by))


@router.get("/results/{result_id}/outcomes")
def list_outcomes(result_id: str, looking: Looking) -> list[dict[str, str]]:
    """Return every outcome of a result in its order, those at setting a class up too."""
    return [
        {"test": each.name, "outcome": each.outcome, "reason": each.reason}
        for each in outcomes.unpack(looking.find(result_id).outcomes)
    ]


@router.get("/results/{result_id}/bundle", response_class=Response)
def download(result_id: str, looking: Looking) -> Response:
    """Return the bundle as it was sent, to its owner and the foundation."""
    result = looking.find(result_id)
    if results.role(result, looking.caller) == results.READER:
        raise forbidden("the whole bundle is its owner's; what is public of it is the verdict")
    if result.kind != Kind.BUNDLE or not result.sha256:
        raise not_found("there is no bundle of this result")
    return Response(
        kept.read(looking.settings.data, result.sha256),
        media_type="application/zip",
        headers={"Content-Disposition": f'attachment; filename="{result.id}.zip"'},
    )


@router.get("/results/{result_id}/compared/{other_id}")
def compare(
    result_id: str, other_id: str, by: Annotated[By, Query()], looking: Looking
) -> list[dict[str, str]]:
    """Return what every required test came to in both, worst change first."""
    one, other = looking.find(result_id), looking.find(other_id)
    before, after = (verdicts.of(looking.settings, each, by.or_of(one)) for each in (one, other))
    return [
        {
            "test": each.test.name,
            "before": str(each.before),
            "after": str(each.after),
            "change": str(each.change),
            "reason": each.reason,
        }
        for each in comparison.compare(before, after)
    ]


class Verification(Document):
    """Until when the foundation's word holds, as an ISO date; null for good."""

    until: date | None = None
    model_config = pydantic.ConfigDict(extra="forbid", strict=False)


@router.put("/results/{result_id}/verification", openapi_extra=schema_of(Verification))
def verify(result_id: str, body: Body, session: Writing, caller: Writer) -> dict[str, Any]:
    """Verify a published result: the foundation accepts it."""
    caller.require_foundation()
    until = read(body or b"{}", Verification).until
    if until and until <= now().date():
        raise bad_request("a verification ends in the future", "/until")
    result = results.find(session, result_id, caller)
    ends = datetime.combine(until, datetime.min.time()) if until else None
    results.verify(session, result, ends)
    session.commit()
    return {"verified": True, "until": until.isoformat() if until else None}


class Revocation(Document):
    """Why the foundation takes its word back."""

    why: Text = pydantic.Field(min_length=1, max_length=1000)


@router.post("/results/{result_id}/revocation", openapi_extra=schema_of(Revocation))
def revoke(result_id: str, body: Body, session: Writing, caller: Writer) -> dict[str, Any]:
    """Take a verification back; the reason is public."""
    caller.require_foundation()
    why = read(body, Revocation).why
    results.revoke(session, results.find(session, result_id, caller), why)
    session.commit()
    return {"verified": False}


@router.get("/statistics")
def count(by: Annotated[By, Query()], looking: Looking) -> dict[str, Any]:
    """Return how the newest results one may see did by a programme, test by test."""
    chosen = received.shipped_programme(by.guideline, by.programme)
    return statistics.over(looking.session, looking.caller, chosen)


@router.get("/log")
def show_log(
    session: Reading,
    after: Annotated[int, Query(ge=0, le=2**31 - 1)] = 0,
    most: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> list[dict[str, Any]]:
    """Return lines of the public log; each digest covers its line's text and the digest before."""
    return list(ledger.lines(session, after, most))
