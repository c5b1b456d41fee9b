"""What stands before the services of a sandbox that is far away, or broken: front.py SETTINGS.

Reverse proxies in one process. SETTINGS is a JSON file: {"host": …, "doors": [{"service": NAME,
"port": …, "to": …, "public": bool, "latency": seconds}, …], "broken": {NAME: HOW}}. It is read
again when it changes; SETTINGS.applied holds the time of the change that holds now, in nanoseconds.
SETTINGS.asked holds how many requests have come to the doors that are public.
"""

import asyncio
import json
import os
import socket
import sys

import aiohttp
from aiohttp import web

SECONDS_BETWEEN_LOOKS = 0.1
SECONDS_SLOW = 5
_OF_ONE_HOP = {"connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade"}
_ONLY_EXTENSION = {
    "alias": "sandbox",
    "name": "sandbox",
    "description": "all that is left",
    "updated": "2026-01-01T00:00:00+00:00",
    "links": [],
}
_TOKENS = "/v3/auth/tokens"


def is_asked_to_work(request):
    """Return whether a request needs more of a service than its list of versions."""
    return "X-Auth-Token" in request.headers or request.path == _TOKENS


def _error(code, message):
    return {"error": {"code": code, "message": message}}


class Door:
    """Passes on what is asked at one port, and answers as its ``how`` says."""

    def __init__(self, host, port, to):
        self.host, self.port, self.to = host, port, to
        self.how = None
        self.latency = 0.0
        self.asked = 0
        self._runner = None
        self._client = None
        self._socket = None

    async def set(self, how, latency):
        self.how, self.latency = how, latency
        if how == "down":
            await self._close()
        elif not self._runner:
            await self._open()
        if how == "down" and not self._socket:
            self._hold()

    def _hold(self):
        # Bound and not listened on: whoever asks is refused, and nobody else takes the port.
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
        self.asked += 1
        await asyncio.sleep(self.latency)
        broken = BROKEN.get(self.how) if is_asked_to_work(request) else None
        return await (broken or Door.passed_on)(self, request)

    async def passed_on(self, request):
        kept = [(k, v) for k, v in request.headers.items() if k.lower() not in _OF_ONE_HOP]
        async with self._client.request(
            request.method,
            f"http://{self.host}:{self.to}{request.raw_path}",
            headers=kept,
            data=request.content if request.body_exists else None,
            allow_redirects=False,
            skip_auto_headers=("User-Agent", "Content-Type", "Accept", "Accept-Encoding"),
        ) as answered:
            response = web.StreamResponse(status=answered.status, reason=answered.reason)
            for key, value in answered.headers.items():
                if key.lower() not in _OF_ONE_HOP:
                    response.headers.add(key, value)
            await response.prepare(request)
            async for chunk in answered.content.iter_chunked(1 << 16):
                await response.write(chunk)
            await response.write_eof()
            return response

    async def slow(self, request):
        await asyncio.sleep(SECONDS_SLOW)
        return await self.passed_on(request)

    async def errors(self, request):
        return web.json_response(_error(500, "broken on purpose"), status=500)

    async def wrong_body(self, request):
        return web.json_response({"unexpected": "broken on purpose"}, status=200)

    async def no_extensions(self, request):
        if request.path.rstrip("/").removesuffix(".json").endswith("/extensions"):
            return web.json_response({"extensions": [_ONLY_EXTENSION]})
        if "/extensions/" in request.path:
            return web.json_response(_error(404, "no such extension"), status=404)
        return await self.passed_on(request)


BROKEN = {
    "slow": Door.slow,
    "errors": Door.errors,
    "wrong-body": Door.wrong_body,
    "no-extensions": Door.no_extensions,
}


async def main(path):
    doors = {}
    seen = told = None
    while True:
        changed = os.stat(path).st_mtime_ns
        if changed != seen:
            seen = changed
            with open(path) as content:
                settings = json.load(content)
            for each in settings["doors"]:
                port = each["port"]
                if port not in doors:
                    doors[port] = Door(settings["host"], port, each["to"])
                await doors[port].set(settings["broken"].get(each["service"]), each["latency"])
            with open(f"{path}.applied", "w") as content:
                content.write(str(seen))
        asked = sum(doors[each["port"]].asked for each in settings["doors"] if each["public"])
        if asked != told:
            told = asked
            with open(f"{path}.asked", "w") as content:
                content.write(str(asked))
        await asyncio.sleep(SECONDS_BETWEEN_LOOKS)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
