"""Results in RefStack v1's form: list, show, change (``/v1/results``)."""

import json
import math
from collections.abc import Iterator
from http import HTTPStatus
from typing import Annotated, NamedTuple

import pydantic
import sqlalchemy as sa
from fastapi import APIRouter, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from sqlalchemy.orm import Session

from refstack_client.outcomes import public_text
from refstack_server.api.v1.result_documents import (
    ResultDetails,
    ResultsPage,
    ResultSummary,
    Row,
    summary,
)
from refstack_server.store import packed_outcomes, products, removal, sharing
from refstack_server.store import results as stored_results
from refstack_server.store.callers import Caller
from refstack_server.store.errors import (
    ForbiddenError,
    InvalidError,
    NotFoundError,
)
from refstack_server.store.schema import Kind, Product, Result
from refstack_server.web import times
from refstack_server.web.dependencies import (
    Body,
    CallerContext,
    Config,
    Context,
    CurrentCaller,
    WriteSession,
)
from refstack_server.web.request_body import Line, read_fields
from refstack_server.web.urls import result_url

router = APIRouter(prefix="/results", tags=["results"])
_QUICKLY_UNPACKED = 16 * 1024
"""Packed outcomes up to this size are shown within milliseconds."""


class Change(pydantic.BaseModel):
    """The changeable fields of a result; other keys are ignored."""

    product_version_id: Line | None = None
    verification_status: pydantic.StrictInt | pydantic.StrictBool | None = None


class Filters(pydantic.BaseModel):
    """Filters of a list of results; of a repeated one the last applies."""

    page: str = "1"
    start_date: str | None = None
    end_date: str | None = None
    cpid: str | None = None
    signed: str | None = None
    verification_status: str | None = None
    product_id: str | None = None


@router.get("", response_model=ResultsPage)
async def list_results(filters: Annotated[Filters, Query()], context: Context) -> Response:
    """List the results that the caller may see, the newest first."""
    return await context.read_json(_list, context, filters)


def _list(context: CallerContext, filters: Filters) -> ResultsPage:
    session, caller, settings = context.session, context.caller, context.settings
    conditions = list(_conditions(filters, session, caller))
    pages = math.ceil(stored_results.count(session, conditions) / settings.page_size)
    page = _page(filters.page, pages)
    rows: list[Row] = [
        {**summary(result, caller), "url": result_url(settings, result)}
        for result in stored_results.newest(session, conditions, settings.page_size, page)
    ]
    return {"results": rows, "pagination": {"current_page": page, "total_pages": pages}}


def _conditions(
    filters: Filters, session: Session, caller: Caller
) -> Iterator[sa.ColumnElement[bool]]:
    """Yield the conditions of a list; the first is that the caller may see the result."""
    if filters.signed is not None:
        if not caller.openid:
            raise InvalidError("To see signed test results you need to authenticate")
        yield Result.openid == caller.openid
    elif filters.product_id is None:
        yield stored_results.LISTED
    elif not _is_own(session, filters.product_id, caller):
        yield stored_results.visible_to(caller)
    if filters.product_id is not None:
        yield stored_results.of_product(filters.product_id)
    yield from _period(filters)
    if filters.cpid:
        yield stored_results.with_cpid(filters.cpid, caller)
    if filters.verification_status is not None:
        verified = stored_results.verified()
        yield verified if filters.verification_status == "1" else ~verified


def _period(filters: Filters) -> Iterator[sa.ColumnElement[bool]]:
    start, end = (
        times.parse(text) if text is not None else None
        for text in (filters.start_date, filters.end_date)
    )
    if start and end and start > end:
        raise InvalidError("Invalid dates: start_date more than end_date")
    if start:
        yield Result.created_at >= start
    if end:
        yield Result.created_at <= end


def _is_own(session: Session, product_id: str, caller: Caller) -> bool:
    product = session.get(Product, product_id)
    if product is None:
        raise NotFoundError(f'Product with id "{product_id}" not found')
    if not product.public:
        caller.require_vendor(product.organization_id)
    return product.organization_id in caller.vendors


def _page(text: str, pages: int) -> int:
    try:
        page = int(text)
    except ValueError as error:
        raise InvalidError(
            "Invalid page number: The page number can not be converted to an integer"
        ) from error
    if page <= 0:
        raise InvalidError("Invalid page number: The page number less or equal zero.")
    if page > max(1, pages):
        raise InvalidError(
            "Invalid page number: The page number is greater than the total number of pages."
        )
    return page


@router.get("/{result_id}", response_model=ResultDetails)
async def show(result_id: str, context: Context) -> Response:
    """Return a result with the names of the passed tests."""
    shown = await context.query(_show, context, result_id)
    if len(shown.outcomes) > _QUICKLY_UNPACKED:
        content = await context.render(document_of, shown)
    else:
        content = await run_in_threadpool(document_of, shown)
    return Response(content, media_type="application/json")


class Shown(NamedTuple):
    """A result as its caller sees it: fields, packed outcomes, the role of the caller.

    ``is_redacted`` is true if names are shown as far as they are public.
    """

    fields: dict[str, object]
    outcomes: bytes
    role: str | None
    is_redacted: bool


def _show(context: CallerContext, result_id: str) -> Shown:
    result = context.find(result_id)
    role = stored_results.role(result, context.caller)
    fields: dict[str, object] = {**summary(result, context.caller)}
    if role != stored_results.READER:
        fields["cpid"] = result.cpid
    is_redacted = role == stored_results.READER and result.kind != Kind.PASSES
    return Shown(fields, result.outcomes, role, is_redacted)


def document_of(shown: Shown) -> bytes:
    """Return a result with the names of the passed tests as JSON."""
    names = packed_outcomes.passed(packed_outcomes.unpack(shown.outcomes))
    if shown.is_redacted:
        names = [public_text.text(name) for name in names]
    document = {**shown.fields, "results": names, "user_role": shown.role}
    return json.dumps(document, ensure_ascii=False).encode()


@router.put("/{result_id}", status_code=HTTPStatus.CREATED)
def change(
    result_id: str, body: Body, request: Request, session: WriteSession, caller: CurrentCaller
) -> ResultSummary:
    """Attach a result to a version of a product, or verify it."""
    content_type = request.headers.get("content-type", "")
    wanted = read_fields(body, content_type, request.url.query, Change)
    if not caller.openid:
        raise ForbiddenError("only the owner of a result and the Foundation may change it")
    if "verification_status" in wanted.model_fields_set:
        caller.require_foundation()
    result = stored_results.find(session, result_id, caller)
    if "product_version_id" in wanted.model_fields_set:
        result = stored_results.find_own(session, result_id, caller)
        wanted_id = wanted.product_version_id
        version = products.find_attachable(session, wanted_id, caller) if wanted_id else None
        stored_results.attach(session, result, version)
    if "verification_status" in wanted.model_fields_set:
        _verify(session, result, wanted.verification_status)
    session.commit()
    return summary(result, caller)


def _verify(session: Session, result: Result, status: int | bool | None) -> None:
    if status not in (0, 1):
        raise InvalidError("verification_status must be 0 or 1")
    if status:
        sharing.verify(session, result, until=None)
    else:
        sharing.revoke(session, result, why="")


@router.delete("/{result_id}", status_code=HTTPStatus.NO_CONTENT, response_class=Response)
def delete(result_id: str, session: WriteSession, caller: CurrentCaller, settings: Config) -> None:
    """Remove a result; the Foundation may remove any public one, also one without an owner."""
    if not caller.openid:
        raise ForbiddenError("only the owner of a result and the Foundation may remove it")
    result = stored_results.find_removable(session, result_id, caller)
    stored_results.require_unverified(result, "it cannot be removed")
    removal.remove(session, settings.data, result)
