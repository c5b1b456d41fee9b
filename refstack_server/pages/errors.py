"""Errors as pages."""

from fastapi import Request
from fastapi.responses import HTMLResponse

from refstack_server.pages import visitor
from refstack_server.pages.template import render
from refstack_server.web.errors import Refusal
from refstack_server.web.urls import API


def wants_page(request: Request) -> bool:
    """Return whether the client is a browser that expects a page."""
    is_api = request.url.path.startswith(API)
    return not is_api and "text/html" in request.headers.get("accept", "")


def error(request: Request, refused: Refusal) -> HTMLResponse:
    """Return the page for a refused request."""
    reader = visitor.of_cookie(request)
    page = render("error.html", visitor=reader, title=refused.title, detail=refused.detail)
    return HTMLResponse(page, int(refused.status), refused.headers)
