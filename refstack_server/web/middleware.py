"""ASGI middleware that every request passes before its handler is looked up."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qs

from starlette.datastructures import MutableHeaders

from refstack_server.settings import Settings
from refstack_server.web.errors import TooManyRequestsError, json_answer, refusal
from refstack_server.web.rate_limits import RateLimits

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
V1 = "/v1/"
API = (V1, "/v2/")
_NAMING = (b"authorization", b"x-public-key", b"cookie")
"""Headers that name a user."""
_PRIVATE = ("/mine", "/queue", "/signin", "/signout")
"""Prefixes of the paths of pages for signed-in users."""
_SECONDS_OF_TWO_YEARS = 2 * 365 * 24 * 3600
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
    """Refuses requests beyond the limit per minute of an IP address."""

    def __init__(self, app: App, limits: RateLimits):
        self._app, self._limits = app, limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] == "http":
            client, _ = scope.get("client") or ("", 0)
            try:
                await self._limits.count(scope["method"], client)
            except TooManyRequestsError as error:
                await json_answer(refusal(error))(scope, receive, send)
                return
        await self._app(scope, receive, send)


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
