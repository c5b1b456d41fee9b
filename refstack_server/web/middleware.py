"""ASGI middleware that every request passes before its handler is looked up."""

import hashlib
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from starlette.datastructures import MutableHeaders

from refstack_server.settings import Settings
from refstack_server.web.errors import Refusal, json_answer

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
V1 = "/v1/"
API = (V1, "/v2/")
_KEYS = (b"authorization", b"x-public-key")
"""Headers that name a user's key."""
_NAMING = (*_KEYS, b"cookie")
"""Headers that name a user."""
_PRIVATE = ("/mine", "/queue", "/signin", "/signout")
"""Prefixes of the paths of pages for signed-in users."""
_SECONDS_OF_TWO_YEARS = 2 * 365 * 24 * 3600
_SECONDS_TO_RETRY = 60
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


class SecurityHeaders:
    """Adds headers that forbid browsers to run scripts, load other sites' files or guess types.

    No cache keeps the answer to a request that names a user, unless it is the same for all users.
    """

    def __init__(self, app: App, settings: Settings):
        self._app = app
        self._headers = dict(_HEADERS)
        if settings.public_url.startswith("https:"):
            self._headers["Strict-Transport-Security"] = f"max-age={_SECONDS_OF_TWO_YEARS}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        is_private = any(name in _NAMING for name, _ in scope.get("headers", ()))
        is_private = is_private or scope.get("path", "").startswith(_PRIVATE)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(self._headers)
                if is_private:
                    headers.setdefault("Cache-Control", "no-store")
            await send(message)

        await self._app(scope, receive, send_with_headers)


class RateLimit:
    """Refuses requests beyond the limit per minute of an IP address, key or token."""

    def __init__(self, app: App, settings: Settings):
        self._app = app
        self._window = MovingWindowRateLimiter(MemoryStorage())
        self._limits = {
            "GET": settings.requests_per_minute,
            "POST": settings.uploads_per_minute,
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] == "http" and not self._is_allowed(scope):
            refused = Refusal(
                HTTPStatus.TOO_MANY_REQUESTS,
                "too many requests; try again in a minute",
                retry_after=_SECONDS_TO_RETRY,
            )
            await json_answer(refused)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _is_allowed(self, scope: Scope) -> bool:
        method = "GET" if scope["method"] in ("GET", "HEAD", "OPTIONS") else "POST"
        if not self._limits[method]:
            return True
        limit = RateLimitItemPerMinute(self._limits[method])
        return all(self._window.hit(limit, method, client) for client in _clients(scope))


def _clients(scope: Scope) -> Iterator[str]:
    """Yield what identifies a client, each once: its IP address, the digest of its token or key."""
    yield (scope.get("client") or ("",))[0]
    named = {value for name, value in scope["headers"] if name in _KEYS}
    yield from sorted(hashlib.sha256(value).hexdigest() for value in named)


class RefstackV1Compat:
    """Accepts what RefStack v1's web framework accepted: ``/``, ``.json``, ``?_method=``."""

    def __init__(self, app: App):
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] == "http" and scope["path"].startswith(V1):
            path = scope["path"].rstrip("/").removesuffix(".json")
            scope["path"], scope["raw_path"] = path, path.encode()
            query = parse_qs(scope["query_string"].decode("latin-1"))
            method = query.get("_method", [""])[-1].upper()
            if scope["method"] == "POST" and method in ("DELETE", "PUT"):
                scope["method"] = method
        await self._app(scope, receive, send)
