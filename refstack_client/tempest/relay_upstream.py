"""What a request to the relay is for, and the connection over which it is forwarded."""

import asyncio
import contextlib
import ssl
from dataclasses import dataclass
from urllib.parse import quote, unquote, urlsplit

import h11
import requests.utils
import urllib3

from refstack_client.cloud.access import proxy_of, without_user

_PORTS = {"http": 80, "https": 443}
_NOT_FORWARDED = frozenset(
    (b"connection", b"host", b"keep-alive", b"proxy-authorization", b"proxy-connection", b"te")
)
"""Header fields that are about one connection."""


@dataclass(frozen=True)
class Target:
    """What a request is for.

    :param root: the URL of the server, without a path
    :param path: with the query; "" for a tunnel
    """

    root: str
    path: str = ""

    @property
    def is_tunnel(self) -> bool:
        """Return whether the client itself uses TLS with the server."""
        return not self.path

    @property
    def is_secure(self) -> bool:
        """Return whether the server uses TLS."""
        return self.root.startswith("https:")

    @property
    def host(self) -> str:
        """Return the name or IP address, without brackets."""
        return urlsplit(self.root).hostname or ""

    @property
    def port(self) -> int:
        """Return the port."""
        parts = urlsplit(self.root)
        return _PORTS[parts.scheme] if parts.port is None else parts.port

    @property
    def netloc(self) -> str:
        """Return host and port as URLs have them."""
        return urlsplit(self.root).netloc


@dataclass(frozen=True)
class Upstream:
    """A connection to a server, or to the proxy by which it is reached.

    :param proxy: the URL of the proxy that forwards the request; "" for a connection to the server
        itself, which may be a tunnel
    """

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    proxy: str = ""


def url_at(relay_url: str, url: str) -> str:
    """Return the URL at which the relay forwards requests to ``url``, which it shows."""
    parts = urlsplit(url)
    return f"{relay_url}/{parts.scheme}://{quote(parts.netloc, safe=':')}{parts.path}"


def parse(method: str, target: str, relay_url: str) -> Target:
    """Return what a request is for.

    :param target: as the request has it: ``HOST:PORT`` for CONNECT, else an absolute URL, or one at
        the relay (:func:`url_at`) with or without its host
    :raises ValueError: it has another form
    """
    if method == "CONNECT":
        found = Target(f"https://{target}")
    else:
        scheme, _, rest = target.removeprefix(relay_url).removeprefix("/").partition("://")
        netloc, _, path = rest.partition("/")
        # Clients encode the brackets of an IPv6 address in what they take for a path.
        found = Target(f"{scheme.lower()}://{unquote(netloc)}", f"/{path}")
    parts = urlsplit(found.root)
    if parts.scheme not in _PORTS or found.root != f"{parts.scheme}://{parts.netloc}":
        raise ValueError(target)
    if not found.host or not found.port or "@" in parts.netloc:
        raise ValueError(target)
    return found


async def connect(target: Target, tls: ssl.SSLContext) -> Upstream:
    """Connect to a server by the proxy that the environment names for it, or directly.

    :raises OSError: that is not possible
    :raises CloudError: the environment names something else than an HTTP proxy
    """
    tls_of_server = tls if target.is_secure and not target.is_tunnel else None
    proxy = proxy_of(target.root)
    if not proxy:
        return Upstream(*await asyncio.open_connection(target.host, target.port, ssl=tls_of_server))
    through = Target(proxy)
    reader, writer = await asyncio.open_connection(
        through.host, through.port, ssl=tls if through.is_secure else None
    )
    if not target.is_secure:
        return Upstream(reader, writer, proxy)
    try:
        await _open_tunnel(reader, writer, target, proxy)
        if tls_of_server:
            await writer.start_tls(tls_of_server, server_hostname=target.host)
    except BaseException:
        writer.close()
        raise
    return Upstream(reader, writer)


async def _open_tunnel(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, target: Target, proxy: str
) -> None:
    """Have a proxy connect to the server.

    :raises ConnectionError: it refuses
    """
    connection = h11.Connection(h11.CLIENT)
    name = f"[{target.host}]" if ":" in target.host else target.host
    address = f"{name}:{target.port}".encode()
    headers = [(b"Host", address), *_authorization(proxy)]
    request = h11.Request(method=b"CONNECT", target=address, headers=headers)
    writer.write(connection.send(request))
    answer = "closed the connection"
    with contextlib.suppress(EOFError, asyncio.LimitOverrunError, h11.RemoteProtocolError):
        connection.receive_data(await reader.readuntil(b"\r\n\r\n"))
        response = connection.next_event()
        if isinstance(response, h11.Response):
            if response.status_code in range(200, 300):
                return
            reason = bytes(response.reason).decode("ascii", "replace")
            answer = f"answered {response.status_code} {reason}"
    raise ConnectionError(f"the proxy {without_user(proxy)} {answer}")


def forwarded(request: h11.Request, target: Target, proxy: str) -> h11.Request:
    """Return a request as it is sent to a server, or to the ``proxy`` that forwards it."""
    headers = [(bytes(name), bytes(value)) for name, value in request.headers.raw_items()]
    names = {name.lower() for name, _ in headers}
    dropped = _NOT_FORWARDED.union(
        name.strip().lower()
        for header, value in headers
        if header.lower() == b"connection"
        for name in value.split(b",")
    )
    if b"transfer-encoding" in names:
        dropped |= {b"content-length"}
    kept = [(name, value) for name, value in headers if name.lower() not in dropped]
    return h11.Request(
        method=request.method,
        target=f"{target.root if proxy else ''}{target.path}",
        headers=[
            (b"Host", target.netloc.encode()),
            *kept,
            (b"Connection", b"close"),
            *_authorization(proxy),
        ],
    )


def _authorization(proxy: str) -> list[tuple[bytes, bytes]]:
    """Return the header field with user and password of a proxy, if its URL has them."""
    user, password = requests.utils.get_auth_from_url(proxy)
    if not user:
        return []
    fields = urllib3.make_headers(proxy_basic_auth=f"{user}:{password}")
    return [(name.title().encode(), value.encode()) for name, value in fields.items()]
