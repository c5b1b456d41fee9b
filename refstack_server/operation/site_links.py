"""Links of the pages of an export: from file to file, without forms and what else needs a server.

The pages are those of this program, whose templates escape each value: a tag or an attribute that
the expressions find is one of a template.
"""

import html
import os
import re
from collections.abc import Mapping
from pathlib import PurePosixPath
from urllib.parse import parse_qs, urldefrag, urlsplit

LOG = "/v2/log"
OTHER_FILES: Mapping[str, PurePosixPath] = {LOG: PurePosixPath("log.json")}
"""Files that have another name than :func:`file_of` gives: the response to a link to the log is a
part of it, and the export has the whole."""
_FORM = re.compile(r"<form\b.*?</form>\n?", re.DOTALL)
_NEEDS_A_SERVER = "/mine|/queue|/signin|/docs|/openapi\\.json|/compared"
_LINK_TO_A_SERVER = re.compile(
    rf'<a [^>]*\bhref="(?:{_NEEDS_A_SERVER})[^"]*"[^>]*>.*?</a>', re.DOTALL
)
_HREF = re.compile(r' href="([/?][^"]*)"')
_SUFFIXES = (".atom", ".csv", ".svg", ".zip")


def file_of(url: str) -> PurePosixPath:
    """Return the path of the file for a URL of the server."""
    parts = urlsplit(url)
    if parts.path in OTHER_FILES:
        return OTHER_FILES[parts.path]
    path = PurePosixPath(parts.path.lstrip("/"))
    if parts.path.startswith(("/v1/", "/v2/")):
        return path.with_name(f"{path.name}.json")
    if path.suffix in _SUFFIXES:
        return path
    page = parse_qs(parts.query).get("page", ["1"])[-1]
    return path / ("index.html" if page == "1" else f"page-{page}.html")


def stand_alone(page: str, url: str) -> tuple[str, list[str]]:
    """Return a page whose links lead from its file to other files, and the URLs of its links.

    :param url: the URL of the page on the server
    """
    here, links = file_of(url).parent, []

    def relative(match: re.Match[str]) -> str:
        href = html.unescape(match[1])
        link, fragment = urldefrag(f"{urlsplit(url).path}{href}" if href[0] == "?" else href)
        links.append(link)
        to = os.path.relpath(file_of(link), here)
        return f' href="{html.escape(f"{to}#{fragment}" if fragment else to)}"'

    page = _LINK_TO_A_SERVER.sub("", _FORM.sub("", page))
    return _HREF.sub(relative, page), links
