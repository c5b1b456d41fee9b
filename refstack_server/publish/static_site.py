"""The public part of a server as files, for any web server to hand out or a browser to open.

It is what an anonymous reader is shown: the application itself is asked for its pages, and for what
they link to. Forms are left out, and links lead from file to file, wherever the files lie.
"""

import asyncio
import json
import os
import tempfile
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import lxml.html
from fastapi import FastAPI

from refstack_client.errors import InputError, MachineError

START = "/results"
_LOG = "/v2/log"
_LINES_AT_ONCE = 1000
_MARK = ".refstack-export"
"""A file that says that a directory is an export, and may be replaced by another."""
_NOT_WITHOUT_A_SERVER = ("/mine", "/queue", "/signin", "/docs", "/openapi.json", "/compared")


def write(app: FastAPI, target: Path, talk: Callable[[str], None]) -> None:
    """Write the public part of ``app`` to the directory ``target``; an older export is replaced.

    :raises InputError: something else is there
    :raises MachineError: it cannot be written
    """
    if target.exists() and not (target / _MARK).is_file():
        raise InputError(
            f"{target} exists and is no export", hint="name a directory that is not there"
        )
    target = target.absolute()
    try:
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".exporting-") as place:
            made = Path(place) / "new"
            made.mkdir()
            number = asyncio.run(_write(app, made))
            (made / _MARK).touch()
            if target.exists():
                target.rename(Path(place) / "old")
            made.rename(target)
    except OSError as error:
        raise MachineError(
            f"{error.filename or target} cannot be written: {error.strerror}",
            hint="name a directory whose parent exists and can be written to",
        ) from error
    talk(f"{number} files are in {target}; begin at {target / 'index.html'}")


async def _write(app: FastAPI, target: Path) -> int:
    """Write every file; return how many."""
    asked = httpx2.ASGITransport(app)
    async with httpx2.AsyncClient(transport=asked, base_url="http://localhost") as client:
        await _write_pages(client, target)
        log = [each async for each in _log(client)]
    _keep(target / "log.json", json.dumps(log, indent=1).encode())
    first = f'<meta http-equiv="refresh" content="0; url={_file_of(START)}">'
    _keep(target / "index.html", f"<!doctype html>\n{first}\n".encode())
    return sum(each.is_file() for each in target.rglob("*"))


async def _write_pages(client: httpx2.AsyncClient, target: Path) -> None:
    waiting, known = deque([START]), {START: _file_of(START)}
    while waiting:
        url = waiting.popleft()
        answer = await client.get(url, headers={"Accept": "text/html"})
        if answer.status_code != 200:  # withdrawn meanwhile
            continue
        content = answer.content
        if answer.headers["content-type"].startswith("text/html"):
            page = lxml.html.document_fromstring(answer.text)
            for link in _links(page):
                if link not in known:
                    known[link] = _file_of(link)
                    waiting.append(link)
            content = _standing_alone(page, known, known[url])
        _keep(target / known[url], content)


def _keep(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _links(page: Any) -> Iterator[str]:
    """Yield what a page links to; what needs a server, and its forms, are taken out of it."""
    for form in page.xpath("//form"):
        form.drop_tree()
    for element in page.xpath("//a[starts-with(@href, '/') or starts-with(@href, '?')]"):
        href = element.get("href")
        if href.startswith("?"):
            href = f"{START}{href}"
            element.set("href", href)
        if urlsplit(href).path.startswith(_NOT_WITHOUT_A_SERVER):
            element.drop_tree()
        else:
            yield href


def _file_of(url: str) -> PurePosixPath:
    """Return where what ``url`` names is kept."""
    parts = urlsplit(url)
    path = PurePosixPath(parts.path.lstrip("/"))
    if parts.path.startswith(("/v1/", "/v2/")):
        return path.with_name(f"{path.name}.json")
    if path.suffix in (".csv", ".svg"):
        return path
    page = parse_qs(parts.query).get("page", ["1"])[-1]
    return path / ("index.html" if page == "1" else f"page-{page}.html")


def _standing_alone(page: Any, known: dict[str, PurePosixPath], here: PurePosixPath) -> bytes:
    """Return a page whose links lead to files."""

    def to_file(link: str) -> str:
        return os.path.relpath(known[link], here.parent) if link in known else link

    page.rewrite_links(to_file)
    return lxml.html.tostring(page, doctype="<!doctype html>", encoding="utf-8")


async def _log(client: httpx2.AsyncClient) -> AsyncIterator[dict[str, Any]]:
    last, more = 0, True
    while more:
        answer = await client.get(_LOG, params={"after": last, "most": _LINES_AT_ONCE})
        lines = answer.json()
        for each in lines:
            yield each
            last = each["number"]
        more = bool(lines)
