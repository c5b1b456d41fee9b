"""Whatever a cloud responds, ``cloud check`` and ``plan`` report it: nothing is a bug."""

import contextlib
import json
import threading
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from rich.console import Console
from support.any_services import Response, Services
from support.making import request

from capabilities import catalogue, programme
from refstack_client.cloud import http_session
from refstack_client.cloud.selection import CloudSelection
from refstack_client.errors import ClientError
from refstack_client.running import certify, preflight
from refstack_client.running.check_result import Level


@pytest.fixture(scope="module")
def services() -> Iterator[Services]:
    with Services() as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture(autouse=True)
def _environ(monkeypatch: pytest.MonkeyPatch, services: Services, tmp_path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(http_session, "SECONDS_IF_INVALID", 0.001)
    for name, value in services.environment.items():
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
