"""Small files that browsers and crawlers request."""

from fastapi import APIRouter, Response
from fastapi.responses import PlainTextResponse

from refstack_server.pages.template import render

router = APIRouter(include_in_schema=False)
_CACHED = {"Cache-Control": "public, max-age=86400"}
_ROBOTS = """User-agent: *
Disallow: /mine
Disallow: /queue
Disallow: /signin
Disallow: /compared
Disallow: /v1/
Disallow: /v2/
"""


@router.get("/favicon.svg")
def favicon() -> Response:
    """Return the icon of the pages."""
    return Response(render("mark.svg"), media_type="image/svg+xml", headers=_CACHED)


@router.get("/robots.txt")
def robots() -> PlainTextResponse:
    """Return which pages crawlers leave out: private ones, and those without end."""
    return PlainTextResponse(_ROBOTS, headers=_CACHED)
