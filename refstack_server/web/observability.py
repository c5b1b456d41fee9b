"""What the operator sees of a server: health, metrics, a line of JSON for each request.

No line holds a header, a query or a body, where tokens and names may stand.
"""

import json
import logging
import sys
import time
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

import prometheus_client
import sqlalchemy as sa
from fastapi import APIRouter, Response

from refstack_server.web.dependencies import Reading
from refstack_server.web.middleware import App, Message, Receive, Scope, Send

router = APIRouter(tags=["operation"])
LOG = logging.getLogger("refstack_server.requests")
_REQUESTS = prometheus_client.Histogram(
    "refstack_request_seconds",
    "How long requests took.",
    ("method", "route", "status"),
)


@router.get("/health")
def health(session: Reading) -> dict[str, str]:
    """Say that the server answers, its database included."""
    session.execute(sa.select(1))
    return {"status": "ok"}


@router.get("/metrics", response_class=Response)
def metrics() -> Response:
    """Return metrics as Prometheus reads them."""
    return Response(
        prometheus_client.generate_latest(), media_type=prometheus_client.CONTENT_TYPE_LATEST
    )


class Watched:
    """Counts and logs each request by its route, never by its path alone."""

    def __init__(self, app: App):
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status, began = int(HTTPStatus.INTERNAL_SERVER_ERROR), time.monotonic()

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, watched)
        finally:
            took = time.monotonic() - began
            route = _route(scope)
            _REQUESTS.labels(scope["method"], route, status).observe(took)
            client = scope.get("client") or ("",)
            LOG.info(
                "request",
                extra={
                    "told": {
                        "method": scope["method"],
                        "route": route,
                        "status": status,
                        "seconds": round(took, 4),
                        "client": client[0],
                    }
                },
            )


def _route(scope: Scope) -> str:
    """Return the path without what it names: ``/v1/results/{result_id}``."""
    if "endpoint" not in scope:
        return "none"
    path = scope["path"]
    for name, value in scope.get("path_params", {}).items():
        path = path.replace(f"/{value}", f"/{{{name}}}", 1)
    return path


class _Json(logging.Formatter):
    """A line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "what": record.getMessage(),
            **getattr(record, "told", {}),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def set_up_logging() -> None:
    """Have everything the server says go to stderr as lines of JSON."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Json())
    logging.basicConfig(handlers=[handler], level=logging.INFO, force=True)
