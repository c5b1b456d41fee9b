"""The public log as a page, and as a feed of what the Foundation decided."""

from datetime import UTC, datetime

from fastapi import APIRouter, Response
from fastapi.responses import HTMLResponse
from lxml import etree
from lxml.builder import ElementMaker

from refstack_server.pages.paging import PageNumber, paging
from refstack_server.pages.template import render
from refstack_server.pages.visitor import CurrentVisitor
from refstack_server.publish import log_text
from refstack_server.publish.log_text import LogLine
from refstack_server.store import audit_log
from refstack_server.web.dependencies import Config, ReadSession

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
FEED = "/feed.atom"
_ENTRIES = 50
_ATOM = "http://www.w3.org/2005/Atom"
_E = ElementMaker(namespace=_ATOM, nsmap={None: _ATOM})
_FOUNDATION = "The Foundation"


@router.get("/log")
def show(
    session: ReadSession, settings: Config, visitor: CurrentVisitor, page: PageNumber = 1
) -> str:
    """Show the public log, the newest entry first."""
    place = paging(audit_log.length(session), settings.page_size, page)
    entries = audit_log.newest(session, settings.page_size, place.page)
    lines = log_text.lines(session, entries)
    return render("log.html", "/log", visitor, lines=lines, place=place)


@router.get(FEED)
def feed(session: ReadSession, settings: Config) -> Response:
    """Return the latest verifications and revocations as Atom (RFC 4287), the newest first."""
    lines = log_text.lines(session, audit_log.decisions(session, _ENTRIES))
    # An empty feed must have a time too.
    updated = lines[0].at if lines else datetime.fromtimestamp(0, UTC).isoformat()[:19]
    url = settings.public_url
    document = _E.feed(
        _E.id(f"{url}{FEED}"),
        _E.title(f"{settings.name}: verified and revoked certifications"),
        _E.icon(f"{url}/favicon.svg"),
        _E.updated(f"{updated}Z"),
        _E.author(_E.name(_FOUNDATION)),
        _E.link(rel="self", type="application/atom+xml", href=f"{url}{FEED}"),
        _E.link(rel="alternate", type="text/html", href=f"{url}/"),
        *(_entry(url, line) for line in lines),
    )
    content = etree.tostring(document, xml_declaration=True, encoding="utf-8")
    return Response(content, media_type="application/atom+xml")


def _entry(url: str, line: LogLine) -> etree._Element:
    what = line.names or f"result {line.subject}"
    summary = ". ".join((line.sentence.format(line.subject), *line.facts))
    # A result that is not public any more has no page.
    page = f"{url}{line.link or '/log'}"
    return _E.entry(
        # The log never changes: its numbers name entries for good.
        _E.id(f"{url}/log#{line.number}"),
        _E.title(_text(f"{line.event.capitalize()}: {what}")),
        _E.updated(f"{line.at}Z"),
        _E.link(rel="alternate", type="text/html", href=page),
        _E.summary(_text(summary)),
    )


def _text(text: str) -> str:
    """Return a text without the characters that XML does not allow."""
    return "".join(sign if sign.isprintable() else " " for sign in text)
