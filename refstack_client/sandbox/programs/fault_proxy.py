"""The proxy between a sandbox and its clients: fault_proxy.py SETTINGS.

Reverse proxies in one process. SETTINGS is a JSON file that is read again when it changes:

    routes      objects with the fields of ``client_view.Route``
    faults      the fault mode of each broken service
    catalog     the services that tokens list; null for those of Keystone
    roles       the names of roles that clients see, by name in Keystone
    limits      how many requests a second each limited service accepts from clients
    tls         the file with certificate and key
    dead        [host, port] of ports that refuse connections
    http_proxy  {"host": …, "port": …, "names": […]} of an HTTP proxy; null for none

SETTINGS.applied holds the modification time of the version in use, in nanoseconds.
SETTINGS.requests holds how many requests the public ports have received.
"""

import asyncio
import collections
import json
import os
import socket
import ssl
import sys
import time

import aiohttp
import http_proxy
import shaped_answers
import yarl
from aiohttp import web

HOST = "127.0.0.1"
SECONDS_BETWEEN_POLLS = 0.1
SECONDS_SLOW = 5
SECONDS_SILENT = 3600
MAX_TOKENS = 10_000
_HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade"}
_ONLY_EXTENSION = {
    "alias": "sandbox",
    "name": "sandbox",
    "description": "the only extension that is listed",
    "updated": "2026-01-01T00:00:00+00:00",
    "links": [],
}
_TOKENS = "/v3/auth/tokens"
_JSON = ("application/json", "application/json-home")


def _error(code, message, **headers):
    document = {"error": {"code": code, "message": message, "title": message}}
    return web.json_response(document, status=code, headers=headers)


class Request:
    """A request of a client, and the route that it takes."""

    def __init__(self, request, route):
        """Split the path of ``request`` by ``route``."""
        self.of_client, self.route = request, route
        self.service = route["service"]
        self.path = route["to_path"] + request.raw_path[len(route["path"]) :]
        self.token = request.headers.get("X-Auth-Token")

    @property
    def is_affected(self):
        """Whether faults apply: it asks for more than the list of versions."""
        return bool(self.token) or self.path.partition("?")[0] == _TOKENS


class Proxy:
    """What all ports have in common: the settings, and the connections to the services."""

    def __init__(self):
        """Prepare a proxy without settings."""
        self.settings = {}
        self.requests = 0
        self._accepted = collections.defaultdict(collections.deque)
        self._projects = {}
        self._client = aiohttp.ClientSession(
            auto_decompress=False,
            timeout=aiohttp.ClientTimeout(total=None),
            connector=aiohttp.TCPConnector(limit=0, force_close=True),
        )

    async def answer(self, request):
        """Count, delay and answer one request."""
        route = request.route
        if route["is_public"]:
            self.requests += 1
        await asyncio.sleep(route["latency"])
        if route["status"] is not None:
            return await self.fixed(request)
        if route["is_public"] and self.is_over_limit(request.service):
            return _error(429, "Too Many Requests", **{"Retry-After": "1"})
        mode = self.settings["faults"].get(request.service)
        fault = FAULTS.get(mode) if mode == "down" or request.is_affected else None
        return await (fault or Proxy.forward)(self, request)

    def is_over_limit(self, service):
        """Return whether a service has accepted all requests of this second; count one if not."""
        limit = self.settings["limits"].get(service)
        if limit is None:
            return False
        now, accepted = time.monotonic(), self._accepted[service]
        while accepted and now - accepted[0] >= 1:
            accepted.popleft()
        if len(accepted) >= limit:
            return True
        accepted.append(now)
        return False

    async def project(self, token):
        """Return the ID of the project of a token; None where there is none."""
        if token not in self._projects:
            if len(self._projects) >= MAX_TOKENS:
                self._projects.clear()
            keystone = next(r for r in self.settings["routes"] if r["service"] == "keystone")
            url = f"http://{HOST}:{keystone['to_port']}{_TOKENS}"
            headers = {"X-Auth-Token": token, "X-Subject-Token": token}
            async with self._client.get(url, headers=headers) as response:
                document = await response.json() if response.status == 200 else {}
            self._projects[token] = document.get("token", {}).get("project", {}).get("id")
        return self._projects[token]

    async def forward(self, request):
        """Forward a request and return the response, as clients are to see it."""
        path = request.path
        if request.service == "keystone":
            path = shaped_answers.with_role_names(path, self.settings["roles"])
        if "{project_id}" in path:
            project = await self.project(request.token) if request.token else None
            if not project:
                return _error(401, "Unauthorized")
            path = path.replace("{project_id}", project)
        of_client = request.of_client
        headers = [(k, v) for k, v in of_client.headers.items() if k.lower() not in _HOP_BY_HOP]
        async with self._client.request(
            of_client.method,
            yarl.URL(f"http://{HOST}:{request.route['to_port']}{path}", encoded=True),
            headers=headers,
            data=of_client.content if of_client.body_exists else None,
            allow_redirects=False,
            skip_auto_headers=("User-Agent", "Content-Type", "Accept", "Accept-Encoding"),
        ) as upstream:
            response = web.StreamResponse(status=upstream.status, reason=upstream.reason)
            for key, value in upstream.headers.items():
                if key.lower() not in _HOP_BY_HOP:
                    response.headers.add(key, self.with_links(request, value))
            body = None
            if self.is_shaped(request) and upstream.content_type in _JSON:
                body = await upstream.read()
                body = await self.shaped(request, body) if body else body
                response.content_length = len(body)
            await response.prepare(of_client)
            if body is not None:
                await response.write(body)
            async for chunk in upstream.content.iter_chunked(1 << 16):
                await response.write(chunk)
            await response.write_eof()
            return response

    def is_shaped(self, request):
        """Return whether the body of a response may have to be changed."""
        if request.of_client.method == "HEAD" or not request.route["is_public"]:
            return False
        is_identity = request.service == "keystone" and self.settings["catalog"] is not None
        return is_identity or request.route["links"] is not None

    async def shaped(self, request, body):
        """Return the body of a response as clients are to see it."""
        text = self.with_links(request, body.decode())
        if request.service != "keystone" or self.settings["catalog"] is None:
            return text.encode()
        document = json.loads(text)
        if "catalog" in document:
            project = await self.project(request.token)
        else:
            project = document.get("token", {}).get("project", {}).get("id")
        document = shaped_answers.with_catalog(document, self.settings["catalog"], project)
        document = shaped_answers.with_roles(document, self.settings["roles"])
        return json.dumps(document).encode()

    def with_links(self, request, text):
        """Return a text with the links of the route."""
        route = request.route
        if route["links"] is None:
            return text
        host = request.of_client.host
        return shaped_answers.with_links(text, host, route["to_path"], route["links"])

    async def fixed(self, request):
        """Answer with the response of the route."""
        route = request.route
        if route["status"] == 0:
            await asyncio.sleep(SECONDS_SILENT)
        return web.Response(
            status=route["status"] or 504, text=route["body"], content_type="application/json"
        )

    async def down(self, request):
        """Close the connection: the service shares a port with others, which stays open."""
        request.of_client.transport.abort()
        return web.Response()

    async def slow(self, request):
        """Forward a request after some seconds."""
        await asyncio.sleep(SECONDS_SLOW)
        return await self.forward(request)

    async def errors(self, request):
        """Answer with an error of the server."""
        return _error(500, "injected fault")

    async def wrong_body(self, request):
        """Answer with JSON that is not of the API."""
        return web.json_response({"unexpected": "injected fault"}, status=200)

    async def no_extensions(self, request):
        """List one extension that no client uses; forward all other requests."""
        path = request.path.partition("?")[0]
        if path.rstrip("/").removesuffix(".json").endswith("/extensions"):
            return web.json_response({"extensions": [_ONLY_EXTENSION]})
        if "/extensions/" in path:
            return _error(404, "no such extension")
        return await self.forward(request)


FAULTS = {
    "down": Proxy.down,
    "slow": Proxy.slow,
    "errors": Proxy.errors,
    "wrong-body": Proxy.wrong_body,
    "no-extensions": Proxy.no_extensions,
}


class Port:
    """A port at which the proxy listens, with the routes of its paths."""

    def __init__(self, proxy, host, number):
        """Prepare a port that is not open."""
        self.proxy, self.host, self.number = proxy, host, number
        self.routes = []
        self._runner = self._socket = self._tls = None

    async def set(self, routes, tls):
        """Lead requests by ``routes`` from now on; without any, refuse connections.

        :param tls: the file with certificate and key; None for HTTP without TLS
        """
        self.routes = sorted(routes, key=lambda route: len(route["path"]), reverse=True)
        if self._runner and (not routes or tls != self._tls):
            await self.close()
        if routes and not self._runner:
            await self._open(tls)
        elif not routes and not self._socket:
            # Bound without listening: connections are refused, and no other process takes the port.
            self._socket = socket.socket(socket.AF_INET6 if ":" in self.host else socket.AF_INET)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._socket.bind((self.host, self.number))

    async def _open(self, tls):
        await self.close()
        context = None
        if tls:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(tls)
        application = web.Application(client_max_size=1 << 40)
        application.router.add_route("*", "/{path:.*}", self._answer)
        self._tls, self._runner = (
            tls,
            web.AppRunner(application, access_log=None, shutdown_timeout=1),
        )
        await self._runner.setup()
        site = web.TCPSite(
            self._runner, self.host, self.number, reuse_address=True, ssl_context=context
        )
        await site.start()

    async def close(self):
        """Release the port."""
        if self._socket:
            self._socket.close()
        if self._runner:
            await self._runner.cleanup()
        self._socket = self._runner = None

    async def _answer(self, request):
        path = request.raw_path.partition("?")[0]
        for route in self.routes:
            if path == route["path"] or path.startswith(f"{route['path']}/"):
                return await self.proxy.answer(Request(request, route))
        return _error(404, "Not Found")


def _routes_by_port(settings):
    """Return the routes of each port; none for a port that refuses connections."""
    by_port = {}
    for route in settings["routes"]:
        by_port.setdefault((route["host"], route["port"]), []).append(route)
    for key, routes in by_port.items():
        if all(settings["faults"].get(route["service"]) == "down" for route in routes):
            by_port[key] = []
    return by_port | {(host, port): [] for host, port in settings["dead"]}


async def _apply(proxy, ports, settings):
    proxy.settings = settings
    by_port = _routes_by_port(settings)
    for key in [key for key in ports if key not in by_port]:
        await ports.pop(key).close()
    for key, routes in by_port.items():
        port = ports.setdefault(key, Port(proxy, *key))
        await port.set(routes, settings["tls"] if routes and routes[0]["is_tls"] else None)


async def main(path):
    """Run the proxies of the settings file ``path`` for ever."""
    proxy, ports, http = Proxy(), {}, None
    applied = reported = None
    while True:
        changed = os.stat(path).st_mtime_ns
        if changed != applied:
            applied = changed
            with open(path) as content:
                settings = json.load(content)
            await _apply(proxy, ports, settings)
            if http:
                http.close()
            http = (
                await http_proxy.serve(**settings["http_proxy"]) if settings["http_proxy"] else None
            )
            with open(f"{path}.applied", "w") as content:
                content.write(str(applied))
        if proxy.requests != reported:
            reported = proxy.requests
            with open(f"{path}.requests", "w") as content:
                content.write(str(reported))
        await asyncio.sleep(SECONDS_BETWEEN_POLLS)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
