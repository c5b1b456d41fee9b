"""The fault proxy of a sandbox: fault_proxy.py SETTINGS.

Reverse proxies in one process. SETTINGS is a JSON file: {"host": …, "routes": [{"service": NAME,
"port": …, "to": …, "public": bool, "latency": seconds}, …], "faults": {NAME: MODE}}. It is read
again when it changes. SETTINGS.applied holds the modification time of the version in use, in
nanoseconds. SETTINGS.requests holds how many requests the public ports have received.
"""

import asyncio
import json
import os
import socket
import sys

import aiohttp
from aiohttp import web

SECONDS_BETWEEN_POLLS = 0.1
SECONDS_SLOW = 5
_HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade"}
_ONLY_EXTENSION = {
    "alias": "sandbox",
    "name": "sandbox",
    "description": "the only extension that is listed",
    "updated": "2026-01-01T00:00:00+00:00",
    "links": [],
}
_TOKENS = "/v3/auth/tokens"


def is_affected(request):
    """Return whether faults apply to a request: it asks for more than the list of versions."""
    return "X-Auth-Token" in request.headers or request.path == _TOKENS


def _error(code, message):
    return {"error": {"code": code, "message": message}}


class Proxy:
    """Forwards the requests to one port, with the latency and the fault mode that it is set to."""

    def __init__(self, host, port):
        """Prepare a proxy that does not listen before :meth:`set`."""
        self.host, self.port = host, port
        self.to = None
        self.mode = None
        self.latency = 0.0
        self.requests = 0
        self._runner = None
        self._client = None
        self._socket = None

    async def set(self, to, mode, latency):
        """Use another target port, fault mode (None for no fault) and latency from now on."""
        self.to, self.mode, self.latency = to, mode, latency
        if mode == "down":
            await self._close()
        elif not self._runner:
            await self._open()
        if mode == "down" and not self._socket:
            self._reserve()

    def _reserve(self):
        # Bound without listening: connections are refused, and no other process takes the port.
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind((self.host, self.port))

    async def _open(self):
        if self._socket:
            self._socket.close()
            self._socket = None
        self._client = aiohttp.ClientSession(
            auto_decompress=False,
            timeout=aiohttp.ClientTimeout(total=None),
            connector=aiohttp.TCPConnector(limit=0, force_close=True),
        )
        application = web.Application(client_max_size=1 << 40)
        application.router.add_route("*", "/{path:.*}", self.answer)
        self._runner = web.AppRunner(application, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, self.host, self.port, reuse_address=True).start()

    async def _close(self):
        if self._runner:
            await self._runner.cleanup()
            await self._client.close()
            self._runner = None

    async def answer(self, request):
        """Count, delay and answer one request."""
        self.requests += 1
        await asyncio.sleep(self.latency)
        fault = FAULTS.get(self.mode) if is_affected(request) else None
        return await (fault or Proxy.forward)(self, request)

    async def forward(self, request):
        """Forward a request and stream the response back."""
        headers = [(k, v) for k, v in request.headers.items() if k.lower() not in _HOP_BY_HOP]
        async with self._client.request(
            request.method,
            f"http://{self.host}:{self.to}{request.raw_path}",
            headers=headers,
            data=request.content if request.body_exists else None,
            allow_redirects=False,
            skip_auto_headers=("User-Agent", "Content-Type", "Accept", "Accept-Encoding"),
        ) as upstream:
            response = web.StreamResponse(status=upstream.status, reason=upstream.reason)
            for key, value in upstream.headers.items():
                if key.lower() not in _HOP_BY_HOP:
                    response.headers.add(key, value)
            await response.prepare(request)
            async for chunk in upstream.content.iter_chunked(1 << 16):
                await response.write(chunk)
            await response.write_eof()
            return response

    async def slow(self, request):
        """Forward a request after some seconds."""
        await asyncio.sleep(SECONDS_SLOW)
        return await self.forward(request)

    async def errors(self, request):
        """Answer with an error of the server."""
        return web.json_response(_error(500, "injected fault"), status=500)

    async def wrong_body(self, request):
        """Answer with JSON that is not of the API."""
        return web.json_response({"unexpected": "injected fault"}, status=200)

    async def no_extensions(self, request):
        """List one extension that no client uses; forward all other requests."""
        if request.path.rstrip("/").removesuffix(".json").endswith("/extensions"):
            return web.json_response({"extensions": [_ONLY_EXTENSION]})
        if "/extensions/" in request.path:
            return web.json_response(_error(404, "no such extension"), status=404)
        return await self.forward(request)


FAULTS = {
    "slow": Proxy.slow,
    "errors": Proxy.errors,
    "wrong-body": Proxy.wrong_body,
    "no-extensions": Proxy.no_extensions,
}


async def main(path):
    """Run the proxies of the settings file ``path`` for ever."""
    proxies = {}
    applied = reported = None
    while True:
        changed = os.stat(path).st_mtime_ns
        if changed != applied:
            applied = changed
            with open(path) as content:
                settings = json.load(content)
            for route in settings["routes"]:
                port = route["port"]
                if port not in proxies:
                    proxies[port] = Proxy(settings["host"], port)
                mode = settings["faults"].get(route["service"])
                await proxies[port].set(route["to"], mode, route["latency"])
            with open(f"{path}.applied", "w") as content:
                content.write(str(applied))
        public = (proxies[route["port"]] for route in settings["routes"] if route["public"])
        requests = sum(proxy.requests for proxy in public)
        if requests != reported:
            reported = requests
            with open(f"{path}.requests", "w") as content:
                content.write(str(requests))
        await asyncio.sleep(SECONDS_BETWEEN_POLLS)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
