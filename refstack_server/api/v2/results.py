"""Results with every outcome (``/v2``): upload, verdict, comparison, verification."""

from datetime import date
from http import HTTPStatus
from typing import Annotated, Any

import pydantic
from fastapi import APIRouter, Query, Response
from fastapi.concurrency import run_in_threadpool
from sqlalchemy.orm import Session
from typing_extensions import TypedDict

from refstack_server.api.v2.result_document import ResultDocument
from refstack_server.api.v2.result_document import documents as documents_of
from refstack_server.intake import store_upload, verify_upload
from refstack_server.intake.verify_upload import CheckDocument, VerifiedUpload
from refstack_server.publish import documents, statistics
from refstack_server.publish.documents import ChangeDocument, OutcomeDocument
from refstack_server.publish.statistics import Statistics
from refstack_server.publish.stored_result import By
from refstack_server.store import public_bundles
from refstack_server.store import results as stored_results
from refstack_server.store import sharing as stored_sharing
from refstack_server.store.blobs import IncomingUpload
from refstack_server.store.sharing import Sharing
from refstack_server.web.bundle_download import bundle_response, public_bundle_response
from refstack_server.web.dependencies import (
    SIGNED_IN,
    Body,
    CallerContext,
    Context,
    CurrentCaller,
    StreamedBody,
    WriteSession,
)
from refstack_server.web.incoming_bundles import check_copy, verified_bundle
from refstack_server.web.request_body import Document, Json, Text, read, schema_of
from refstack_server.web.urls import result_url

router = APIRouter(tags=["whole results"])


_ANY_BYTES = {
    "requestBody": {
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
    }
}


_BUNDLE: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}}}
}


class StoredUpload(TypedDict):
    """A stored upload with its verdict in one line and the checks of a bundle."""

    id: str
    url: str
    sha256: str
    verdict: str
    checks: list[CheckDocument]


class VerificationDocument(TypedDict):
    """A verification, and the date on which it expires, null for never."""

    verified: bool
    until: str | None


class RevocationDocument(TypedDict):
    """A revoked verification."""

    verified: bool


class SharingDocument(TypedDict):
    """Who may see a result besides its owner."""

    shared_with: Sharing


def _json(content: bytes) -> Response:
    return Response(content, media_type="application/json")


@router.post("/bundles", status_code=HTTPStatus.CREATED, openapi_extra=_ANY_BYTES)
async def add_bundle(
    upload: StreamedBody, response: Response, session: WriteSession, context: Context
) -> StoredUpload:
    """Store a valid bundle; the same bundle again is the same result, with status 200.

    The result is private. It belongs to the user whose registered key signed the bundle, otherwise
    to the caller.
    """
    owner, verified = await verified_bundle(context, upload)
    return await run_in_threadpool(_store, session, context, owner, verified, upload, response)


@router.post(
    "/streams",
    status_code=HTTPStatus.CREATED,
    openapi_extra=_ANY_BYTES,
    dependencies=[SIGNED_IN],
)
async def add_stream(
    by: Annotated[By, Query()],
    upload: StreamedBody,
    response: Response,
    session: WriteSession,
    context: Context,
) -> StoredUpload:
    """Store a subunit stream of the caller, judged by a programme."""
    verified = await context.run(
        verify_upload.read_stream, upload.complete(), by.guideline, by.programme
    )
    owner = context.caller.openid
    return await run_in_threadpool(_store, session, context, owner, verified, upload, response)


def _store(
    session: Session,
    context: CallerContext,
    owner: str,
    verified: VerifiedUpload,
    upload: IncomingUpload,
    response: Response,
) -> StoredUpload:
    result, is_new = store_upload.store(session, context.settings.data, owner, verified, upload)
    response.status_code = HTTPStatus.CREATED if is_new else HTTPStatus.OK
    return {
        "id": result.id,
        "url": result_url(context.settings, result),
        "sha256": upload.sha256,
        "verdict": verified.headline,
        "checks": verify_upload.checks_as_json(verified.checks),
    }


@router.get("/results/{result_id}", response_model=ResultDocument)
async def show(result_id: str, context: Context) -> Response:
    """Return a result without its outcomes."""
    return await context.read_json(_show, context, result_id)


def _show(context: CallerContext, result_id: str) -> ResultDocument:
    found = [context.find(result_id)]
    (document,) = documents_of(context.session, context.settings, context.caller, found)
    return document


@router.get("/results/{result_id}/verdict", response_model=Json)
async def verdict(result_id: str, by: Annotated[By, Query()], context: Context) -> Response:
    """Return the verdict on a result by a guideline's programme, with all reasons."""
    result = await context.look_up(result_id)
    return _json(await context.render(documents.verdict, result, by))


@router.get("/results/{result_id}/outcomes", response_model=list[OutcomeDocument])
async def list_outcomes(result_id: str, context: Context) -> Response:
    """Return every outcome of a result in order, including failed set-ups of classes."""
    result = await context.look_up(result_id)
    return _json(await context.render(documents.outcomes, result))


@router.get("/results/{result_id}/bundle", response_class=Response, responses=_BUNDLE)
def download(result_id: str, context: Context) -> Response:
    """Return a bundle as it was uploaded, for its owner and the Foundation."""
    return bundle_response(context, result_id)


class PublicBundleDocument(TypedDict):
    """The SHA-256 of the anonymised copy of a bundle that is public, null if none is."""

    sha256: str | None


@router.get("/results/{result_id}/public-bundle", response_class=Response, responses=_BUNDLE)
def download_public(result_id: str, context: Context) -> Response:
    """Return the anonymised copy of a bundle, if its owner published it."""
    return public_bundle_response(context, result_id)


@router.put(
    "/results/{result_id}/public-bundle", openapi_extra=_ANY_BYTES, dependencies=[SIGNED_IN]
)
async def publish_bundle(
    result_id: str, upload: StreamedBody, session: WriteSession, context: Context
) -> PublicBundleDocument:
    """Publish the anonymised copy of the bundle of a public result of the caller.

    The body is the copy that ``refstack-client bundle anonymise`` writes, signed with a key of the
    caller. The public log records its SHA-256.
    """
    await check_copy(context, result_id, upload)
    where = (context.caller, context.settings.data, result_id)
    result = await run_in_threadpool(store_upload.store_copy, session, *where, upload)
    return {"sha256": result.public_sha256}


@router.delete("/results/{result_id}/public-bundle")
def withdraw_bundle(
    result_id: str, session: WriteSession, caller: CurrentCaller
) -> PublicBundleDocument:
    """Withdraw the public bundle of a result of the caller; the result stays public."""
    result = stored_results.find_own(session, result_id, caller)
    public_bundles.withdraw(session, result)
    session.commit()
    return {"sha256": None}


@router.get("/results/{result_id}/compared/{other_id}", response_model=list[ChangeDocument])
async def compare(
    result_id: str, other_id: str, by: Annotated[By, Query()], context: Context
) -> Response:
    """Return the outcome of every required test in two results, the worst change first."""
    pair = await context.look_up(result_id), await context.look_up(other_id)
    return _json(await context.render(documents.comparison, *pair, by))


class Share(Document):
    """Who may see a result besides its owner."""

    with_: Sharing = pydantic.Field(alias="with", examples=["everybody"])
    model_config = pydantic.ConfigDict(extra="forbid", strict=False)


@router.put("/results/{result_id}/sharing", openapi_extra=schema_of(Share))
def share(
    result_id: str, body: Body, session: WriteSession, caller: CurrentCaller
) -> SharingDocument:
    """Share a result of the caller with the certifier, publish it, or withdraw it.

    The public sees the verdict, the SHA-256, and the reasons without what names parts of the cloud.
    """
    result = stored_sharing.share(session, result_id, caller, read(body, Share).with_)
    session.commit()
    return {"shared_with": stored_sharing.sharing(result)}


class Verification(Document):
    """The date on which a verification expires, in ISO format, null for never; the reason.

    The reason is public, and required if the verdict is not conformant.
    """

    until: date | None = pydantic.Field(None, examples=["2027-11-21"])
    why: Text = pydantic.Field(default="", max_length=stored_sharing.LONGEST_REASON)
    model_config = pydantic.ConfigDict(extra="forbid", strict=False)


@router.put("/results/{result_id}/verification", openapi_extra=schema_of(Verification))
def verify(
    result_id: str, body: Body, session: WriteSession, caller: CurrentCaller
) -> VerificationDocument:
    """Verify a published result for the Foundation; one that is not conformant with a reason."""
    caller.require_foundation()
    sent = read(body or b"{}", Verification)
    result = stored_results.find(session, result_id, caller)
    stored_sharing.verify(session, result, sent.until, sent.why)
    session.commit()
    return {"verified": True, "until": sent.until.isoformat() if sent.until else None}


class Revocation(Document):
    """The reason why the Foundation revokes a verification; it is public."""

    why: Text = pydantic.Field(
        min_length=1,
        max_length=stored_sharing.LONGEST_REASON,
        examples=["the run used an admin credential"],
    )


@router.post("/results/{result_id}/revocation", openapi_extra=schema_of(Revocation))
def revoke(
    result_id: str, body: Body, session: WriteSession, caller: CurrentCaller
) -> RevocationDocument:
    """Revoke the Foundation verification of a result; the reason is public."""
    caller.require_foundation()
    why = read(body, Revocation).why
    stored_sharing.revoke(session, stored_results.find(session, result_id, caller), why)
    session.commit()
    return {"verified": False}


@router.get("/statistics", response_model=Statistics)
async def count(by: Annotated[By, Query()], context: Context) -> Response:
    """Return statistics of the newest results of a programme that the caller may see."""
    verify_upload.shipped_programme(by.guideline, by.programme)
    packed = await context.query(
        statistics.newest, context.session, context.caller, by.guideline, by.programme
    )
    return _json(await context.render(documents.counts, packed, by))
