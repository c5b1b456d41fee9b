"""Whole results (``/v2``): uploaded, judged, compared."""

from datetime import date
from http import HTTPStatus
from typing import Annotated, Any

import pydantic
from fastapi import APIRouter, Query, Response
from sqlalchemy.orm import Session

from refstack_client.report import comparison
from refstack_client.report import document as report_document
from refstack_client.report import text as report_text
from refstack_server.api.v1.results import page_url
from refstack_server.intake import store_upload, verify_upload
from refstack_server.intake.verify_upload import Received
from refstack_server.publish import public_view, statistics
from refstack_server.publish.verdicts import By
from refstack_server.store import audit_log, packed_outcomes
from refstack_server.store import results as stored_results
from refstack_server.store.blobs import Coming
from refstack_server.store.results import Sharing
from refstack_server.web.dependencies import Asked, Body, Large, Looking, Reading, Writer, Writing
from refstack_server.web.request_body import Document, Text, read, schema_of

router = APIRouter(tags=["whole results"])


_ANY_BYTES = {
    "requestBody": {
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
    }
}


@router.post("/bundles", status_code=HTTPStatus.CREATED, openapi_extra=_ANY_BYTES)
def add_bundle(
    coming: Large, response: Response, session: Writing, looking: Looking
) -> dict[str, Any]:
    """Take a bundle that holds; the same one again is the same result, and answered with 200.

    It belongs to whoever signed it with a registered key, else to the caller, and is private.
    """
    return _stored(session, looking, verify_upload.read_bundle(coming), coming, response)


@router.post("/streams", status_code=HTTPStatus.CREATED, openapi_extra=_ANY_BYTES)
def add_stream(
    by: Annotated[By, Query()],
    coming: Large,
    response: Response,
    session: Writing,
    looking: Looking,
) -> dict[str, Any]:
    """Take a subunit stream of the caller's, judged by a programme."""
    looking.caller.require_user()
    sent = verify_upload.read_stream(
        coming, verify_upload.shipped_programme(by.guideline, by.programme)
    )
    return _stored(session, looking, sent, coming, response)


def _stored(
    session: Session, looking: Asked, sent: Received, coming: Coming, response: Response
) -> dict[str, Any]:
    result, is_new = store_upload.store(session, looking, sent, coming)
    response.status_code = HTTPStatus.CREATED if is_new else HTTPStatus.OK
    return {
        "id": result.id,
        "url": page_url(looking.settings, result),
        "sha256": sent.sha256,
        "verdict": report_text.headline(sent.verdict),
        "checks": verify_upload.checks_as_json(sent.checks),
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
        "shared_with": str(stored_results.sharing(result)),
        "verified": result.is_verified,
        "verified_until": result.verified_until.isoformat() if result.verified_until else None,
    }


@router.get("/results/{result_id}/verdict")
def verdict(result_id: str, by: Annotated[By, Query()], looking: Looking) -> dict[str, Any]:
    """Return the verdict on a result by a guideline's programme, with every reason."""
    return report_document.as_json(looking.verdict(looking.find(result_id), by))


@router.get("/results/{result_id}/outcomes")
def list_outcomes(result_id: str, looking: Looking) -> list[dict[str, str]]:
    """Return every outcome of a result in its order, those at setting a class up too."""
    result = looking.find(result_id)
    told = str if looking.knows_all(result) else public_view.text
    return [
        {"test": each.name, "outcome": each.outcome, "reason": told(each.reason)}
        for each in packed_outcomes.unpack(result.outcomes)
    ]


@router.get("/results/{result_id}/bundle", response_class=Response)
def download(result_id: str, looking: Looking) -> Response:
    """Return the bundle as it was sent, to its owner and the foundation."""
    return store_upload.as_file(looking, result_id)


@router.get("/results/{result_id}/compared/{other_id}")
def compare(
    result_id: str, other_id: str, by: Annotated[By, Query()], looking: Looking
) -> list[dict[str, str]]:
    """Return what every required test came to in both, worst change first."""
    one, other = looking.find(result_id), looking.find(other_id)
    before, after = (looking.verdict(each, by.or_of(one)) for each in (one, other))
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


class Share(Document):
    """Who may see a result besides its owner."""

    with_: Sharing = pydantic.Field(alias="with")
    model_config = pydantic.ConfigDict(extra="forbid", strict=False)


@router.put("/results/{result_id}/sharing", openapi_extra=schema_of(Share))
def share(result_id: str, body: Body, session: Writing, caller: Writer) -> dict[str, str]:
    """Share a result of the caller's with the certifier, with everybody, or with nobody any more.

    Everybody sees its verdict with reasons without addresses, hosts and ids, and its hash.
    """
    result = stored_results.share(session, result_id, caller, read(body, Share).with_)
    session.commit()
    return {"shared_with": str(stored_results.sharing(result))}


class Verification(Document):
    """Until when the foundation's word holds, as an ISO date; null for good."""

    until: date | None = None
    model_config = pydantic.ConfigDict(extra="forbid", strict=False)


@router.put("/results/{result_id}/verification", openapi_extra=schema_of(Verification))
def verify(result_id: str, body: Body, session: Writing, caller: Writer) -> dict[str, Any]:
    """Verify a published result: the foundation accepts it."""
    caller.require_foundation()
    until = read(body or b"{}", Verification).until
    stored_results.verify(session, stored_results.find(session, result_id, caller), until)
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
    stored_results.revoke(session, stored_results.find(session, result_id, caller), why)
    session.commit()
    return {"verified": False}


@router.get("/statistics")
def count(by: Annotated[By, Query()], looking: Looking) -> dict[str, Any]:
    """Return how the newest results one may see did by a programme, test by test."""
    chosen = verify_upload.shipped_programme(by.guideline, by.programme)
    return statistics.over(looking.session, looking.caller, chosen)


@router.get("/log")
def show_log(
    session: Reading,
    after: Annotated[int, Query(ge=0, le=2**31 - 1)] = 0,
    most: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> list[dict[str, Any]]:
    """Return lines of the public log; each digest covers its line's text and the digest before."""
    return list(audit_log.lines(session, after, most))
