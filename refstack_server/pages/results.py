"""Pages for people: what is published, and guidelines. No script runs in them."""

import functools
import math
from collections.abc import Iterator
from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import urlencode

import pydantic
import sqlalchemy as sa
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from capabilities import catalogue, programme
from capabilities.guideline import Guideline, Status
from capabilities.programme import Programme
from refstack_client.bundle.manifest import UNOFFICIAL
from refstack_client.outcomes.run_directory import retries_of
from refstack_client.report import comparison
from refstack_client.report import html as report_html
from refstack_client.report import table as report_table
from refstack_client.report import text as report_text
from refstack_client.report.comparison import Change
from refstack_server.api.v1.results import page_url
from refstack_server.publish import verdicts
from refstack_server.publish.verdicts import By
from refstack_server.store import packed_outcomes
from refstack_server.store import results as stored_results
from refstack_server.store.results import Sharing
from refstack_server.store.schema import Product, ProductVersion, Result, Vendor
from refstack_server.web import times
from refstack_server.web.dependencies import Config, Looking, Reading
from refstack_server.web.errors import RefusedError
from refstack_server.web.middleware import API
from scoring.conformance.verdict import Conformance
from scoring.csv_text import table
from scoring.formats import html_templates

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
VERIFIED = "verified"
STANDINGS = {
    Sharing.NOBODY: "private",
    Sharing.CERTIFIER: "with the certifier",
    Sharing.EVERYBODY: "unofficial",
}
_LONGEST = 80
_MOST_IN_A_TABLE = 10_000
_COLUMNS = ("id", "created_at", "conformance", "programme", "guideline", "product", "standing")
WORDS = report_text.WORDS
_CACHED = "public, max-age=3600"


def render(name: str, here: str = "", **values: Any) -> str:
    """Return a page; what is filled in is escaped."""
    template = html_templates.template("refstack_server.pages", name, "refstack_client.report")
    return template.render(here=here, **values)


def wants_page(request: Request) -> bool:
    """Return whether somebody reads, not a program."""
    is_api = request.url.path.startswith(API)
    return not is_api and "text/html" in request.headers.get("accept", "")


def error(refused: RefusedError) -> HTMLResponse:
    page = render("error.html", title=refused.title, detail=refused.detail)
    return HTMLResponse(page, int(refused.status))


@router.get("/")
def start() -> RedirectResponse:
    return RedirectResponse("/results", HTTPStatus.SEE_OTHER)


class Filters(pydantic.BaseModel):
    """What the list of published results is narrowed by."""

    guideline: str = ""
    programme: str = ""
    verdict: str = ""
    search: str = pydantic.Field(default="", max_length=_LONGEST)
    page: int = pydantic.Field(default=1, ge=1, le=10**6)

    def link(self, page: int) -> str:
        """Return the query of another page of the same list."""
        asked = {**self.model_dump(exclude_defaults=True), "page": page}
        return urlencode(asked)


@router.get("/results.csv")
def list_as_csv(filters: Annotated[Filters, Query()], session: Reading) -> Response:
    """Return what is published as a table for spreadsheets."""
    found = stored_results.newest(
        session, [stored_results.LISTED, *_conditions(filters)], _MOST_IN_A_TABLE
    )
    cells = ([str(row(each)[name] or "") for name in _COLUMNS] for each in found)
    return _csv(table(_COLUMNS, cells), "results")


def _csv(content: str, name: str) -> Response:
    shown_as = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
    return Response(content, media_type="text/csv; charset=utf-8", headers=shown_as)


@router.get("/results")
def list_results(filters: Annotated[Filters, Query()], session: Reading, settings: Config) -> str:
    """List what is published, newest first."""
    conditions = [stored_results.LISTED, *_conditions(filters)]
    total = stored_results.count(session, conditions)
    pages = math.ceil(total / settings.page_size)
    found = stored_results.newest(session, conditions, settings.page_size, filters.page)
    return render(
        "results.html",
        "/results",
        rows=[row(each) for each in found],
        total=total,
        page=filters.page,
        pages=pages,
        filters=filters,
        link=filters.link,
        guidelines=_newest_first(),
        programmes=_known_programmes(),
        verdicts=[
            (str(each), words)
            for each, words in report_text.WORDS.items()
            if each is not Conformance.VACUOUS
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


def row(result: Result) -> dict[str, Any]:
    """Return what lists show of a result."""
    version = result.product_version
    is_public = version is not None and version.product.public
    return {
        "id": result.id,
        "created_at": times.text(result.created_at),
        "conformance": Conformance(result.conformance) if result.conformance else None,
        "programme": result.programme,
        "guideline": result.guideline,
        "product": version.product.name if version and is_public else None,
        "product_id": version.product.id if version and is_public else None,
        "standing": VERIFIED if result.is_verified else STANDINGS[stored_results.sharing(result)],
    }


def _newest_first() -> list[str]:
    return sorted(catalogue.shipped(), reverse=True)


@functools.cache
def _known_programmes() -> list[str]:
    return sorted({each.key for one in _newest_first() for each in _programmes(one)})


def _programmes(guideline_id: str) -> tuple[Programme, ...]:
    return programme.programmes(catalogue.load(guideline_id)[0])


@router.get("/results/{result_id}")
def show_result(result_id: str, by: Annotated[By, Query()], looking: Looking) -> str:
    """Show a result: the verdict first, every reason, all capabilities."""
    result = looking.find(result_id)
    knows_all = looking.knows_all(result)
    about: dict[str, Any] = {
        "result": result,
        "created_at": times.text(result.created_at),
        "standing": _word_of_the_foundation(result),
        "judged": by.or_of(result),
        "guidelines": _newest_first(),
        "programmes": _known_programmes(),
        "knows_all": knows_all,
        "sharing": STANDINGS[stored_results.sharing(result)],
        "badge": f"{page_url(looking.settings, result)}/badge.svg",
    }
    if not (by.guideline or result.guideline):
        names = packed_outcomes.passed(packed_outcomes.unpack(result.outcomes))
        return render("passes.html", names=names, **about)
    started = verdicts.attempts(looking.settings, result)
    filled_in = {
        **report_html.context(
            looking.verdict(result, by), retries_of(started) if started else None
        ),
        "attempts": started if knows_all else (),
    }
    return render("result.html", **filled_in, **about)


def _word_of_the_foundation(result: Result) -> str:
    if not result.is_verified:
        return UNOFFICIAL
    until = f" until {result.verified_until:%Y-%m-%d}" if result.verified_until else ""
    return f"Verified by the Foundation{until}"


@router.get("/results/{result_id}/tests.csv")
def result_as_csv(result_id: str, by: Annotated[By, Query()], looking: Looking) -> Response:
    """Return what every test of a result came to as a table for spreadsheets."""
    verdict = looking.verdict(looking.find(result_id), by)
    return _csv(report_table.csv_text(verdict), result_id)


class Pair(By):
    """Two results, and by what both are judged: without, as the first was."""

    before: str = ""
    after: str = ""


@router.get("/compared")
def compare(pair: Annotated[Pair, Query()], looking: Looking) -> str:
    """Show what became of every required test from one result to another."""
    # An id, or the address of a page.
    ids = (each.strip().rpartition("/")[2] for each in (pair.before, pair.after))
    first, second = map(looking.find, ids)
    by = pair.or_of(first)
    before, after = (looking.verdict(each, by) for each in (first, second))
    found = comparison.compare(before, after)
    return render(
        "compared.html",
        sides=[
            (each, times.text(each.created_at), report_text.headline(verdict))
            for each, verdict in ((first, before), (second, after))
        ],
        changes=[each for each in found if each.change is not Change.SAME],
        total=len(found),
    )


@router.get("/results/{result_id}/badge.svg")
def badge(result_id: str, looking: Looking) -> Response:
    """Return a small picture of a result's verdict."""
    result = looking.find(result_id)
    words = (
        report_text.WORDS[Conformance(result.conformance)] if result.conformance else "not judged"
    )
    standing = "" if result.is_verified else " (unofficial)"
    label = f"{result.guideline or 'OpenStack'} {result.programme or ''}".strip()
    picture = render(
        "badge.svg", label=label, words=f"{words.lower()}{standing}", kind=result.conformance or ""
    )
    return Response(picture, media_type="image/svg+xml")


@router.get("/guidelines")
def list_guidelines(response: Response) -> str:
    """List the guidelines that are shipped, and what they ask for."""
    response.headers["Cache-Control"] = _CACHED
    return _guidelines_page()


@functools.cache
def _guidelines_page() -> str:
    loaded = [catalogue.load(each)[0] for each in _newest_first()]
    rows = [(each, [_size(one) for one in programme.programmes(each)]) for each in loaded]
    return render("guidelines.html", "/guidelines", guidelines=rows)


def _size(each: Programme) -> tuple[Programme, int, int]:
    required = sum(1 for _ in each.capabilities(Status.REQUIRED))
    return each, required, len(each.counted_tests())


@router.get("/guidelines/{guideline_id}")
def show_guideline(guideline_id: str, response: Response) -> str:
    """Show a guideline's programmes with their capabilities and tests."""
    if guideline_id not in catalogue.shipped():
        raise RefusedError(HTTPStatus.NOT_FOUND, f"Guideline {guideline_id} not found")
    response.headers["Cache-Control"] = _CACHED
    return _guideline_page(guideline_id)


@functools.cache
def _guideline_page(guideline_id: str) -> str:
    guideline: Guideline = catalogue.load(guideline_id)[0]
    return render(
        "guideline.html",
        "/guidelines",
        guideline=guideline,
        is_json=catalogue.file_name(guideline_id).endswith(".json"),
        programmes=programme.programmes(guideline),
        statuses=list(Status),
    )


@router.get("/docs")
def api(request: Request) -> str:
    """Show what the API has."""
    return render("api.html", "/docs", paths=request.app.openapi()["paths"])
