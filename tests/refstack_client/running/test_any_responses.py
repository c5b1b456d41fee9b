"""Whatever a cloud responds, ``cloud check`` and ``plan`` report it: nothing is a bug."""

import contextlib
import json
import threading
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from keystoneauth1 import fixture
from rich.console import Console
from support.making import request

from capabilities import catalogue, programme
from refstack_client.cloud.selection import CloudSelection
from refstack_client.errors import ClientError
from refstack_client.running import certify, preflight
from refstack_client.running.check_result import Level

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

    def response_to(self, path: str) -> Response:
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
        response = self.server.response_to(self.path)
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


@pytest.fixture(scope="module")
def services() -> Iterator[Services]:
    with Services() as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture(autouse=True)
def _environ(monkeypatch: pytest.MonkeyPatch, services: Services, tmp_path) -> None:
    monkeypatch.chdir(tmp_path)
    for name, value in {
        "OS_AUTH_URL": f"{services.url}/identity",
        "OS_USERNAME": "alice",
        "OS_PASSWORD": "not-secret",
        "OS_PROJECT_NAME": "tests",
        "OS_USER_DOMAIN_NAME": "Default",
        "OS_PROJECT_DOMAIN_NAME": "Default",
        "OS_IDENTITY_API_VERSION": "3",
    }.items():
        monkeypatch.setenv(name, value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)


def mostly(usual: object) -> st.SearchStrategy[object]:
    """Return the usual value most of the time, else any."""
    return st.one_of(st.just(usual), st.just(usual), st.just(usual), JSON)


VERSIONS = st.fixed_dictionaries(
    {"id": mostly("v3.14") | st.sampled_from(["v2.0", "v2.1", "v4", "v", "3", "v3.x"])},
    optional={
        "status": mostly("CURRENT") | st.sampled_from(["SUPPORTED", "EXPERIMENTAL", "stable"]),
        "version": mostly("2.90"),
        "max_version": mostly("3.71"),
        "min_version": mostly("2.1"),
        "links": mostly([{"rel": "self", "href": "http://127.0.0.1:1/v3"}])
        | st.lists(st.fixed_dictionaries({"rel": mostly("self"), "href": mostly("/v2.0")})),
        "updated": JSON,
    },
)
DOCUMENTS = st.one_of(
    st.builds(lambda found: {"versions": found}, mostly([]) | st.lists(VERSIONS, max_size=3)),
    st.builds(lambda found: {"versions": {"values": found}}, st.lists(VERSIONS, max_size=2)),
    st.builds(lambda found: {"version": found}, VERSIONS | JSON),
    st.builds(
        lambda found: {"extensions": found},
        st.lists(st.fixed_dictionaries({"alias": mostly("router")}) | JSON, max_size=3) | JSON,
    ),
    st.builds(
        dict.fromkeys,
        st.lists(
            st.sampled_from(["images", "flavors", "networks", "roles", "domain", "quota_set"])
            | st.sampled_from(["projects", "users", "swift", "resources", "error", "quota"]),
            min_size=1,
        ),
        st.lists(st.dictionaries(st.sampled_from(["id", "name", "status"]), JSON), max_size=2)
        | JSON,
    ),
    JSON,
)
RESPONSES = st.builds(
    Response,
    st.sampled_from([200, 200, 200, 300, 400, 401, 403, 404, 409, 410, 413, 429, 500, 502, 503]),
    DOCUMENTS.map(lambda document: json.dumps(document).encode()) | st.binary(max_size=30),
    st.sampled_from([{}, {}, {"Location": "/elsewhere"}, {"Retry-After": "soon"}, {"Date": "now"}]),
)


@pytest.mark.parametrize("name", ["storage", "platform"])
@settings(
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    max_examples=60,
    derandomize=True,
)
@given(
    responses=st.lists(RESPONSES, min_size=1, max_size=6),
    token=st.none() | st.none() | st.none() | RESPONSES,
)
# keystoneauth waited for itself, without end.
@example(responses=[Response(401, b"")], token=Response(401, b""))
def test_no_response_is_a_bug(services: Services, name: str, responses, token):
    services.responses, services.token = tuple(responses), token
    wanted = request(programme.find(catalogue.load("2020.06")[0], name), cloud=CloudSelection(None))
    found = list(preflight.check(wanted, Console(quiet=True)))
    assert found[0].name == "sign in"
    assert all(check.remedy for check in found if check.level is Level.PROBLEM)
    with contextlib.suppress(ClientError):
        certify.preview(wanted)


def test_the_versions_of_keystone_need_not_be_readable(services: Services, monkeypatch):
    monkeypatch.setenv("OS_AUTH_URL", f"{services.url}/v3")
    services.responses, services.token = (Response(401, b""),), None
    first = next(preflight.check(request(cloud=CloudSelection(None)), Console(quiet=True)))
    assert (first.name, first.level) == ("sign in", Level.OK), first.found
