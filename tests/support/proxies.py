"""A small HTTP proxy that records what it forwards."""

import asyncio
import base64
import contextlib
import ssl
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote, urlsplit

_END = b"\r\n\r\n"


@dataclass
class Proxy:
    """A proxy that runs.

    :param ip_by_host: IP address by host name; other names are not resolved
    :param credentials: ``user:password`` that requests must present; "" for none
    :param forwarded: ``METHOD host:port`` of the requests that were forwarded
    :param refused: the same of the others
    """

    ip_by_host: Mapping[str, str]
    credentials: str = ""
    scheme: str = "http"
    port: int = 0
    forwarded: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        user = f"{quote(self.credentials, safe=':')}@" if self.credentials else ""
        return f"{self.scheme}://{user}127.0.0.1:{self.port}"

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._forward(reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(_END)
        line, *fields = head.removesuffix(_END).split(b"\r\n")
        method, target, _ = line.decode().split(" ")
        url = urlsplit(f"//{target}" if method == "CONNECT" else target)
        request = f"{method} {url.netloc}"
        allowed = base64.b64encode(self.credentials.encode())
        if self.credentials and not any(field.endswith(b"Basic " + allowed) for field in fields):
            self._refuse(writer, request, "407 Proxy Authentication Required")
            return
        if url.hostname not in self.ip_by_host:
            self._refuse(writer, request, "502 Bad Gateway")
            return
        self.forwarded.append(request)
        server = await asyncio.open_connection(self.ip_by_host[url.hostname], url.port or 80)
        if method == "CONNECT":
            writer.write(b"HTTP/1.1 200 OK" + _END)
        else:
            path = target.partition("://")[2].partition("/")[2]
            hop = (b"proxy-", b"connection:")
            kept = [field for field in fields if not field.lower().startswith(hop)]
            kept.append(b"Connection: close")
            server[1].write(b"\r\n".join([f"{method} /{path} HTTP/1.1".encode(), *kept]) + _END)
        await asyncio.gather(_copy(reader, server[1]), _copy(server[0], writer))

    def _refuse(self, writer: asyncio.StreamWriter, request: str, status: str) -> None:
        self.refused.append(request)
        writer.write(
            f"HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode()
        )


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while piece := await reader.read(1 << 16):
            writer.write(piece)
            await writer.drain()
    writer.close()


@contextlib.contextmanager
def proxy(
    ip_by_host: Mapping[str, str], credentials: str = "", tls: ssl.SSLContext | None = None
) -> Iterator[Proxy]:
    """Run a proxy on loopback while the block runs, with the TLS context ``tls`` if any."""
    found = Proxy(ip_by_host, credentials, "https" if tls else "http")
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(
        asyncio.start_server(found.handle, "127.0.0.1", 0, ssl=tls, limit=1 << 20)
    )
    found.port = server.sockets[0].getsockname()[1]
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield found
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        server.close()
        open_connections = asyncio.all_tasks(loop)
        for task in open_connections:
            task.cancel()
        if open_connections:
            loop.run_until_complete(asyncio.wait(open_connections))
        loop.close()
