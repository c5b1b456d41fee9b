"""Processes that judge uploads and render verdicts, with limits of time and memory.

Such work takes time in proportion to what a client sent. In a thread it would keep all other
requests waiting, since one thread of a process runs at a time, and nothing could stop it.
"""

import asyncio
import gc
import hashlib
import os
import pickle
import resource
from collections.abc import Callable
from typing import TypeVar

import anyio
import cachetools
from anyio import to_process

from refstack_server.settings import Settings
from refstack_server.store.errors import InvalidError
from refstack_server.web.errors import BusyError

Value = TypeVar("Value")
_ALL = os.cpu_count() or 1
_LOW_PRIORITY = 10
"""As of nice(1)."""
_OBJECTS_BEFORE_COLLECTION = 50_000
"""By default, a third of the time of a page is the search for cycles among its objects."""


class Workers:
    """Runs functions in processes of their own; a function must be one of a module."""

    def __init__(self, settings: Settings):
        self._settings = settings
        self._free = anyio.CapacityLimiter(_ALL)
        self._processes = anyio.CapacityLimiter(_ALL)
        self._rendered: cachetools.LRUCache[str, bytes] = cachetools.LRUCache(
            settings.most_cached_bytes, getsizeof=len
        )
        self._rendering: dict[str, asyncio.Task[bytes]] = {}

    async def run(self, function: Callable[..., Value], *arguments: object) -> Value:
        """Return what a function returns for its arguments.

        :raises BusyError: too many others wait already
        :raises InvalidError: it takes more time or memory than a request may
        """
        limits = self._settings
        if self._free.statistics().tasks_waiting >= limits.most_waiting:
            raise BusyError("the server is busy; try again in a few seconds")
        async with self._free:
            try:
                with anyio.fail_after(limits.seconds_of_work):
                    return await to_process.run_sync(
                        _limited,
                        limits.bytes_of_work,
                        function,
                        *arguments,
                        cancellable=True,
                        limiter=self._processes,
                    )
            except (TimeoutError, MemoryError, anyio.BrokenWorkerProcess) as error:
                raise InvalidError(
                    "This takes more time or memory than a request may",
                    f"limits: {limits.seconds_of_work} seconds, {limits.bytes_of_work >> 20} MiB",
                ) from error

    async def render(self, function: Callable[..., bytes], *arguments: object) -> bytes:
        """As :meth:`run`; the same function with the same arguments runs once, also for several."""
        key = hashlib.sha256(pickle.dumps((function, arguments))).hexdigest()
        if key in self._rendered:
            return self._rendered[key]
        if key not in self._rendering:
            task = asyncio.create_task(self.run(function, *arguments))
            self._rendering[key] = task
            task.add_done_callback(lambda _: self._rendering.pop(key))
        # A client that goes away does not stop the work that others wait for.
        content = await asyncio.shield(self._rendering[key])
        if len(content) <= self._rendered.maxsize // 4:
            self._rendered[key] = content
        return content


def _limited(size: int, function: Callable[..., Value], *arguments: object) -> Value:
    """Run a function in a worker: within a size, and after the process that answers requests."""
    _, most = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (size, most))
    gc.set_threshold(_OBJECTS_BEFORE_COLLECTION)
    if os.getpriority(os.PRIO_PROCESS, 0) < _LOW_PRIORITY:
        os.setpriority(os.PRIO_PROCESS, 0, _LOW_PRIORITY)
    return function(*arguments)
