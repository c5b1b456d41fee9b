"""The web application: what answers where."""

import logging
from collections.abc import Awaitable, Callable, MutableMapping
from http import HTTPStatus
from importlib import metadata
from typing import Any
from urllib.parse import parse_qs

import sqlalchemy as sa
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from refstack_server.errors import RefusedError, bad_request
from refstack_server.settings import Settings
from refstack_server.v1 import guidelines, products, profile, results, vendors

LOG = logging.getLogger(__name__)
_V1 = "/v1/"

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


def create(settings: Settings, engine: sa.Engine) -> FastAPI:
    """Return the application over a database whose schema is this release's."""
    app = FastAPI(
        title="RefStack",
        version=metadata.version("refstack-client"),
        description="Receives certifications of OpenStack clouds, verifies and publishes them.",
        redirect_slashes=False,
    )
    app.state.settings, app.state.engine = settings, engine
    for each in (results, profile, vendors, products, guidelines):
        app.include_router(each.router, prefix="/v1")
    app.add_exception_handler(RefusedError, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unforeseen)
    app.add_middleware(_OldWays)
    app.add_middleware(_Bounded, most=settings.most_bytes)
    return app


def _answer(refused: RefusedError) -> JSONResponse:
    return JSONResponse(refused.as_json(), int(refused.status))


def _refused(_: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, RefusedError):
        raise error
    return _answer(error)


def _invalid(_: Request, error: Exception) -> JSONResponse:
    """Answer a parameter that is none."""
    if not isinstance(error, RequestValidationError):
        raise error
    first = error.errors()[0]
    where = "/".join(str(each) for each in first["loc"])
    return _answer(bad_request(f"Invalid {where}: {first['msg']}"))


def _http(_: Request, error: Exception) -> JSONResponse:
    """Answer what no handler was found for."""
    if not isinstance(error, HTTPException):
        raise error
    status = HTTPStatus(error.status_code)
    document = {"code": int(status), "title": status.phrase, "detail": ""}
    return JSONResponse(document, int(status), headers=error.headers)


def _unforeseen(request: Request, error: Exception) -> JSONResponse:
    LOG.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return _answer(RefusedError(HTTPStatus.INTERNAL_SERVER_ERROR, "Internal Server Error"))


class _OldWays:
    """What RefStack v1's framework did for every route: ``/``, ``.json``, ``?_method=``."""

    def __init__(self, app: App):
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith(_V1):
            path = scope["path"].rstrip("/").removesuffix(".json")
            scope = {**scope, "path": path, "raw_path": path.encode()}
            instead = parse_qs(scope["query_string"].decode("latin-1")).get("_method", [""])[-1]
            if scope["method"] == "POST" and instead.upper() in ("DELETE", "PUT"):
                scope["method"] = instead.upper()
        await self._app(scope, receive, send)


class _TooLargeError(Exception):
    """A body is larger than any that is taken."""


class _Bounded:
    """Refuses bodies that are too large, whatever their headers say, before they are kept."""

    def __init__(self, app: App, most: int):
        self._app, self._most = app, most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        came, begun = 0, False

        async def bounded() -> Message:
            nonlocal came
            message = await receive()
            came += len(message.get("body", b""))
            if came > self._most:
                raise _TooLargeError
            return message

        async def watched(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, bounded, watched)
        except _TooLargeError:
            if begun:
                raise
            refused = RefusedError(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                f"no more than {self._most} bytes are taken at once",
            )
            await _answer(refused)(scope, receive, send)
