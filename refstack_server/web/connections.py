"""Connections of clients: bounded in number and in time, so that slow clients block no others.

uvicorn has no time limit for the first request of a connection, for the head of a later one, and
for the client to read an answer, and no bound that lets new clients in. hypercorn has none of them
either. granian limits the time for a head only, and does not serve on a socket that is bound
already. A subclass of uvicorn's protocol adds all of them.
"""

import asyncio
import contextlib
import resource
import socket
import sys
from http import HTTPStatus
from typing import Any, ClassVar

import h11
import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.h11_impl import H11Protocol

from refstack_server.settings import Settings

_SECONDS_TO_END = 10
_LONGEST_QUEUE = 2048
_TOO_SLOW = b"the request did not arrive in time\n"


def serve(app: FastAPI, settings: Settings, listening: socket.socket) -> None:
    """Serve an application until the process is interrupted or terminated."""
    files = _raise_file_limit()
    config = uvicorn.Config(
        app,
        http=_protocol(settings, min(settings.most_connections, files // 2)),
        ws="none",
        access_log=False,
        log_config=None,
        # asyncio accepts as many connections at once, before any other is closed.
        backlog=min(_LONGEST_QUEUE, files // 8),
        timeout_graceful_shutdown=_SECONDS_TO_END,
    )
    # uvicorn shuts down in order on SIGINT and SIGTERM, and then raises them again.
    with contextlib.suppress(KeyboardInterrupt):
        uvicorn.Server(config).run(sockets=[listening])


def _raise_file_limit() -> int:
    """Raise the limit of open files as far as this process may; return it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(OSError, ValueError):  # Some systems refuse to have no limit.
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return sys.maxsize if soft == resource.RLIM_INFINITY else soft


def _protocol(settings: Settings, most: int) -> type[H11Protocol]:
    """Return the protocol of a server that has at most ``most`` connections."""

    class Connection(_Connection):
        limits = settings
        most_connections = most
        idle: ClassVar[dict[_Connection, None]] = {}

    return Connection


class _Connection(H11Protocol):
    """A connection that is closed if its client is too slow.

    ``idle`` has the connections of a server without a request in progress, the oldest first. When
    there are too many connections, it is closed first.
    """

    limits: ClassVar[Settings]
    most_connections: ClassVar[int]
    idle: ClassVar[dict["_Connection", None]]
    _head_timer: asyncio.TimerHandle | None = None
    _reader_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """Start the time for the head of the first request."""
        super().connection_made(transport)
        # The transport reports all unread data, not only more than 64 KiB.
        transport.set_write_buffer_limits(high=0)
        self._await_head()
        if len(self.connections) > self.most_connections:
            next(iter(self.idle))._drop()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop all times."""
        self.idle.pop(self, None)
        for timer in (self._head_timer, self._reader_timer):
            if timer:
                timer.cancel()
        super().connection_lost(exc)

    def handle_events(self) -> None:
        """Handle the data that arrived; with a complete head, the connection is not idle."""
        super().handle_events()
        if not self._awaits_head:
            self.idle.pop(self, None)

    def on_response_complete(self) -> None:
        """Start the time for the rest of the body, and the head of the next request."""
        self._await_head()
        super().on_response_complete()

    def pause_writing(self) -> None:
        """Start the time for the client to read."""
        super().pause_writing()
        self._await_reader()

    def resume_writing(self) -> None:
        """Stop the time for the client to read."""
        super().resume_writing()
        if self._reader_timer:
            self._reader_timer.cancel()

    @property
    def _awaits_head(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _await_head(self) -> None:
        self.idle.pop(self, None)
        self.idle[self] = None
        if self._head_timer:
            self._head_timer.cancel()
        self._head_timer = self.loop.call_later(self.limits.seconds_for_head, self._end_head)

    def _end_head(self) -> None:
        if self._awaits_head and not self.transport.is_closing():
            self._refuse()

    def _refuse(self) -> None:
        """Close the connection, with an answer if a part of a head arrived."""
        if self.conn.our_state is h11.IDLE and self.conn.trailing_data[0]:
            headers = [("Content-Length", str(len(_TOO_SLOW))), ("Connection", "close")]
            status = HTTPStatus.REQUEST_TIMEOUT
            answer = h11.Response(status_code=status, headers=headers, reason=status.phrase)
            for event in (answer, h11.Data(data=_TOO_SLOW), h11.EndOfMessage()):
                self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    def _drop(self) -> None:
        """Close the connection for another one, whatever its client did not read."""
        self.idle.pop(self, None)
        self._refuse()
        if self.transport.get_write_buffer_size():
            self.transport.abort()

    def _await_reader(self) -> None:
        unread = self.transport.get_write_buffer_size()
        seconds = self.limits.seconds_of_grace
        self._reader_timer = self.loop.call_later(seconds, self._check_reader, unread)

    def _check_reader(self, before: int) -> None:
        least = self.limits.seconds_of_grace * self.limits.least_bytes_per_second
        if before - self.transport.get_write_buffer_size() < least:
            self.transport.abort()
        else:
            self._await_reader()
