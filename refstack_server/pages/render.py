"""Rendering of pages, and of errors as pages."""

from fastapi import Request
from fastapi.responses import HTMLResponse

from refstack_server.web.errors import Refusal
from refstack_server.web.middleware import API
from scoring.formats import html_templates


def render(name: str, here: str = "", /, **values: object) -> str:
    """Return a page from a template; all values are escaped.

    :param name: the file name of the template
    :param here: the path of the navigation's current entry, "" for none
    """
    template = html_templates.template("refstack_server.pages", name, "refstack_client.report")
    return template.render(here=here, **values)


def wants_page(request: Request) -> bool:
    """Return whether the client is a browser that expects a page."""
    is_api = request.url.path.startswith(API)
    return not is_api and "text/html" in request.headers.get("accept", "")


def error(refused: Refusal) -> HTMLResponse:
    """Return the page for a refused request."""
    page = render("error.html", title=refused.title, detail=refused.detail)
    return HTMLResponse(page, int(refused.status))
