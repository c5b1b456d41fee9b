"""Export of the public pages as files, for any web server or for a browser without one.

The export requests the pages from the application as an anonymous reader and follows their links.
Forms are left out, and links are relative, so that the files can be moved together.
"""

import asyncio
import json
import os
import tempfile
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path, PurePosixPath
from urllib.parse import parse_qs, urlsplit

import httpx2
import lxml.html
from fastapi import FastAPI

from refstack_client.errors import InputError, MachineError
from refstack_server.store.audit_log import EntryDocument

START = "/results"
_LOG = "/v2/log"
_ENTRIES_PER_REQUEST = 1000
_MARK = ".refstack-export"
"""A file that marks a directory as an export, which another export may replace."""
_REQUIRE_A_SERVER = ("/mine", "/queue", "/signin", "/docs", "/openapi.json", "/compared")


def write(app: FastAPI, target: Path, report: Callable[[str], None]) -> None:
    """Write the public pages of ``app`` to the directory ``target``; replace an older export.

    :param report: called with a message about the finished export
    :raises InputError: ``target`` exists and is not an export
    :raises MachineError: the files cannot be written
    """
    if target.exists() and not (target / _MARK).is_file():
        raise InputError(
            f"{target} exists and is not an export", hint="name a directory that does not exist"
        )
    target = target.absolute()
    try:
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".exporting-") as workspace:
            new = Path(workspace) / "new"
            new.mkdir()
            number = asyncio.run(_write(app, new))
            (new / _MARK).touch()
            if target.exists():
                target.rename(Path(workspace) / "old")
            new.rename(target)
    except OSError as error:
        raise MachineError(
            f"cannot write {error.filename or target}: {error.strerror}",
            hint="name a directory whose parent exists and is writable",
        ) from error
    report(f"{number} files written to {target}; start page: {target / 'index.html'}")


async def _write(app: FastAPI, target: Path) -> int:
    """Write all files; return their number."""
    transport = httpx2.ASGITransport(app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as client:
        await _write_pages(client, target)
        log = [entry async for entry in _log(client)]
    _keep(target / "log.json", json.dumps(log, indent=1).encode())
    redirect = f'<meta http-equiv="refresh" content="0; url={_file_of(START)}">'
    _keep(target / "index.html", f"<!doctype html>\n{redirect}\n".encode())
    return sum(path.is_file() for path in target.rglob("*"))


async def _write_pages(client: httpx2.AsyncClient, target: Path) -> None:
    waiting, known = deque([START]), {START: _file_of(START)}
    while waiting:
        url = waiting.popleft()
        answer = await client.get(url, headers={"Accept": "text/html"})
        if answer.status_code != 200:  # The result was withdrawn in the meantime.
            continue
        content = answer.content
        if answer.headers["content-type"].startswith("text/html"):
            page = lxml.html.document_fromstring(answer.text)
            for link in _links(page):
                if link not in known:
                    known[link] = _file_of(link)
                    waiting.append(link)
            content = _with_relative_links(page, known, known[url])
        _keep(target / known[url], content)


def _keep(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _links(page: lxml.html.HtmlElement) -> Iterator[str]:
    """Remove forms and links that require a server from a page; yield the other links."""
    for form in page.xpath("//form"):
        form.drop_tree()
    for element in page.xpath("//a[starts-with(@href, '/') or starts-with(@href, '?')]"):
        href = element.get("href")
        if href.startswith("?"):
            href = f"{START}{href}"
            element.set("href", href)
        if urlsplit(href).path.startswith(_REQUIRE_A_SERVER):
            element.drop_tree()
        else:
            yield href


def _file_of(url: str) -> PurePosixPath:
    """Return the path of the file for a URL."""
    parts = urlsplit(url)
    path = PurePosixPath(parts.path.lstrip("/"))
    if parts.path.startswith(("/v1/", "/v2/")):
        return path.with_name(f"{path.name}.json")
    if path.suffix in (".csv", ".svg"):
        return path
    page = parse_qs(parts.query).get("page", ["1"])[-1]
    return path / ("index.html" if page == "1" else f"page-{page}.html")


def _with_relative_links(
    page: lxml.html.HtmlElement, known: dict[str, PurePosixPath], path: PurePosixPath
) -> bytes:
    """Return a page whose links lead from its own file to other files."""

    def to_file(link: str) -> str:
        return os.path.relpath(known[link], path.parent) if link in known else link

    page.rewrite_links(to_file)
    return lxml.html.tostring(page, doctype="<!doctype html>", encoding="utf-8")


async def _log(client: httpx2.AsyncClient) -> AsyncIterator[EntryDocument]:
    last, has_more = 0, True
    while has_more:
        answer = await client.get(_LOG, params={"after": last, "most": _ENTRIES_PER_REQUEST})
        entries = answer.json()
        for entry in entries:
            yield entry
            last = entry["number"]
        has_more = bool(entries)
