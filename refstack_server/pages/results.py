"""Pages of published results: the list, a result, two results compared."""

from collections.abc import Iterator
from typing import Annotated, TypedDict

import pydantic
import sqlalchemy as sa
from fastapi import APIRouter, Query, Response
from fastapi.responses import HTMLResponse

from refstack_client.report import text as report_text
from refstack_server.pages import ownership, result_page, sharing_choices, standings
from refstack_server.pages.paging import results_page
from refstack_server.pages.reader import Visitor
from refstack_server.pages.template import render
from refstack_server.pages.visitor import CurrentVisitor
from refstack_server.publish import marks, shipped
from refstack_server.publish.marks import Attested
from refstack_server.publish.stored_result import By, StoredResult
from refstack_server.store import products
from refstack_server.store import results as stored_results
from refstack_server.store.schema import Kind, Product, ProductVersion, Result, Vendor
from refstack_server.store.sharing import Sharing, sharing
from refstack_server.store.standing import Standing, standing
from refstack_server.web import times
from refstack_server.web.bundle_download import public_bundle_response
from refstack_server.web.dependencies import CallerContext, Context, ReadSession
from refstack_server.web.urls import result_url
from scoring.conformance.verdict import Conformance
from scoring.csv_text import table

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
_SHARING = {
    Sharing.NOBODY: "private",
    Sharing.CERTIFIER: "with the certifier",
    Sharing.EVERYBODY: "unofficial",
}
_LONGEST = 80
_MOST_IN_A_TABLE = 10_000
_COLUMNS = ("id", "created_at", "conformance", "programme", "guideline", "product", "standing")
WORDS = report_text.WORDS


class Row(TypedDict):
    """A result in a list; ``product`` and ``product_id`` only of public products.

    ``standing`` is in words, for a result that is not public with who may see it.
    """

    id: str
    created_at: str
    conformance: Conformance | None
    programme: str | None
    guideline: str | None
    product: str | None
    product_id: str | None
    standing: str
    shared_with: Sharing


class Filters(pydantic.BaseModel):
    """Filters of the list of published results; "" selects all."""

    guideline: str = ""
    programme: str = ""
    verdict: str = ""
    search: str = pydantic.Field(default="", max_length=_LONGEST)
    page: int = pydantic.Field(default=1, ge=1, le=10**6)


@router.get("/results.csv")
def list_as_csv(filters: Annotated[Filters, Query()], session: ReadSession) -> Response:
    """Return published results as a table for spreadsheets."""
    results = stored_results.newest(
        session, [stored_results.LISTED, *_conditions(filters)], _MOST_IN_A_TABLE
    )
    cells = ([str(row(result)[name] or "") for name in _COLUMNS] for result in results)  # type: ignore[literal-required]
    return _csv(table(_COLUMNS, cells), "results")


def _csv(content: str | bytes, name: str) -> Response:
    disposition = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
    return Response(content, media_type="text/csv; charset=utf-8", headers=disposition)


@router.get("/results")
async def list_results(
    filters: Annotated[Filters, Query()], context: Context, visitor: CurrentVisitor
) -> Response:
    """List published results, the newest first."""
    return HTMLResponse(await context.read(_list, context, filters, visitor))


def _list(context: CallerContext, filters: Filters, visitor: Visitor) -> str:
    session, settings = context.session, context.settings
    conditions = [stored_results.LISTED, *_conditions(filters)]
    query = filters.model_dump(exclude_defaults=True, exclude={"page"})
    size = settings.page_size
    place, results = results_page(session, conditions, size, filters.page, query=query)
    return render(
        "results.html",
        "/results",
        visitor,
        rows=[row(result) for result in results],
        place=place,
        filters=filters,
        guidelines=shipped.newest_first(),
        programmes=shipped.programme_keys(),
        verdicts=[
            (str(verdict), words)
            for verdict, words in WORDS.items()
            if verdict is not Conformance.VACUOUS
        ],
        words=WORDS,
    )


def _conditions(filters: Filters) -> Iterator[sa.ColumnElement[bool]]:
    if filters.guideline:
        yield Result.guideline == filters.guideline
    if filters.programme:
        yield Result.programme == filters.programme
    if filters.verdict:
        yield Result.conformance == filters.verdict
    if text := filters.search.strip():
        versions = (
            sa.select(ProductVersion.id)
            .join(Product, Product.id == ProductVersion.product_id)
            .join(Vendor, Vendor.id == Product.organization_id)
            .where(Product.public)
            .where(
                Product.name.icontains(text, autoescape=True)
                | Vendor.name.icontains(text, autoescape=True)
            )
        )
        yield Result.product_version_id.in_(versions)


def row(result: Result) -> Row:
    """Return a result as lists show it."""
    version = result.product_version
    product = version.product if version and version.product.public else None
    verified_as = result.verified_as if result.is_verified else None
    return {
        "id": result.id,
        "created_at": times.text(result.created_at),
        "conformance": Conformance(result.conformance) if result.conformance else None,
        "programme": result.programme,
        "guideline": result.guideline,
        "product": _product_name(product, verified_as),
        "product_id": product.id if product else None,
        "standing": ", ".join(_status(result)),
        "shared_with": sharing(result),
    }


def _status(result: Result) -> Iterator[str]:
    stands = standing(result)
    if stands is not Standing.UNOFFICIAL:
        yield stands
    if stands is Standing.UNOFFICIAL or not result.listed:
        yield _SHARING[sharing(result)]


def _product_name(product: Product | None, verified_as: dict[str, str] | None) -> str | None:
    """Return the name under which a result was verified, and the present one if it differs."""
    name = product.name if product else None
    if verified_as is None:
        return name
    verified = verified_as["product"]
    return f"{verified} (now {name})" if name and name != verified else verified


@router.get("/results/{result_id}")
async def show_result(
    result_id: str, by: Annotated[By, Query()], context: Context, visitor: CurrentVisitor
) -> Response:
    """Show a result: the verdict first, all reasons, all capabilities."""
    shown, attested, more = await context.query(_shown, context, visitor, result_id)
    return HTMLResponse(await context.render(result_page.page, shown, by, attested, more))


def _shown(
    context: CallerContext, visitor: Visitor, result_id: str
) -> tuple[StoredResult, Attested | None, dict[str, object]]:
    result = context.find(result_id)
    attested = marks.attested(result, sees_all=context.sees_all(result))
    return context.stored(result), attested, about(context, visitor, result)


def about(context: CallerContext, visitor: Visitor, result: Result) -> dict[str, object]:
    """Return the variables of the template ``about.html``, for :func:`.result_page.page`."""
    return {
        "visitor": visitor,
        "own": _own(context, result),
        "created_at": times.text(result.created_at),
        "standing": standings.sentence(result),
        "certification": standing(result),
        "facts": ownership.facts(context, result),
        "guidelines": shipped.newest_first(),
        "programmes": shipped.programme_keys(),
        "sharing": _SHARING[sharing(result)],
        "public_bundle": result.public_sha256 if result.listed else None,
        "url": result_url(context.settings, result),
    }


def _own(context: CallerContext, result: Result) -> dict[str, object] | None:
    """Return what the owner of a result may change, None for other readers."""
    if not stored_results.owns(result, context.caller):
        return None
    versions = products.attachable(context.session, context.caller)
    return {
        "is_verified": result.is_verified,
        "is_bundle": result.listed and result.kind == Kind.BUNDLE,
        "version": result.product_version_id or "",
        "versions": [
            (version.id, f"{version.product.name} {version.version or ''}".strip())
            for version in versions
        ],
        "sharing": sharing_choices.choices(result),
    }


@router.get("/results/{result_id}/tests.csv")
async def result_as_csv(result_id: str, by: Annotated[By, Query()], context: Context) -> Response:
    """Return the outcome of every test of a result as a table for spreadsheets."""
    result = await context.look_up(result_id)
    return _csv(await context.render(result_page.tests_csv, result, by), result_id)


@router.get("/results/{result_id}/bundle.zip")
def download(result_id: str, context: Context) -> Response:
    """Return the anonymised copy of a bundle, if its owner published it."""
    return public_bundle_response(context, result_id)


@router.get("/results/{result_id}/badge.svg")
def badge(result_id: str, context: Context) -> Response:
    """Return a result's verdict as a small picture."""
    return Response(picture(context.find(result_id)), media_type="image/svg+xml")


def picture(result: Result) -> str:
    """Return the badge of a result."""
    words = WORDS[Conformance(result.conformance)] if result.conformance else "not judged"
    stands = standing(result)
    note = "" if stands is Standing.VERIFIED else f" ({stands})"
    label = f"{result.guideline or 'OpenStack'} {result.programme or ''}".strip()
    return render(
        "badge.svg", label=label, words=f"{words.lower()}{note}", kind=result.conformance or ""
    )
