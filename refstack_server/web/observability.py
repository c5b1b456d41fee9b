"""Health check, metrics, and a log with one line of JSON for each request.

No line contains a header, a query or a body, since they may contain tokens and names.
"""

import json
import logging
import sys
import time
from datetime import UTC, datetime
from http import HTTPMethod, HTTPStatus

import prometheus_client
import sqlalchemy as sa
from fastapi import APIRouter, Response

from refstack_server.store import disk_space
from refstack_server.store.schema import new_id
from refstack_server.web.dependencies import Config, ReadSession
from refstack_server.web.errors import REQUEST_ID
from refstack_server.web.middleware import App, Message, Receive, Scope, Send

router = APIRouter(tags=["operation"])
LOG = logging.getLogger("refstack_server.requests")
_METHODS = frozenset(HTTPMethod)
_REQUESTS = prometheus_client.Histogram(
    "refstack_request_seconds",
    "Duration of requests in seconds.",
    ("method", "route", "status"),
)
_FREE = prometheus_client.Gauge(
    "refstack_disk_free_bytes", "Free space on the disk of the data directory."
)
_RESERVE = prometheus_client.Gauge(
    "refstack_disk_reserve_bytes", "Free space below which uploads are refused."
)
_NO_FILES = ("accept() out of system resource", "_start_serving(")
"""What asyncio logs with a traceback, up to thousands of times in a second: that it cannot accept a
connection, and, in a stop, that it cannot try again."""
_SECONDS_BETWEEN = 60


@router.get("/health")
def health(session: ReadSession, settings: Config) -> dict[str, str]:
    """Report that the server and its database answer, and whether the disk is nearly full.

    The code stays 200 on such a disk: a proxy that checks the health would stop the reading.
    """
    session.execute(sa.select(1))
    return {"status": "disk is nearly full" if disk_space.is_low(settings) else "ok"}


@router.get("/metrics", response_class=Response)
def metrics(settings: Config) -> Response:
    """Return metrics in the Prometheus text format."""
    _FREE.set(disk_space.free_bytes(settings))
    _RESERVE.set(settings.reserve_bytes)
    return Response(
        prometheus_client.generate_latest(), media_type=prometheus_client.CONTENT_TYPE_LATEST
    )


class RequestLog:
    """Counts and logs each request under its route, never under its path."""

    def __init__(self, app: App):
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = scope.setdefault("state", {})[REQUEST_ID] = new_id()
        status, began = int(HTTPStatus.INTERNAL_SERVER_ERROR), time.monotonic()

        async def send_noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, send_noted)
        finally:
            seconds = time.monotonic() - began
            route = _route(scope)
            # A client can invent any number of methods, and each label takes memory for ever.
            method = scope["method"] if scope["method"] in _METHODS else "other"
            _REQUESTS.labels(method, route, status).observe(seconds)
            client = scope.get("client") or ("",)
            fields = {
                "id": request_id,
                "method": scope["method"],
                "route": route,
                "status": status,
                "seconds": round(seconds, 4),
                "client": client[0],
            }
            LOG.info("request", extra={"fields": fields})


def _route(scope: Scope) -> str:
    """Return the path with parameters for values: ``/v1/results/{result_id}``."""
    if "endpoint" not in scope:
        return "none"
    path = scope["path"]
    for name, value in scope.get("path_params", {}).items():
        path = path.replace(f"/{value}", f"/{{{name}}}", 1)
    return path


class _JsonFormatter(logging.Formatter):
    """Formats a record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "what": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


class _NoFilesFilter(logging.Filter):
    """Lets one line a minute pass while the process cannot open more files."""

    _next = 0.0

    def filter(self, record: logging.LogRecord) -> bool:
        if not any(text in record.getMessage() for text in _NO_FILES):
            return True
        now, due = time.monotonic(), self._next
        if now < due:
            return False
        self._next = now + _SECONDS_BETWEEN
        record.msg, record.exc_info = "cannot accept connections: too many open files", None
        return True


def set_up_logging() -> None:
    """Send all log records of the server to stderr as lines of JSON."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JsonFormatter())
    handler.addFilter(_NoFilesFilter())
    logging.basicConfig(handlers=[handler], level=logging.INFO, force=True)
