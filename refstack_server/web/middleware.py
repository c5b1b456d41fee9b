"""What every request goes through before a handler is found for it."""

import hashlib
from collections.abc import Awaitable, Callable, Iterator, Mapping, MutableMapping
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs

from fastapi.responses import JSONResponse
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from starlette.datastructures import MutableHeaders

from refstack_server.settings import Settings
from refstack_server.web.errors import RefusedError

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
_V1 = "/v1/"
API = (_V1, "/v2/")
_WHOLE = ("/v2/", "/mine/")
"""Where bundles and streams are sent to."""
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


def answer(refused: RefusedError, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """Return what a program is told of a refusal."""
    return JSONResponse(refused.as_json(), int(refused.status), headers)


class Safe:
    """Has browsers run nothing, load nothing from elsewhere and guess nothing."""

    def __init__(self, app: App):
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_HEADERS)
            await send(message)

        await self._app(scope, receive, safely)


class Limited:
    """Refuses what one address, or one key or token, asks for too often."""

    def __init__(self, app: App, settings: Settings):
        self._app = app
        self._window = MovingWindowRateLimiter(MemoryStorage())
        self._limits = {
            "GET": settings.requests_per_minute,
            "POST": settings.uploads_per_minute,
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not self._may(scope):
            refused = RefusedError(
                HTTPStatus.TOO_MANY_REQUESTS, "too many requests; try again in a minute"
            )
            await answer(refused, {"Retry-After": "60"})(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _may(self, scope: Scope) -> bool:
        what = "GET" if scope["method"] in ("GET", "HEAD", "OPTIONS") else "POST"
        if not self._limits[what]:
            return True
        limit = RateLimitItemPerMinute(self._limits[what])
        return all(self._window.hit(limit, what, who) for who in _who(scope))


def _who(scope: Scope) -> Iterator[str]:
    yield (scope.get("client") or ("",))[0]
    for name, value in scope["headers"]:
        if name in (b"authorization", b"x-public-key"):
            yield hashlib.sha256(value).hexdigest()


class OldWays:
    """What RefStack v1's framework did for every route: ``/``, ``.json``, ``?_method=``."""

    def __init__(self, app: App):
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith(_V1):
            path = scope["path"].rstrip("/").removesuffix(".json")
            scope["path"], scope["raw_path"] = path, path.encode()
            instead = parse_qs(scope["query_string"].decode("latin-1")).get("_method", [""])[-1]
            if scope["method"] == "POST" and instead.upper() in ("DELETE", "PUT"):
                scope["method"] = instead.upper()
        await self._app(scope, receive, send)


class _TooLargeError(Exception):
    """A body is larger than any that is taken."""


class Bounded:
    """Refuses bodies that are too large, whatever their headers say, before they are kept."""

    def __init__(self, app: App, settings: Settings):
        self._app, self._settings = app, settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        is_whole = scope["path"].startswith(_WHOLE)
        most = self._settings.most_bundle_bytes if is_whole else self._settings.most_bytes
        came, begun = 0, False

        async def bounded() -> Message:
            nonlocal came
            message = await receive()
            came += len(message.get("body", b""))
            if came > most:
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
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"no more than {most} bytes are taken at once"
            )
            await answer(refused)(scope, receive, send)
