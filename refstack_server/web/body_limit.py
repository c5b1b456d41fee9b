"""Limits of the body of a request: its size, and the time in which it arrives."""

import asyncio
import time

from refstack_server.settings import Settings
from refstack_server.web.errors import BodyTimeoutError, TooLargeError
from refstack_server.web.middleware import App, Message, Receive, Scope, Send

_PASSES = "/v1/results"
_WHOLE_RUNS = ("/v2/bundles", "/v2/streams", "/mine/upload")
"""Prefixes of the paths for uploads: RefStack v1's format, and bundles and streams."""


class BodyLimit:
    """Refuses bodies that are too large or too slow, when the handler reads them."""

    def __init__(self, app: App, settings: Settings):
        self._app, self._settings = app, settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] == "http":
            receive = _Body(scope, receive, self._settings).receive
        await self._app(scope, receive, send)


class _Body:
    """The body of a request that is being received."""

    def __init__(self, scope: Scope, receive: Receive, settings: Settings):
        self._receive, self._settings = receive, settings
        self._most = _most(scope["path"], settings)
        self._stated = int(dict(scope["headers"]).get(b"content-length", 0))
        self._size, self._seconds, self._is_complete = 0, 0.0, False

    async def receive(self) -> Message:
        """Return the next message of the request.

        :raises TooLargeError: the body is larger than its limit, or its headers state so, in which
            case nothing is received, not even by a client that waits for "100 Continue"
        :raises BodyTimeoutError: the client sends too slowly
        """
        if self._is_complete:
            return await self._receive()
        self._check_size(self._stated)
        message = await self._receive_in_time()
        self._size += len(message.get("body", b""))
        self._check_size(self._size)
        self._is_complete = not message.get("more_body", False)
        return message

    def _check_size(self, size: int) -> None:
        if size > self._most:
            raise TooLargeError(f"the body of a request is limited to {self._most} bytes")

    async def _receive_in_time(self) -> Message:
        """Return the next message; only the time that the client takes counts."""
        limits, began = self._settings, time.monotonic()
        allowed = limits.seconds_of_grace + self._size / limits.least_bytes_per_second
        try:
            async with asyncio.timeout(min(allowed, limits.seconds_for_body) - self._seconds):
                return await self._receive()
        except TimeoutError as error:
            raise BodyTimeoutError(
                "the body of the request did not arrive in time; use a faster connection",
                f"{self._size} bytes arrived",
            ) from error
        finally:
            self._seconds += time.monotonic() - began


def _most(path: str, settings: Settings) -> int:
    if path.startswith(_WHOLE_RUNS):
        return settings.most_bundle_bytes
    return settings.most_passes_bytes if path.startswith(_PASSES) else settings.most_bytes
