"""Services of a cloud that respond with what a test chooses."""

import json
import zlib
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from keystoneauth1 import fixture

TYPES = ("compute", "image", "network", "block-storage", "object-store")
TOKENS = "/v3/auth/tokens"


@dataclass(frozen=True)
class Response:
    """What a service responds."""

    status: int
    body: bytes
    fields: dict[str, str] = field(default_factory=dict)


class Services(ThreadingHTTPServer):
    """All services of a cloud, one below each path of one server."""

    responses: tuple[Response, ...] = ()
    token: Response | None = None
    """None for a valid token."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.by_request: dict[str, list[Response]] = {}
        """Responses to a request such as ``GET /identity/v3/users``; the last one remains."""
        self.received: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def valid_token(self) -> Response:
        document = fixture.V3Token(user_name="alice", project_name="tests")
        document.add_role(name="admin")
        for kind in (*TYPES, "identity"):
            path = "identity/v3" if kind == "identity" else kind
            document.add_service(kind).add_standard_endpoints(
                public=f"{self.url}/{path}", region="one"
            )
        return Response(201, json.dumps(document).encode(), {"X-Subject-Token": "a-token"})

    @property
    def environment(self) -> dict[str, str]:
        """The variables of an openrc file for this cloud."""
        return {
            "OS_AUTH_URL": f"{self.url}/identity",
            "OS_USERNAME": "alice",
            "OS_PASSWORD": "not-secret",
            "OS_PROJECT_NAME": "tests",
            "OS_USER_DOMAIN_NAME": "Default",
            "OS_PROJECT_DOMAIN_NAME": "Default",
            "OS_IDENTITY_API_VERSION": "3",
        }

    def response_to(self, method: str, path: str) -> Response:
        self.received.append(f"{method} {path}")
        if chosen := self.by_request.get(f"{method} {path.partition('?')[0]}"):
            return chosen.pop(0) if len(chosen) > 1 else chosen[0]
        if path.endswith(TOKENS) and not self.token:
            return self.valid_token()
        if path == "/identity" and not self.token:
            versions = fixture.DiscoveryList(f"{self.url}/identity", v2=False)
            return Response(300, json.dumps(versions).encode())
        return self.responses[zlib.crc32(path.encode()) % len(self.responses)]


class Handler(BaseHTTPRequestHandler):
    server: Services

    def answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        response = self.server.response_to(self.command, self.path)
        self.send_response(response.status)
        for name, value in response.fields.items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(response.body)))
        self.end_headers()
        self.wfile.write(response.body)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = answer  # noqa: N815

    def log_message(self, *_: object) -> None:
        pass
