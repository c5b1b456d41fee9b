"""ASGI middleware that every request passes before its handler is looked up."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qs

from starlette.datastructures import MutableHeaders

from refstack_server.settings import Settings
from refstack_server.web import rate_limits
from refstack_server.web.errors import TooManyRequestsError, json_answer, refusal
from refstack_server.web.rate_limits import RateLimits
from refstack_server.web.urls import V1

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
READING = ("GET", "HEAD")
_NAMING = (b"authorization", b"x-public-key", b"cookie")
"""Headers that name a user."""
_PRIVATE = ("/mine", "/queue", "/signin", "/signout")
"""Prefixes of the paths of pages for signed-in users."""
_SECONDS_OF_TWO_YEARS = 2 * 365 * 24 * 3600
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; "
    # No script runs. Programs that audit pages request robots.txt in their name.
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


def names_user(scope: Scope) -> bool:
    """Return whether a request names a user."""
    return any(name in _NAMING for name, _ in scope.get("headers", ()))


def is_private_page(scope: Scope) -> bool:
    """Return whether a request is for a page for signed-in users."""
    return scope.get("path", "").startswith(_PRIVATE)


class SecurityHeaders:
    """Adds headers that forbid browsers to run scripts, load other sites' files or guess types.

    No cache keeps the answer to a request that names a user, unless it is the same for all users.
    Other answers are kept, and sent again only after the server reported that they did not change.
    """

    def __init__(self, app: App, settings: Settings):
        self._app = app
        self._headers = dict(_HEADERS)
        if settings.public_url.startswith("https:"):
            self._headers["Strict-Transport-Security"] = f"max-age={_SECONDS_OF_TWO_YEARS}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        is_private = names_user(scope) or is_private_page(scope)
        is_read = scope.get("method") in READING

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(self._headers)
                if is_private or "set-cookie" in headers:
                    headers.setdefault("Cache-Control", "no-store")
                elif is_read and "cache-control" not in headers:
                    headers["Cache-Control"] = "public, no-cache"
                    headers.add_vary_header("Authorization, Cookie")
            await send(message)

        await self._app(scope, receive, send_with_headers)


class RateLimit:
    """Refuses requests beyond the limit per minute of an IP address, and reports what remains."""

    def __init__(self, app: App, limits: RateLimits):
        self._app, self._limits = app, limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(rate_limits.headers(scope))
            await send(message)

        client, _ = scope.get("client") or ("", 0)
        try:
            await self._limits.count(scope, client)
        except TooManyRequestsError as error:
            await json_answer(refusal(error), scope)(scope, receive, send_counted)
            return
        await self._app(scope, receive, send_counted)


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
