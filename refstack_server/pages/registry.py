"""The front page: how public products stand with each programme of each guideline."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from http import HTTPStatus
from typing import Annotated, Literal

import pydantic
from fastapi import APIRouter, Query, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from sqlalchemy.orm import Session

from refstack_client.report import text as report_text
from refstack_server.pages.paging import PageNumber, Paging, paging
from refstack_server.pages.standings import MEANINGS, dates
from refstack_server.pages.template import render
from refstack_server.pages.visitor import CurrentVisitor, Visitor
from refstack_server.publish import marks, shipped
from refstack_server.store import registry
from refstack_server.store.registry import Column, Row
from refstack_server.store.schema import Result
from refstack_server.store.standing import Standing, standing
from refstack_server.web.dependencies import CallerContext, Context
from scoring.conformance.verdict import Conformance

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
_LONGEST = 200
_NAMES_ONE = re.compile(r"[0-9a-f]{64}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""A SHA-256, or the id of a result."""


@dataclass(frozen=True)
class Cell:
    """A result in the matrix.

    ``label`` names the cell for readers who do not see the table; ``notes`` are further facts.
    """

    result_id: str
    standing: Standing
    dates: str
    label: str
    notes: Sequence[str]


@dataclass(frozen=True)
class Matrix:
    """Products with a cell for each column, None where a product has no result."""

    columns: Sequence[Column]
    lines: Sequence[tuple[Row, Sequence[Cell | None]]]


class Filters(pydantic.BaseModel):
    """Filters of the registry; "" selects all."""

    search: str = pydantic.Field(default="", max_length=_LONGEST)
    programme: str = ""
    standing: Standing | Literal[""] = ""
    since: Annotated[date | None, pydantic.BeforeValidator(lambda text: text or None)] = None
    page: PageNumber = 1

    @property
    def words(self) -> str:
        """The searched text, without what no name contains."""
        return _printable(self.search)


def _printable(text: str) -> str:
    return "".join(filter(str.isprintable, text)).strip()


@router.get("/")
async def show(
    filters: Annotated[Filters, Query()], context: Context, visitor: CurrentVisitor
) -> Response:
    """Show the registry, those products first that were verified last."""
    return await context.read(_show, context, filters, visitor)


def _show(context: CallerContext, filters: Filters, visitor: Visitor) -> Response:
    session, settings = context.session, context.settings
    named = filters.words.rpartition("/")[2].lower()
    is_of_one = bool(_NAMES_ONE.fullmatch(named))
    result_id = registry.find_public(session, named) if is_of_one else None
    if result_id is not None:
        return RedirectResponse(f"/results/{result_id}", HTTPStatus.SEE_OTHER)
    wanted = registry.Filters(
        filters.words, _printable(filters.programme), filters.standing or None, filters.since
    )
    query = filters.model_dump(mode="json", exclude_defaults=True, exclude={"page"})
    place = paging(registry.count(session, wanted), settings.page_size, filters.page, query)
    rows = registry.rows(session, wanted, settings.page_size, place.page)
    page = render(
        "registry.html",
        "/",
        visitor,
        matrix=_matrix(rows),
        place=place,
        filters=filters,
        is_of_one=is_of_one,
        programmes=shipped.programme_keys(),
        standings=MEANINGS,
    )
    return HTMLResponse(page)


def certifications(session: Session, vendor_id: str, size: int, page: int) -> tuple[Paging, Matrix]:
    """Return a page of what is verified now of the public products of a vendor."""
    wanted = registry.Filters(standing=Standing.VERIFIED, vendor_id=vendor_id)
    place = paging(registry.count(session, wanted), size, page)
    return place, _matrix(registry.rows(session, wanted, size, place.page))


def _matrix(rows: Iterable[Row]) -> Matrix:
    """Return the matrix of some products, the newest guideline first."""
    rows = list(rows)
    columns = sorted({column for row in rows for column in row.results}, key=lambda pair: pair[1])
    columns.sort(key=lambda pair: pair[0], reverse=True)
    return Matrix(columns, [(row, [_cell(row, column) for column in columns]) for row in rows])


def _cell(row: Row, column: Column) -> Cell | None:
    result = row.results.get(column)
    if result is None:
        return None
    now = standing(result)
    label = f"{now}: {row.product.name}, {' '.join(column)}"
    return Cell(result.id, now, dates(result), label, list(_notes(row, result)))


def _notes(row: Row, result: Result) -> Iterable[str]:
    """Yield what a reader must know of a result besides its standing."""
    if result.conformance != Conformance.CONFORMANT:
        words = report_text.WORDS.get(Conformance(result.conformance)) if result.conformance else ""
        yield (words or "not judged").lower()
    found = marks.marks(result) if standing(result) is Standing.VERIFIED else None
    if found and found.strongest:
        yield found.strongest
    names = result.verified_as or {}
    now = {"vendor": row.vendor.name, "product": row.product.name}
    if names and any(names[key] != name for key, name in now.items()):
        yield f"verified as {names['vendor']} {names['product']}"
