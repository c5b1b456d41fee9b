"""Reference pages: the shipped guidelines, and the requests of the API."""

import functools

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from capabilities import catalogue
from capabilities import programme as programmes
from capabilities.guideline import Status
from capabilities.programme import Programme
from refstack_server.pages.reader import Visitor
from refstack_server.pages.template import render
from refstack_server.pages.visitor import CurrentVisitor
from refstack_server.publish.shipped import newest_first
from refstack_server.store.errors import NotFoundError
from refstack_server.web.errors import PROBLEMS

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
_CACHED = "public, max-age=3600"
_PAGES = 64
"""The number of rendered pages in memory."""


@router.get("/guidelines")
def list_guidelines(response: Response, visitor: CurrentVisitor) -> str:
    """List the shipped guidelines with their programmes."""
    _allow_caches(response, visitor)
    return _guidelines_page(visitor)


def _allow_caches(response: Response, visitor: Visitor) -> None:
    """Let caches keep the page for readers who are not signed in; it varies with the cookie."""
    if not visitor.openid:
        response.headers["Cache-Control"] = _CACHED


@functools.lru_cache(_PAGES)
def _guidelines_page(visitor: Visitor) -> str:
    guidelines = [catalogue.load(guideline_id)[0] for guideline_id in newest_first()]
    rows = [
        (guideline, [_size(programme) for programme in programmes.programmes(guideline)])
        for guideline in guidelines
    ]
    return render("guidelines.html", "/guidelines", visitor, guidelines=rows)


def _size(programme: Programme) -> tuple[Programme, int, int]:
    required = sum(1 for _ in programme.capabilities(Status.REQUIRED))
    return programme, required, len(programme.counted_tests())


@router.get("/guidelines/{guideline_id}")
def show_guideline(guideline_id: str, response: Response, visitor: CurrentVisitor) -> str:
    """Show a guideline's programmes with their capabilities and tests."""
    if guideline_id not in catalogue.shipped():
        raise NotFoundError(f"Guideline {guideline_id} not found")
    _allow_caches(response, visitor)
    return _guideline_page(guideline_id, visitor)


@functools.lru_cache(_PAGES)
def _guideline_page(guideline_id: str, visitor: Visitor) -> str:
    guideline = catalogue.load(guideline_id)[0]
    return render(
        "guideline.html",
        "/guidelines",
        visitor,
        guideline=guideline,
        is_json=catalogue.file_name(guideline_id).endswith(".json"),
        programmes=programmes.programmes(guideline),
        statuses=list(Status),
    )


@router.get("/docs")
def api(request: Request, visitor: CurrentVisitor) -> str:
    """Show the requests of the API."""
    paths = request.app.openapi()["paths"]
    return render("api.html", "/docs", visitor, paths=paths, problems=PROBLEMS.values())
