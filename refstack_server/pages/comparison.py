"""The page that compares two results, and the one to choose them."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlencode

import sqlalchemy as sa
from fastapi import APIRouter, Query, Response
from fastapi.responses import HTMLResponse

from refstack_client.report import text as report_text
from refstack_server.intake import verify_upload
from refstack_server.pages import forms, result_page
from refstack_server.pages import results as result_pages
from refstack_server.pages.forms import FormState
from refstack_server.pages.results import Row
from refstack_server.pages.template import render
from refstack_server.pages.visitor import CurrentVisitor, Visitor
from refstack_server.publish import documents, shipped
from refstack_server.publish.stored_result import By, StoredResult
from refstack_server.store import result_list
from refstack_server.store.errors import InvalidError, RefusedError, UnauthenticatedError
from refstack_server.store.result_list import Condition
from refstack_server.store.schema import Product, Result
from refstack_server.web import times
from refstack_server.web.dependencies import CallerContext, Context

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
_FORM = "compare"
_LONGEST = 300
_MOST_ALIKE, _MOST_NEWEST = 10, 20
"""The most results of a list to choose from."""
_NAMED = re.compile(r"(?:.*/results/)?([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?:[/?#].*)?")
"""The id of a result, or the URL of its page."""
_REFUSED = (*forms.REFUSED, UnauthenticatedError)


class Pair(By):
    """Two results to compare, each by its id or the URL of its page.

    "" for guideline and programme means those of the first, or of the second if the first has none.
    """

    before: str = ""
    after: str = ""

    def link(self, **changes: str) -> str:
        """Return the path of the page for other values."""
        values = {**self.model_dump(), **changes}
        return f"/compared?{urlencode({key: text for key, text in values.items() if text})}"


@dataclass(frozen=True)
class Offer:
    """Results to choose from, each with the link that chooses it."""

    title: str
    rows: Sequence[tuple[Row, str]]


@router.get("/compared")
async def compare(
    pair: Annotated[Pair, Query()], context: Context, visitor: CurrentVisitor
) -> Response:
    """Show what changed between two results, or a page to choose those that are missing."""
    if not (pair.before.strip() and pair.after.strip()):
        return await context.query(_choose, context, pair, visitor)
    try:
        results, uploaded, by = await context.query(_both, context, pair)
    except _REFUSED as error:
        return await context.query(_choose, context, pair, visitor, error)
    content = await context.render(result_page.compared, *results, by, uploaded, visitor)
    return HTMLResponse(content)


def _both(context: CallerContext, pair: Pair) -> tuple[list[StoredResult], list[str], By]:
    """Return the two results, when each was uploaded, and by what both are judged.

    :raises RefusedError: a value is wrong; its detail names the field
    """
    found = [_find(context, pair, name) for name in ("before", "after")]
    results = first, second = [context.stored(result) for result in found]
    by = documents.compared_by(
        first, second, By(guideline=pair.guideline, programme=pair.programme)
    )
    if not by.guideline or not by.programme:
        raise InvalidError(
            "choose a guideline and a programme: neither result was uploaded with both",
            "/programme" if by.guideline else "/guideline",
        )
    verify_upload.shipped_programme(by.guideline, by.programme)
    return results, [times.text(result.created_at) for result in found], by


def _find(context: CallerContext, pair: Pair, name: str) -> Result:
    typed = str(getattr(pair, name)).strip()
    try:
        named = _NAMED.fullmatch(typed.lower()) if len(typed) <= _LONGEST else None
        if named is None:
            raise InvalidError("enter the id of a result, or the URL of its page")
        return context.find(named[1])
    except _REFUSED as error:
        raise type(error)(error.message, f"/{name}") from error


def _choose(
    context: CallerContext, pair: Pair, visitor: Visitor, error: RefusedError | None = None
) -> HTMLResponse:
    """Return the page to choose the results, with what is wrong with those that were chosen."""
    state, first = FormState(_FORM, values=pair.model_dump()), None
    if pair.before.strip():
        try:
            first = _find(context, pair, "before")
        except _REFUSED as wrong:
            error = wrong
    if error:
        state = forms.refused(error, pair.model_dump(), _FORM, "guideline")
    page = render(
        "choose_results.html",
        "/results",
        visitor,
        state=state,
        first=result_pages.row(first) if first else None,
        offers=list(_offers(context, pair, first)),
        guidelines=shipped.newest_first(),
        programmes=shipped.programme_keys(),
        longest=_LONGEST,
        words=report_text.WORDS,
    )
    return forms.again(error, page) if error else HTMLResponse(page)


def _offers(context: CallerContext, pair: Pair, first: Result | None) -> Iterator[Offer]:
    """Yield results that the caller may see, those most like the first one first."""
    seen = result_list.seen_by(context.caller)
    if first is None:
        newest = result_list.older(context.session, seen, [], _MOST_NEWEST)
        yield Offer("Newest results", _rows(newest, pair, "before"))
        return
    offered = {first.number}
    chosen = pair.model_copy(update={"before": first.id})
    for title, is_alike in _alike(context, first):
        conditions = [is_alike, Result.number.not_in(offered)]
        found = result_list.older(context.session, seen, conditions, _MOST_ALIKE)
        offered.update(result.number for result in found)
        if found:
            yield Offer(title, _rows(found, chosen, "after"))


def _rows(results: Sequence[Result], pair: Pair, name: str) -> list[tuple[Row, str]]:
    return [(result_pages.row(result), pair.link(**{name: result.id})) for result in results]


def _alike(context: CallerContext, first: Result) -> Iterator[tuple[str, Condition]]:
    """Yield what other results may have in common with the first one, as far as the caller sees."""
    caller = context.caller
    if version := result_list.seen_version(first, caller):
        product = version.product
        of_product = Product.id == product.id
        of_vendor = Product.organization_id == product.organization_id
        yield "Of the same product", result_list.of_seen_product(caller, of_product)
        yield "Of the same vendor", result_list.of_seen_product(caller, of_vendor)
    if first.programme:
        yield "Of the same programme", Result.programme == first.programme
    yield "Others", sa.true()
