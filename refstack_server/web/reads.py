"""ASGI middleware for requests that read: HEAD, ETag, compression, scripts of other sites."""

import hashlib
import re
from http import HTTPMethod, HTTPStatus

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware

from refstack_server.web.middleware import (
    READING,
    App,
    Message,
    Receive,
    Scope,
    Send,
    is_private_page,
    names_user,
)
from refstack_server.web.urls import API

_ETAG = re.compile(r'"[^"]*"')
_OF_A_BODY = ("Content-Length", "Content-Type", "Content-Encoding")
_SMALLEST, _LEVEL = 1024, 1
_SECONDS_OF_A_DAY = 24 * 3600
_READABLE = (
    *("ETag", "Link", "Retry-After"),
    *("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"),
)
"""Headers of answers that scripts of other sites can read."""


class ConditionalReads:
    """Answers HEAD like GET, and 304 to a client that has the body already.

    The ETag is the SHA-256 of the body as it is sent, so that each encoding has one of its own. It
    must therefore be added outside of the compression.
    """

    def __init__(self, app: App):
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] != "http" or scope["method"] not in READING:
            await self._app(scope, receive, send)
            return
        method = scope["method"]
        scope["method"] = str(HTTPMethod.GET)
        known = ",".join(Headers(scope=scope).getlist("if-none-match"))
        try:
            answer = _Answer(send, known, has_body=method == HTTPMethod.GET)
            await self._app(scope, receive, answer.send)
        finally:
            scope["method"] = method


class _Answer:
    """An answer whose start is held back until its body is known."""

    def __init__(self, send: Send, known: str, *, has_body: bool):
        self._send, self._known, self._has_body = send, known, has_body
        self._start: Message = {}

    async def send(self, message: Message) -> None:
        """Send a message of the application to the client."""
        if message["type"] == "http.response.start":
            self._start = message
            return
        if self._start:
            if self._start["status"] == HTTPStatus.OK and not message.get("more_body", False):
                self._check(message.get("body", b""))
            await self._send(self._start)
            self._start = {}
        await self._send(message if self._has_body else {**message, "body": b""})

    def _check(self, body: bytes) -> None:
        """Add the ETag, and make the answer a 304 without a body if the client knows it."""
        headers = MutableHeaders(scope=self._start)
        if "etag" not in headers:
            headers["ETag"] = f'"{hashlib.sha256(body).hexdigest()}"'
        known = self._known.strip()
        if known == "*" or headers["etag"] in _ETAG.findall(known):
            self._start["status"], self._has_body = int(HTTPStatus.NOT_MODIFIED), False
            for name in _OF_A_BODY:
                del headers[name]


class Compression:
    """Compresses answers with gzip, except those to a browser that has a cookie.

    The length of a compressed page that contains a secret, such as the token of a form, and a text
    that an attacker chose reveals the secret (BREACH). Only a cookie is sent with the requests that
    another site causes.
    """

    def __init__(self, app: App):
        self._plain = app
        self._compressed = GZipMiddleware(app, minimum_size=_SMALLEST, compresslevel=_LEVEL)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        is_plain = scope["type"] != "http" or is_private_page(scope)
        is_plain = is_plain or any(name == b"cookie" for name, _ in scope["headers"])
        await (self._plain if is_plain else self._compressed)(scope, receive, send)


class PublicReads:
    """Lets scripts of other sites read the API (CORS), as the public does.

    They can neither write nor read pages, and see nothing as a user: a request that names a user is
    answered without this right.
    """

    def __init__(self, app: App):
        self._app = app
        self._preflight = CORSMiddleware(
            app,
            allow_origins=["*"],
            allow_methods=["GET", "HEAD"],
            allow_headers=["If-None-Match"],
            max_age=_SECONDS_OF_A_DAY,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        is_public = scope["type"] == "http" and scope["path"].startswith(API)
        if not is_public or names_user(scope):
            await self._app(scope, receive, send)
        elif scope["method"] in READING:
            await self._app(scope, receive, _readable(send))
        elif scope["method"] == HTTPMethod.OPTIONS:
            await self._preflight(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def _readable(send: Send) -> Send:
    async def send_readable(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers["Access-Control-Allow-Origin"] = "*"
            headers["Access-Control-Expose-Headers"] = ", ".join(_READABLE)
        await send(message)

    return send_readable
