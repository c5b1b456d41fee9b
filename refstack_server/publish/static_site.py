"""Export of the public pages as files, for any web server or for a browser without one.

The export requests the pages from the application as an anonymous reader and follows their links.
Forms are left out, and links are relative, so that the files can be moved together.
"""

import asyncio
import json
import os
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from http import HTTPStatus
from pathlib import Path, PurePosixPath
from urllib.parse import parse_qs, urlsplit

import anyio
import httpx2
import lxml.html
from anyio.abc import TaskGroup
from fastapi import FastAPI

from refstack_client.errors import InputError, MachineError
from refstack_server.store.audit_log import EntryDocument

START = "/"
_LOG = "/v2/log"
_LOG_FILE = PurePosixPath("log.json")
"""The whole log, of which a request of a page's link returns only a part."""
_ENTRIES_PER_REQUEST = 1000
_OF_THE_LOG = {"checkpoint": "/v2/log/checkpoint", "log.key": "/v2/log/key"}
_LINKS = "//*[starts-with(@href, '/') or starts-with(@href, '?')]"
_MARK = ".refstack-export"
"""A file that marks a directory as an export, which another export may replace."""
_AT_A_TIME, _SECONDS_BETWEEN_REPORTS = 8, 5
_REQUIRE_A_SERVER = ("/mine", "/queue", "/signin", "/docs", "/openapi.json", "/compared")


def write(app: FastAPI, target: Path, report: Callable[[str], None]) -> None:
    """Write the public pages of ``app`` to the directory ``target``; replace an older export.

    :param report: called with messages about the progress
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
            number = asyncio.run(_write(app, new, report))
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


async def _write(app: FastAPI, target: Path, report: Callable[[str], None]) -> int:
    """Write all files; return their number."""
    transport = httpx2.ASGITransport(app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as client:
        await _Pages(client, target, report).write()
        for name, path in _OF_THE_LOG.items():
            _keep(target / name, (await client.get(path)).content)
        log = [entry async for entry in _log(client)]
    _keep(target / _LOG_FILE, json.dumps(log, indent=1).encode())
    return sum(path.is_file() for path in target.rglob("*"))


class _Pages:
    """Requests pages, several at a time, and follows their links."""

    def __init__(self, client: httpx2.AsyncClient, target: Path, report: Callable[[str], None]):
        self._client, self._target, self._report = client, target, report
        # The whole log is written apart: an answer of the server has a part of it.
        self._known = {_LOG: _LOG_FILE}
        self._places = anyio.CapacityLimiter(_AT_A_TIME)
        self._done, self._reported = 0, time.monotonic()

    async def write(self) -> None:
        """Write the file of each page that can be reached from the first one."""
        async with anyio.create_task_group() as requests:
            self._follow(requests, START)

    def _follow(self, requests: TaskGroup, url: str) -> None:
        if url not in self._known:
            self._known[url] = _file_of(url)
            requests.start_soon(self._write, requests, url)

    async def _write(self, requests: TaskGroup, url: str) -> None:
        async with self._places:
            answer = await self._client.get(url, headers={"Accept": "text/html"})
        if answer.status_code != HTTPStatus.OK:  # The result was withdrawn in the meantime.
            return
        content = answer.content
        if answer.headers["content-type"].startswith("text/html"):
            page = lxml.html.document_fromstring(answer.text)
            for link in _links(page, url):
                self._follow(requests, link)
            content = _with_relative_links(page, self._known, self._known[url])
        _keep(self._target / self._known[url], content)
        self._count()

    def _count(self) -> None:
        self._done += 1
        now = time.monotonic()
        if now - self._reported > _SECONDS_BETWEEN_REPORTS:
            self._reported = now
            self._report(f"{self._done} of at least {len(self._known)} files are written")


def _keep(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _links(page: lxml.html.HtmlElement, url: str) -> Iterator[str]:
    """Remove forms and links that require a server from a page; yield the other links.

    :param url: the URL of the page
    """
    for form in page.xpath("//form"):
        form.drop_tree()
    for element in page.xpath(_LINKS):
        href = element.get("href")
        if href.startswith("?"):
            href = f"{urlsplit(url).path}{href}"
            element.set("href", href)
        if urlsplit(href).path.startswith(_REQUIRE_A_SERVER):
            element.drop_tree()
        else:
            yield href
    for image in page.xpath("//img"):
        yield image.get("src")


def _file_of(url: str) -> PurePosixPath:
    """Return the path of the file for a URL."""
    parts = urlsplit(url)
    path = PurePosixPath(parts.path.lstrip("/"))
    if parts.path.startswith(("/v1/", "/v2/")):
        return path.with_name(f"{path.name}.json")
    if path.suffix in (".atom", ".csv", ".svg"):
        return path
    if path.name == "logo":
        return path.with_suffix(".png")
    page = parse_qs(parts.query).get("page", ["1"])[-1]
    return path / ("index.html" if page == "1" else f"page-{page}.html")


def _with_relative_links(
    page: lxml.html.HtmlElement, known: dict[str, PurePosixPath], path: PurePosixPath
) -> bytes:
    """Return a page whose links lead from its own file to other files."""

    for element in page.xpath("//*[@href or @src]"):
        name = "href" if element.get("href") else "src"
        link = element.get(name)
        if link in known:
            element.set(name, os.path.relpath(known[link], path.parent))
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
