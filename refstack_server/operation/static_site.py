"""Export of the public pages as files, for any web server or for a browser without one.

The files of each public result are rendered together. All other pages are requested from the
application as an anonymous reader, and their links are followed. Forms are left out, and links are
relative, so that the files can be moved together. What did not change since the last export in the
same directory is not rendered again.
"""

import asyncio
import itertools
import json
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from http import HTTPStatus
from pathlib import Path

import anyio
import httpx2
import sqlalchemy as sa
from anyio.abc import TaskGroup
from fastapi import FastAPI
from sqlalchemy.orm import Session

from refstack_client.errors import MachineError
from refstack_server.operation import (
    site_directory,
    site_links,
    site_render,
    site_results,
    site_state,
)
from refstack_server.operation.site_directory import ResultFiles, SiteDirectory
from refstack_server.publish.stored_result import StoredResult
from refstack_server.store import callers
from refstack_server.store.audit_log import EntryDocument
from refstack_server.store.errors import RefusedError
from refstack_server.store.results import LISTED
from refstack_server.store.schema import Result
from refstack_server.web.dependencies import CallerContext

START = "/"
_ENTRIES_PER_REQUEST = 1000
_OF_THE_LOG = {"checkpoint": "/v2/log/checkpoint", "log.key": "/v2/log/key"}
_AT_A_TIME, _RESULTS_AT_A_TIME, _SECONDS_BETWEEN_REPORTS = 8, 64, 5


def write(app: FastAPI, target: Path, report: Callable[[str], None]) -> None:
    """Write the public pages of ``app`` to the directory ``target``; update an older export.

    :param report: called with messages about the progress
    :raises InputError: ``target`` exists and is not an export
    :raises MachineError: the files cannot be written
    """
    site_directory.require_export(target)
    target = target.absolute()
    settings = app.state.settings
    program = site_state.of_program(settings)
    with Session(app.state.engine) as session:
        results = site_state.of_results(session, program)
        state = site_state.of_server(session, settings, program, results)
    try:
        if site_directory.is_whole(target, state):
            report(f"nothing has changed since the last export in {target}")
            return
        with site_directory.replacing(target) as site:
            site.record.state = state
            asyncio.run(_Export(app, site, report).write(results))
    except OSError as error:
        raise MachineError(
            f"cannot write {error.filename or target}: {error.strerror}",
            hint="name a directory whose parent exists and is writable",
        ) from error
    number, changed = len(site.record.files), len(site.written)
    report(f"{number} files in {target}, {changed} of them new or changed")
    report(f"start page: {target / 'index.html'}")


class _Export:
    """Writes files, several at a time, and reports the progress."""

    def __init__(self, app: FastAPI, site: SiteDirectory, report: Callable[[str], None]):
        self._app, self._site, self._report = app, site, report
        self._known: set[str] = set(site_links.OTHER_FILES)
        self._places = anyio.CapacityLimiter(_AT_A_TIME)
        self._reported = time.monotonic()

    async def write(self, results: Mapping[str, str]) -> None:
        """Write all files.

        :param results: the state of each public result by its id
        """
        await self._write_results(results)
        transport = httpx2.ASGITransport(self._app)
        # A compressed answer would only have to be expanded again.
        plain = {"Accept": "text/html", "Accept-Encoding": "identity"}
        async with (
            httpx2.AsyncClient(
                transport=transport, base_url="http://localhost", headers=plain
            ) as client,
            anyio.create_task_group() as requests,
        ):
            links = (files.links for files in self._site.record.results.values())
            self._follow(requests, client, [START, *itertools.chain(*links)])
            for name, path in _OF_THE_LOG.items():
                self._site.put(name, (await client.get(path)).content)
            log = [entry async for entry in _log(client)]
            name = str(site_links.OTHER_FILES[site_links.LOG])
            self._site.put(name, json.dumps(log, indent=1).encode())
        self._remove_withdrawn()

    async def _write_results(self, results: Mapping[str, str]) -> None:
        changed = [name for name, state in results.items() if not self._keep(name, state)]
        for begin in range(0, len(changed), _RESULTS_AT_A_TIME):
            batch = changed[begin : begin + _RESULTS_AT_A_TIME]
            with Session(self._app.state.engine) as session:
                loaded = site_results.load(self._context(session), batch)
            async with anyio.create_task_group() as rendering:
                for arguments in loaded:
                    state = results[arguments[0].id]
                    rendering.start_soon(self._render, state, *arguments)
            done = len(self._site.record.results)
            self._report_progress(f"results: {done} of {len(results)}")

    def _keep(self, result_id: str, state: str) -> bool:
        """Take the files of a result from the older export; return whether they are still right."""
        before = self._site.before.results.get(result_id)
        if before is None or before.state != state:
            return False
        own = site_render.paths(result_id)
        if not all(path.startswith(own) and ".." not in path for path in before.files):
            return False
        if not self._site.keep(before.files):
            return False
        self._site.record.results[result_id] = before
        return True

    def _context(self, session: Session) -> CallerContext:
        state = self._app.state
        return CallerContext(
            session, callers.ANONYMOUS, state.settings, state.writer, state.workers, _not_counted
        )

    async def _render(self, state: str, result: StoredResult, *more: object) -> None:
        try:
            files, links = await self._app.state.workers.run(site_render.render, result, *more)
        except RefusedError as error:
            self._report(f"result {result.id} is left out: {error.message}")
            return
        for path, content in files.items():
            self._site.put(path, content)
        self._site.record.results[result.id] = ResultFiles(state, list(files), list(links))

    def _follow(self, requests: TaskGroup, client: httpx2.AsyncClient, urls: Iterable[str]) -> None:
        for url in urls:
            if url not in self._known and not site_render.is_of_result(url):
                self._known.add(url)
                requests.start_soon(self._write_page, requests, client, url)

    async def _write_page(self, requests: TaskGroup, client: httpx2.AsyncClient, url: str) -> None:
        async with self._places:
            answer = await client.get(url)
        if answer.status_code != HTTPStatus.OK:  # What it shows was removed in the meantime.
            return
        content = answer.content
        if answer.headers["content-type"].startswith("text/html"):
            page, links = site_links.stand_alone(answer.text, url)
            self._follow(requests, client, links)
            content = page.encode()
        self._site.put(str(site_links.file_of(url)), content)
        self._report_progress(f"pages: {len(self._known)}")

    def _remove_withdrawn(self) -> None:
        """Remove the files of results that are no longer public since the export began."""
        with Session(self._app.state.engine) as session:
            public = set(session.scalars(sa.select(Result.id).where(LISTED)))
        for result_id in self._site.record.results.keys() - public:
            self._site.remove(result_id)

    def _report_progress(self, done: str) -> None:
        now = time.monotonic()
        if now - self._reported > _SECONDS_BETWEEN_REPORTS:
            self._reported = now
            self._report(f"written so far: {done}")


async def _not_counted(_user: str) -> None:
    """Count no request: an export has no limits."""


async def _log(client: httpx2.AsyncClient) -> AsyncIterator[EntryDocument]:
    last, has_more = 0, True
    while has_more:
        parameters = {"after": last, "most": _ENTRIES_PER_REQUEST}
        entries = (await client.get(site_links.LOG, params=parameters)).json()
        for entry in entries:
            yield entry
            last = entry["number"]
        has_more = bool(entries)
