"""A relay on loopback between Tempest and a cloud that it cannot use by itself.

Tempest requests tokens without a proxy, whatever its configuration, and takes one proxy for all
other requests, without user and password. Where a cloud limits the rate of requests, it fails
instead of waiting. It is not modified: its tempest.conf names the relay instead, which forwards
each request by the proxy that the environment names for its URL, or directly, and sends it again
after the time that a server asks for.

Every process on this machine can connect to the relay while it runs. It reaches the hosts of the
tested services only, and adds no credentials but those for the proxy.
"""

import asyncio
import contextlib
import socket
import threading
from collections.abc import AsyncIterator, Collection, Iterable, Iterator
from urllib.parse import urlsplit

import h11

from refstack_client.cloud.access import SECONDS_TO_CONNECT, Access
from refstack_client.cloud.http_session import RETRIES, STATUS_TO_RETRY, Retry
from refstack_client.errors import CloudError, MachineError
from refstack_client.tempest import relay_upstream
from refstack_client.tempest.relay_upstream import Target, Upstream

SECONDS_IDLE = 600
"""A connection over which nothing is sent for longer is closed; Tempest gives up earlier."""
SECONDS_OF_TEMPEST = 60
"""Tempest gives up a request after this time, if ``api_timeout`` is not set in clouds.yaml."""
_SECONDS_FOR_HEAD = 30
_SECONDS_TO_CLOSE = 5
"""For a client that has its response."""
_HOST = "127.0.0.1"
_PIECE = 1 << 16
_LONGEST_HEAD = 1 << 16
_LONGEST_TO_REPEAT = 1 << 16
"""A request with a longer body is sent once. One for a token has less than a thousand bytes."""
_CONNECTED = b"HTTP/1.1 200 Connection established\r\n\r\n"


class _RefusedError(Exception):
    """A request that is not forwarded: status and reason of the response."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(status, " ".join(reason.split()))

    def response(self) -> bytes:
        """Return the response. Tempest shows the reason where it does not show the body."""
        status, reason = self.args
        body = reason.encode()
        shown = reason.encode("ascii", "replace")
        return (
            b"HTTP/1.1 %d %b\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n"
            b"Content-Length: %d\r\n\r\n%b"
        ) % (status, shown, len(body), body)


@contextlib.contextmanager
def listening(urls: Iterable[str], access: Access) -> Iterator[str]:
    """Relay requests to the hosts of ``urls`` while the block runs; yield the URL of the relay.

    It is the URL of an HTTP proxy. :func:`.relay_upstream.url_at` is for clients without a proxy.

    :raises MachineError: no port can be bound
    """
    hosts = frozenset(urlsplit(url).hostname or "" for url in urls)
    try:
        listener = socket.create_server((_HOST, 0))
    except OSError as error:
        raise MachineError(
            f"cannot bind to a port of {_HOST} for the relay to the proxy: {error.strerror}",
            hint="check how many files and ports are open on this machine",
        ) from error
    relay = _Relay(listener, hosts, access)
    thread = threading.Thread(target=relay.serve, name="relay", daemon=True)
    thread.start()
    try:
        yield relay.url
    finally:
        relay.stop()
        thread.join()


class _Relay:
    """Forwards one request for each connection, and the pieces of bodies as they come."""

    def __init__(self, listener: socket.socket, hosts: Collection[str], access: Access) -> None:
        self.url = f"http://{_HOST}:{listener.getsockname()[1]}"
        self._listener = listener
        self._hosts = hosts
        self._tls = access.tls.context()
        self._seconds_to_connect = access.timeout or SECONDS_TO_CONNECT
        self._seconds_to_wait = 0.8 * (access.timeout or SECONDS_OF_TEMPEST)
        self._loop = asyncio.new_event_loop()
        self._stopped = asyncio.Event()

    def serve(self) -> None:
        """Accept connections until :meth:`stop`; those that are open end too."""
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._accept())

    def stop(self) -> None:
        """End :meth:`serve`, which another thread runs."""
        self._loop.call_soon_threadsafe(self._stopped.set)

    async def _accept(self) -> None:
        async with await asyncio.start_server(self._handle, sock=self._listener):
            await self._stopped.wait()

    async def _handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(SECONDS_IDLE) as idle:
                pieces = _pieces(reader, idle)
                try:
                    await self._relay(pieces, writer, idle)
                except _RefusedError as refused:
                    writer.write(refused.response())
                    writer.write_eof()
                    async with asyncio.timeout(_SECONDS_TO_CLOSE):
                        await _discard(pieces)
        except (OSError, h11.ProtocolError):
            pass  # one side has ended the connection, and the other one finds it ended
        except asyncio.CancelledError:
            pass  # the relay ends; asyncio logs an error for a task that is cancelled
        finally:
            writer.close()

    async def _relay(
        self, pieces: AsyncIterator[bytes], writer: asyncio.StreamWriter, idle: asyncio.Timeout
    ) -> None:
        """Relay one request and its response, or a tunnel."""
        client = h11.Connection(h11.SERVER, max_incomplete_event_size=_LONGEST_HEAD)
        try:
            async with asyncio.timeout(_SECONDS_FOR_HEAD):
                request = await _next_event(client, pieces)
        except h11.RemoteProtocolError as error:
            raise _RefusedError(error.error_status_hint, str(error)) from error
        if not isinstance(request, h11.Request):
            return
        target = self._target(request)
        if not target.is_tunnel and _is_short(request):
            body = [event async for event in _events(client, pieces)]
            await self._relay_short(request, body, target, writer, idle)
            return
        upstream = await self._connect(target)
        with contextlib.closing(upstream.writer):
            if target.is_tunnel:
                writer.write(_CONNECTED)
                to_send = pieces
            else:
                server = h11.Connection(h11.CLIENT)
                head = server.send(relay_upstream.forwarded(request, target, upstream.proxy))
                upstream.writer.write(head)
                to_send = _body(client, server, pieces)
            sending = asyncio.create_task(_send(to_send, upstream.writer))
            try:
                await _copy(_pieces(upstream.reader, idle), writer)
                await asyncio.wait([sending], timeout=_SECONDS_TO_CLOSE)
            finally:
                sending.cancel()

    async def _relay_short(
        self,
        request: h11.Request,
        body: Collection[h11.Data],
        target: Target,
        writer: asyncio.StreamWriter,
        idle: asyncio.Timeout,
    ) -> None:
        """Relay one request and its response; send it again where the server asks to wait."""
        seconds_left = self._seconds_to_wait
        for retries_left in reversed(range(RETRIES + 1)):
            upstream = await self._connect(target)
            with contextlib.closing(upstream.writer):
                server = h11.Connection(h11.CLIENT)
                head = relay_upstream.forwarded(request, target, upstream.proxy)
                for event in (head, *body, h11.EndOfMessage()):
                    upstream.writer.write(server.send(event) or b"")
                response = _pieces(upstream.reader, idle)
                start, seconds = await _start(server, response)
                if seconds is None or seconds > seconds_left or not retries_left:
                    writer.write(start)
                    await _copy(response, writer)
                    return
            await asyncio.sleep(seconds)
            seconds_left -= seconds

    def _target(self, request: h11.Request) -> Target:
        try:
            target = relay_upstream.parse(
                request.method.decode(), request.target.decode(), self.url
            )
        except ValueError as error:
            raise _RefusedError(400, f"not a URL of a web service: {error}") from error
        if target.host not in self._hosts:
            raise _RefusedError(403, f"{target.host} is not a host of the tested services")
        return target

    async def _connect(self, target: Target) -> Upstream:
        try:
            async with asyncio.timeout(self._seconds_to_connect):
                return await relay_upstream.connect(target, self._tls)
        except (CloudError, OSError) as error:
            reason = str(error) or "it does not respond"
            raise _RefusedError(502, f"{target.netloc} cannot be reached: {reason}") from error


async def _pieces(reader: asyncio.StreamReader, idle: asyncio.Timeout) -> AsyncIterator[bytes]:
    """Yield what is received until its end, and postpone the timeout."""
    while piece := await reader.read(_PIECE):
        idle.reschedule(asyncio.get_running_loop().time() + SECONDS_IDLE)
        yield piece


async def _next_event(client: h11.Connection, pieces: AsyncIterator[bytes]) -> object:
    """Return the next part of a request.

    :raises h11.RemoteProtocolError: it is not HTTP, or ends too early
    """
    while (event := client.next_event()) is h11.NEED_DATA:
        client.receive_data(await anext(pieces, b""))
    return event


async def _events(client: h11.Connection, pieces: AsyncIterator[bytes]) -> AsyncIterator[h11.Data]:
    """Yield the parts of the body of a request."""
    while isinstance(event := await _next_event(client, pieces), h11.Data):
        yield event


async def _body(
    client: h11.Connection, server: h11.Connection, pieces: AsyncIterator[bytes]
) -> AsyncIterator[bytes]:
    """Yield the body of a request, framed for the server; then wait until the client closes.

    What the client sends after the request is not forwarded.
    """
    async for event in _events(client, pieces):
        yield server.send(event)
    yield server.send(h11.EndOfMessage())
    await _discard(pieces)


def _is_short(request: h11.Request) -> bool:
    """Return whether a request can be held in memory, to be sent again."""
    fields = {bytes(name): bytes(value) for name, value in request.headers}
    is_sent_at_once = b"expect" not in fields and b"transfer-encoding" not in fields
    return is_sent_at_once and int(fields.get(b"content-length", 0)) <= _LONGEST_TO_REPEAT


async def _start(
    server: h11.Connection, pieces: AsyncIterator[bytes]
) -> tuple[bytes, float | None]:
    """Return the start of a response, and for how many seconds the server asks to wait.

    A response that is not valid HTTP asks for nothing.
    """
    received = b""
    try:
        while not isinstance(event := server.next_event(), h11.Response):
            if event is h11.NEED_DATA:
                piece = await anext(pieces, b"")
                received += piece
                server.receive_data(piece)
    except h11.RemoteProtocolError:
        return received, None
    fields = {bytes(name): bytes(value) for name, value in event.headers}
    if event.status_code not in STATUS_TO_RETRY or b"retry-after" not in fields:
        return received, None
    value = fields[b"retry-after"].decode("ascii", "replace")
    return received, Retry().parse_retry_after(value)


async def _copy(pieces: AsyncIterator[bytes], writer: asyncio.StreamWriter) -> None:
    """Write what is received, and the end."""
    async for piece in pieces:
        writer.write(piece)
        await writer.drain()
    writer.write_eof()


async def _discard(pieces: AsyncIterator[bytes]) -> None:
    """Read until a client closes: it may not look at a response before it has sent everything."""
    async for _ in pieces:
        pass


async def _send(pieces: AsyncIterator[bytes], writer: asyncio.StreamWriter) -> None:
    """Send pieces. If a server does not take them, they are still read: it may have responded."""
    try:
        async for piece in pieces:
            if not writer.is_closing():
                writer.write(piece)
                with contextlib.suppress(OSError):
                    await writer.drain()
        if writer.can_write_eof() and not writer.is_closing():
            writer.write_eof()
    except (OSError, h11.ProtocolError):  # the client has ended the connection
        writer.transport.abort()
