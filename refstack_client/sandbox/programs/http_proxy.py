"""An HTTP proxy for the host names of a sandbox, which resolve nowhere.

It connects to the same port on loopback. Requests by CONNECT and with absolute URLs are passed on.
"""

import asyncio
import contextlib
from urllib.parse import urlsplit

_MAX_HEAD = 1 << 16
_HEAD_END = b"\r\n\r\n"
_CONNECTION = (b"connection:", b"proxy-connection:", b"proxy-authorization:")


async def serve(host, port, names):
    """Listen at a port. Return the server.

    :param names: the host names that it connects to; it refuses all others
    """

    async def handle(reader, writer):
        # A client that breaks off, or sends something else than HTTP, gets no answer.
        broken = (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError)
        with contextlib.suppress(*broken):
            await _handle(reader, writer, host, names)
        writer.close()

    return await asyncio.start_server(handle, host, port, limit=_MAX_HEAD)


async def _handle(reader, writer, host, names):
    head = await reader.readuntil(_HEAD_END)
    line, *headers = head.removesuffix(_HEAD_END).split(b"\r\n")
    method, target, version = line.decode("latin-1").split(" ")
    url = urlsplit(f"//{target}" if method == "CONNECT" else target)
    if url.hostname not in names:
        writer.write(_refusal("502 Unknown Host"))
        return
    try:
        upstream_reader, upstream_writer = await asyncio.open_connection(host, url.port or 80)
    except OSError:
        writer.write(_refusal("503 Connection Refused"))
        return
    if method == "CONNECT":
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
    else:
        path = target.partition("://")[2].partition("/")[2]
        headers = [text for text in headers if not text.lower().startswith(_CONNECTION)]
        # One request a connection: the next one may be for another port.
        lines = [f"{method} /{path} {version}".encode("latin-1"), *headers, b"Connection: close"]
        upstream_writer.write(b"\r\n".join(lines) + _HEAD_END)
    await asyncio.gather(_copy(reader, upstream_writer), _copy(upstream_reader, writer))


def _refusal(status):
    return f"HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode()


async def _copy(reader, writer):
    try:
        while chunk := await reader.read(1 << 16):
            writer.write(chunk)
            await writer.drain()
    finally:
        writer.close()
