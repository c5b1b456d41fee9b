"""The list of results (``GET /v2/results``): filters, and pages that begin at a cursor."""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import date, datetime, time
from typing import Annotated, Literal, get_args
from urllib.parse import urlencode

import pydantic
from fastapi import APIRouter, Query, Request, Response
from pydantic_core import PydanticCustomError
from typing_extensions import TypedDict

from refstack_server.api.v2.result_document import ResultDocument, documents
from refstack_server.publish import shipped
from refstack_server.store import result_list
from refstack_server.store.callers import Caller
from refstack_server.store.errors import InvalidError
from refstack_server.store.result_list import Condition
from refstack_server.store.schema import Product, Result
from refstack_server.store.standing import Standing, of_standing
from refstack_server.web import cursors
from refstack_server.web.dependencies import CallerContext, Context
from scoring.conformance.verdict import Conformance

router = APIRouter(tags=["whole results"])
_MOST, _DEFAULT = 200, 20
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def _must_be(allowed: str) -> pydantic.WrapValidator:
    """Return a validator whose error names the allowed values."""

    def validate(value: object, handler: pydantic.ValidatorFunctionWrapHandler) -> object:
        try:
            return handler(value)
        except ValueError as error:
            raise PydanticCustomError("not_allowed", "must be {what}", {"what": allowed}) from error

    return pydantic.WrapValidator(validate)


def _one_of(values: Callable[[], Collection[str]]) -> pydantic.AfterValidator:
    def validate(value: str) -> str:
        if value not in values():
            listed = ", ".join(values())
            raise PydanticCustomError("not_allowed", "must be one of {what}", {"what": listed})
        return value

    return pydantic.AfterValidator(validate)


def _day(text: object) -> date:
    if not isinstance(text, str) or not _DAY.fullmatch(text):
        raise ValueError("not a date")
    return date.fromisoformat(text)


Id = Annotated[
    str,
    pydantic.Field(pattern="^[0-9A-Za-z-]{1,36}$"),
    _must_be("an id of at most 36 letters, digits and hyphens"),
]
Digest = Annotated[
    str,
    pydantic.Field(pattern="^[0-9a-f]{64}$"),
    _must_be("a SHA-256 of 64 hexadecimal digits, 0 to 9 and a to f"),
]
Day = Annotated[date, pydantic.BeforeValidator(_day), _must_be("a date such as 2026-11-21")]
Number = Annotated[
    int, pydantic.Field(ge=1, le=_MOST), _must_be(f"a whole number from 1 to {_MOST}")
]

Verdict = Literal[Conformance.CONFORMANT, Conformance.NOT_CONFORMANT, Conformance.INCOMPLETE]


class Filters(pydantic.BaseModel):
    """Filters of the list of results, which all apply, and the page of the list."""

    vendor: Id | None = pydantic.Field(None, description="id of the vendor of the product")
    product: Id | None = pydantic.Field(None, description="id of the product")
    guideline: Annotated[str, _one_of(shipped.newest_first)] | None = pydantic.Field(
        None, description="id of a shipped guideline", examples=["2020.06"]
    )
    programme: Annotated[str, _one_of(shipped.programme_keys)] | None = pydantic.Field(
        None, description="key of a programme", examples=["storage"]
    )
    verdict: Annotated[Verdict, _must_be(f"one of {', '.join(get_args(Verdict))}")] | None = None
    standing: Annotated[Standing, _must_be(f"one of {', '.join(Standing)}")] | None = None
    uploaded_since: Day | None = pydantic.Field(None, description="first day of the upload, UTC")
    uploaded_until: Day | None = pydantic.Field(None, description="last day of the upload, UTC")
    id: Id | None = pydantic.Field(None, description="id of the result")
    sha256: Digest | None = pydantic.Field(None, description="SHA-256 of the uploaded file")
    mine: Annotated[Literal["true", "false"], _must_be("true or false")] = pydantic.Field(
        "false", description="only results of the caller, and of vendors that the caller acts for"
    )
    after: str | None = pydantic.Field(None, description="cursor, from the URL of the next page")
    most: Number = pydantic.Field(_DEFAULT, description="largest number of results on a page")

    @pydantic.model_validator(mode="before")
    @classmethod
    def _known(cls, values: Mapping[str, object]) -> Mapping[str, object]:
        for name in values:
            if name not in cls.model_fields:
                found = {"name": repr(name[:40]), "names": ", ".join(cls.model_fields)}
                message = "{name} is not a parameter; the parameters are {names}"
                raise PydanticCustomError("unknown_parameter", message, found)
        return values


class ResultList(TypedDict):
    """A page of a list of results, and the URL of the next page, null after the last result."""

    results: list[ResultDocument]
    next: str | None


@router.get("/results", response_model=ResultList)
async def list_results(
    filters: Annotated[Filters, Query()], request: Request, context: Context
) -> Response:
    """List the results that the caller may see, the newest first.

    The next page is also in the header ``Link``. Results that are stored meanwhile are on no later
    page.
    """
    _require_single(request)
    if filters.mine == "true":
        context.caller.require_user()
    links: dict[str, str] = {}
    answer = await context.read_json(_list, context, filters, request.app.state.secret, links)
    answer.headers.update(links)
    return answer


def _list(
    context: CallerContext, filters: Filters, secret: str, links: dict[str, str]
) -> ResultList:
    session, caller = context.session, context.caller
    start = cursors.read(secret, filters.after) if filters.after is not None else None
    is_mine = filters.mine == "true"
    seen = result_list.owned_by(caller) if is_mine else result_list.seen_by(caller)
    conditions = list(_conditions(filters, caller))
    # One more result than wanted shows whether there is a next page.
    found = result_list.older(session, seen, conditions, filters.most + 1, start)
    shown = found[: filters.most]
    url = None
    if len(found) > len(shown):
        query = filters.model_dump(mode="json", exclude_defaults=True)
        query["after"] = cursors.write(secret, shown[-1].number)
        url = f"{context.settings.public_url}/v2/results?{urlencode(query)}"
        links["Link"] = f'<{url}>; rel="next"'
    return {"results": documents(session, context.settings, caller, shown), "next": url}


def _require_single(request: Request) -> None:
    """Check that no parameter is repeated: a reader would expect the results of all its values."""
    names = [name for name, _ in request.query_params.multi_items()]
    for name in names:
        if names.count(name) > 1:
            raise InvalidError(f"Invalid query/{name}: must not be repeated")


def _conditions(filters: Filters, caller: Caller) -> Iterator[Condition]:
    """Yield the conditions of a list, besides that the caller may see the result."""
    for wanted, matches in (
        (filters.vendor, Product.organization_id == filters.vendor),
        (filters.product, Product.id == filters.product),
    ):
        if wanted is not None:
            yield result_list.of_seen_product(caller, matches)
    for wanted, column in (
        (filters.guideline, Result.guideline),
        (filters.programme, Result.programme),
        (filters.verdict, Result.conformance),
        (filters.id, Result.id),
        (filters.sha256, Result.sha256),
    ):
        if wanted is not None:
            yield column == str(wanted)
    if filters.standing is not None:
        yield of_standing(filters.standing)
    yield from _period(filters.uploaded_since, filters.uploaded_until)


def _period(since: date | None, until: date | None) -> Iterator[Condition]:
    if since and until and since > until:
        raise InvalidError("Invalid query/uploaded_since: must not be after uploaded_until")
    if since:
        yield Result.created_at >= datetime.combine(since, time.min)
    if until:
        yield Result.created_at <= datetime.combine(until, time.max)
