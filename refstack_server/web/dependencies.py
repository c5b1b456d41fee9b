"""Arguments of request handlers: settings, database session, caller, body."""

import contextlib
import functools
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, TypeVar

import anyio
import pydantic_core
import sqlalchemy as sa
from fastapi import Depends, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.security import HTTPBearer
from sqlalchemy.orm import Session

from refstack_server.publish.stored_result import StoredResult, stored_result
from refstack_server.settings import Settings
from refstack_server.store import blobs, callers, disk_space, sessions
from refstack_server.store import results as stored_results
from refstack_server.store.blobs import IncomingUpload
from refstack_server.store.callers import Caller
from refstack_server.store.schema import Result
from refstack_server.web.urls import API, V1
from refstack_server.web.workers import Workers

Value = TypeVar("Value")
_CLOSING, _FOR_WORKERS = anyio.CapacityLimiter(8), anyio.CapacityLimiter(4)
_WRITING = anyio.CapacityLimiter(4)
SESSION = "session"
"""The key of a session's secret in the cookie of a browser."""


async def _settings(request: Request) -> Settings:
    return request.app.state.settings


async def _read_session(request: Request) -> AsyncIterator[Session]:
    async with _session(request.app.state.engine) as session:
        yield session


async def _write_session(request: Request) -> AsyncIterator[Session]:
    """Yield a session with exclusive write access; the handler commits before it answers."""
    async with _session(request.app.state.writer) as session:
        yield session


@contextlib.asynccontextmanager
async def _session(engine: sa.Engine) -> AsyncIterator[Session]:
    """Yield a session, and close it."""
    session = Session(engine, expire_on_commit=False)
    try:
        yield session
    finally:
        if session.in_transaction():  # Otherwise it holds no connection.
            with anyio.CancelScope(shield=True):
                await _close(session)


async def _close(session: Session) -> None:
    """Close a session in a thread, since closing may wait for the database.

    These threads are extra ones: all others may wait for the connection that a session returns.
    """
    await anyio.to_thread.run_sync(session.close, limiter=_CLOSING)


_TOKEN = HTTPBearer(
    auto_error=False,
    scheme_name="token",
    bearerFormat="JWT",
    description="A JWT with the claims user_openid and exp, signed with a registered key.",
)
"""Describes the header for the OpenAPI document; :mod:`.callers` reads it."""


async def _caller(request: Request, _token: Annotated[object, Depends(_TOKEN)]) -> Caller:
    """Return the caller: by token, or, for pages only, by the browser's session.

    The lookup has a session of its own, which is closed before the body is read and the handler
    gets a thread: threads that wait for a connection must not be those that its holder waits for.
    """
    header = request.headers.get("authorization")
    secret = request.session.get(SESSION)
    path, state = request.url.path, request.app.state
    if header is not None:
        server, is_v1 = state.settings.public_url, path.startswith(V1)
        find = functools.partial(callers.of_token, header=header, server=server, is_v1=is_v1)
    elif secret and not path.startswith(API):
        find = functools.partial(_of_browser, secret=secret)
    else:
        return callers.ANONYMOUS
    caller = await run_in_threadpool(_in_session, state.engine, find)
    if caller.openid:
        await state.limits.count(request.scope, caller.openid)
    return caller


def _in_session(engine: sa.Engine, find: Callable[[Session], Value]) -> Value:
    with Session(engine) as session:
        return find(session)


def _of_browser(session: Session, secret: str) -> Caller:
    openid = sessions.openid_of(session, secret)
    return callers.of_user(session, openid) if openid else callers.ANONYMOUS


async def _signed_in(sender: "CurrentCaller") -> None:
    sender.require_user()


async def _body(request: Request, sender: "CurrentCaller") -> bytes:
    with request.app.state.bodies.taken(sender):
        return await request.body()


async def _streamed_body(
    request: Request, settings: "Config", sender: "CurrentCaller"
) -> AsyncIterator[IncomingUpload]:
    stated = int(request.headers.get("content-length", 0))
    disk_space.require(settings, min(stated, settings.most_bundle_bytes))
    places = request.app.state
    with contextlib.ExitStack() as on_disk, blobs.incoming(settings.data) as upload:
        with places.bodies.taken(sender):
            async for chunk in request.stream():
                disk_space.require(settings, len(chunk))
                if upload.size + len(chunk) <= blobs.IN_MEMORY:
                    upload.write(chunk)
                    continue
                if upload.size <= blobs.IN_MEMORY:
                    on_disk.enter_context(places.uploads.taken(sender))
                # A busy disk keeps the thread waiting, not all other requests.
                await anyio.to_thread.run_sync(upload.write, chunk, limiter=_WRITING)
        yield upload


@dataclass(frozen=True)
class CallerContext:
    """The caller of a request, with the session and the settings to look results up for them."""

    session: Session
    caller: Caller
    settings: Settings
    writer: sa.Engine
    workers: Workers
    count: Callable[[str], Awaitable[None]]
    """Counts the request for a user (:meth:`.RateLimits.count`)."""

    def find(self, result_id: str) -> Result:
        """Return a result that the caller may see; errors as for :func:`.results.find`."""
        return stored_results.find(self.session, result_id, self.caller)

    def sees_all(self, result: Result) -> bool:
        """Return whether the caller may see more of a result than the public."""
        return stored_results.role(result, self.caller) != stored_results.READER

    def stored(self, result: Result) -> StoredResult:
        """Return a result as far as the caller may see it, for :meth:`render`."""
        return stored_result(self.settings.data, result, sees_all=self.sees_all(result))

    async def look_up(self, result_id: str) -> StoredResult:
        """Return a result as :meth:`stored` does; errors as for :meth:`find`."""
        return await self.query(lambda: self.stored(self.find(result_id)))

    async def query(self, function: Callable[..., Value], *arguments: object) -> Value:
        """Run a function that queries the database for :meth:`render`.

        It runs in one of a few threads, so that requests which wait for workers take no thread and
        no connection from those which do not. The session is closed afterwards.
        """
        return await self._in_thread(_FOR_WORKERS, function, *arguments)

    async def read(self, function: Callable[..., Value], *arguments: object) -> Value:
        """Run a function that queries the database for the answer.

        One thread queries, writes the answer and closes the session: each further change of threads
        takes as long as a short query.
        """
        return await self._in_thread(None, function, *arguments)

    async def read_json(self, function: Callable[..., object], *arguments: object) -> Response:
        """As :meth:`read`; answer with the JSON of what the function returns."""

        def write() -> bytes:
            return pydantic_core.to_json(function(*arguments))

        return Response(await self.read(write), media_type="application/json")

    async def write(self, function: Callable[..., Value], *arguments: object) -> Value:
        """Run a function in a thread, with a session that has exclusive write access.

        The session is the first argument of the function, which commits.
        """

        def call() -> Value:
            with Session(self.writer, expire_on_commit=False) as session:
                return function(session, *arguments)

        return await run_in_threadpool(call)

    async def _in_thread(
        self,
        limiter: anyio.CapacityLimiter | None,
        function: Callable[..., Value],
        *arguments: object,
    ) -> Value:
        def call() -> Value:
            with self.session:
                return function(*arguments)

        return await anyio.to_thread.run_sync(call, limiter=limiter)

    async def run(self, function: Callable[..., Value], *arguments: object) -> Value:
        """Run a function in a worker."""
        return await self.workers.run(function, *arguments)

    async def render(self, function: Callable[..., bytes], *arguments: object) -> bytes:
        """As :meth:`run`, once for all who request the same."""
        return await self.workers.render(function, *arguments)


async def _context(
    request: Request, session: "ReadSession", caller: "CurrentCaller"
) -> CallerContext:
    state = request.app.state
    count = functools.partial(state.limits.count, request.scope)
    return CallerContext(session, caller, state.settings, state.writer, state.workers, count)


Config = Annotated[Settings, Depends(_settings)]
"""The settings of the server."""
ReadSession = Annotated[Session, Depends(_read_session)]
"""A database session that only reads."""
WriteSession = Annotated[Session, Depends(_write_session)]
"""A database session that may write."""
Context = Annotated[CallerContext, Depends(_context)]
"""The caller with session and settings."""
CurrentCaller = Annotated[Caller, Depends(_caller)]
"""The caller; a token that is not valid is refused before the body is read."""
SIGNED_IN = Depends(_signed_in)
"""For routes that refuse an anonymous caller before the body is read."""
Body = Annotated[bytes, Depends(_body)]
"""The body of the request, in memory."""
StreamedBody = Annotated[IncomingUpload, Depends(_streamed_body)]
"""The body of an upload, written to disk while it arrives if it is not small."""
