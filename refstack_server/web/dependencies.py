"""What every handler gets: settings, a session of the database, who asks, what was sent."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated

import anyio
import sqlalchemy as sa
from fastapi import Depends, Request
from fastapi.concurrency import run_in_threadpool
from sqlalchemy.orm import Session

from refstack_server.publish import public_view, verdicts
from refstack_server.publish.verdicts import By
from refstack_server.settings import Settings
from refstack_server.store import blobs, callers
from refstack_server.store import results as stored_results
from refstack_server.store.blobs import Coming
from refstack_server.store.callers import Caller
from refstack_server.store.schema import Result
from refstack_server.web.middleware import API
from scoring.conformance.verdict import Verdict

OPENID = "openid"
"""Under which a browser's session has who signed in."""


async def _settings(request: Request) -> Settings:
    return request.app.state.settings


async def _reading(request: Request) -> AsyncIterator[Session]:
    async with _session(request.app.state.engine) as session:
        yield session


async def _writing(request: Request) -> AsyncIterator[Session]:
    """Yield a session that is alone in writing; the handler commits, before the answer leaves."""
    async with _session(request.app.state.writer) as session:
        yield session


@contextlib.asynccontextmanager
async def _session(engine: sa.Engine) -> AsyncIterator[Session]:
    """Yield a session; only where it may wait for the database another thread is troubled."""
    session = Session(engine, expire_on_commit=False)
    try:
        yield session
    finally:
        with anyio.CancelScope(shield=True):
            await run_in_threadpool(session.close)


async def _read_by(request: Request, session: "Reading") -> Caller:
    return await _caller(request, session)


async def _written_by(request: Request, session: "Writing") -> Caller:
    return await _caller(request, session)


async def _caller(request: Request, session: Session) -> Caller:
    """Return who asks: by a token, or, for pages alone, by who signed in with this browser."""
    header = request.headers.get("authorization")
    openid = request.session.get(OPENID)
    if header is not None:
        server = request.app.state.settings.public_url
        return await run_in_threadpool(callers.of_token, session, header, server)
    if openid and not request.url.path.startswith(API):
        return await run_in_threadpool(callers.of_user, session, openid)
    return callers.ANONYMOUS


async def _body(request: Request) -> bytes:
    return await request.body()


async def _coming(request: Request, settings: "Config") -> AsyncIterator[Coming]:
    with blobs.coming(settings.data) as received:
        async for piece in request.stream():
            received.write(piece)
        yield received


@dataclass(frozen=True)
class Asked:
    """Who asks for what is stored, and in which session it is looked up."""

    session: Session
    caller: Caller
    settings: Settings

    def find(self, result_id: str) -> Result:
        """Return a result the caller may see; errors as for :func:`.results.find`."""
        return stored_results.find(self.session, result_id, self.caller)

    def knows_all(self, result: Result) -> bool:
        """Return whether the caller sees more of a result than everybody may."""
        return stored_results.role(result, self.caller) != stored_results.READER

    def verdict(self, result: Result, by: By) -> Verdict:
        """Return what the caller may know of a verdict; errors as for :func:`.verdicts.of`."""
        verdict = verdicts.of(self.settings, result, by)
        return verdict if self.knows_all(result) else public_view.verdict(verdict)


async def _asked(session: "Reading", caller: "Reader", settings: "Config") -> Asked:
    return Asked(session, caller, settings)


Config = Annotated[Settings, Depends(_settings)]
Reading = Annotated[Session, Depends(_reading)]
Writing = Annotated[Session, Depends(_writing)]
Reader = Annotated[Caller, Depends(_read_by)]
Writer = Annotated[Caller, Depends(_written_by)]
Looking = Annotated[Asked, Depends(_asked)]
Body = Annotated[bytes, Depends(_body)]
Large = Annotated[Coming, Depends(_coming)]
"""A body that is not held in memory while it comes."""
