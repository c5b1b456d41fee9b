"""A real Keystone and Swift in the shapes of other clouds, as clients see them."""

import json
import uuid
from collections.abc import Callable, Iterator, Mapping

import openstack
import pytest
import requests
from keystoneauth1.exceptions import ConnectFailure, ConnectTimeout
from support.certifying import CLIENT, SANDBOX_ROOT, run

from refstack_client.sandbox import fault_proxy, lifecycle, state
from refstack_client.sandbox.faults import Faults
from refstack_client.sandbox.shapes import FOREIGN

pytestmark = pytest.mark.cloud
Connect = Callable[..., openstack.connection.Connection]


@pytest.fixture(scope="module")
def shaped_sandbox() -> Iterator[state.Sandbox]:
    sandbox = state.find(SANDBOX_ROOT, f"test-{uuid.uuid4().hex[:8]}", "storage")
    try:
        yield sandbox
    finally:
        lifecycle.wipe(sandbox)


@pytest.fixture
def connect(shaped_sandbox: state.Sandbox, monkeypatch: pytest.MonkeyPatch) -> Connect:
    """A function that gives the sandbox shapes, and connects to one of its clouds."""

    def connect(
        *names: str, cloud: str = "sandbox-tenant", faults: Faults | None = None, **options: str
    ) -> openstack.connection.Connection:
        for name, value in lifecycle.up(
            shaped_sandbox, None, lambda line: None, faults, shape_names=names
        ).items():
            monkeypatch.setenv(name, value)
        return openstack.connect(cloud=cloud, **options)

    return connect


def store_and_read(connection: openstack.connection.Connection) -> bytes:
    """Store an object whose name and content a careless proxy would change."""
    store = connection.object_store
    store.create_container("box")
    name, content = "a/thing é.json", json.dumps({"url": connection.session.auth.auth_url})
    store.upload_object(container="box", name=name, data=content, content_type="application/json")
    read = store.download_object(name, container="box")
    assert [item.name for item in store.objects("box")] == [name]
    store.delete_object(name, container="box")
    store.delete_container("box")
    assert read == content.encode()
    return read


def catalogue(connection: openstack.connection.Connection) -> list[Mapping[str, object]]:
    """Return the catalog of the token, which has to be the one that Keystone lists."""
    base = connection.session.auth.auth_url.removesuffix("/v3")
    listed = connection.session.get(f"{base}/v3/auth/catalog").json()["catalog"]
    token = connection.session.auth.get_access(connection.session)
    shown = connection.session.get(
        f"{base}/v3/auth/tokens", headers={"X-Subject-Token": token.auth_token}
    ).json()["token"]["catalog"]
    assert token.service_catalog.catalog == listed == shown
    return listed


def public_url(connection: openstack.connection.Connection, service_type: str) -> str:
    (service,) = (item for item in catalogue(connection) if item["type"] == service_type)
    return next(item["url"] for item in service["endpoints"] if item["interface"] == "public")


def hrefs(document: object) -> Iterator[str]:
    if isinstance(document, dict):
        for key, value in document.items():
            yield from [value] if key == "href" else hrefs(value)
    elif isinstance(document, list):
        for item in document:
            yield from hrefs(item)


def test_one_port_behind_a_private_ca_with_foreign_services(connect):
    connection = connect("devstack", "private-ca", "foreign-services")
    auth_url = connection.session.auth.auth_url
    assert (auth_url.startswith("https://"), auth_url.endswith("/identity")) == (True, True)
    assert public_url(connection, "identity") == auth_url
    for path in ("", "/v3", "/v3/projects"):
        links = list(hrefs(connection.session.get(auth_url + path, raise_exc=False).json()))
        assert all(link.startswith(f"{auth_url}/v3") for link in links)
        assert links or path == "/v3/projects"
    store_and_read(connection)
    assert len(catalogue(connection)) == 2 + len(FOREIGN)
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(auth_url, timeout=10)
    octavia = public_url(connection, "load-balancer")
    assert next(hrefs(connection.session.get(octavia).json())) == f"{octavia}/v2"
    codes = {
        kind: connection.session.get(public_url(connection, kind), raise_exc=False).status_code
        for kind in ("share", "key-manager", "orchestration")
    }
    assert codes == {"share": 401, "key-manager": 404, "orchestration": 500}
    assert connection.session.get(f"{octavia}/v2/lbaas", raise_exc=False).status_code == 403
    for kind, error in (("container-infra", ConnectFailure), ("instance-ha", ConnectTimeout)):
        with pytest.raises(error):
            connection.session.get(public_url(connection, kind), timeout=1, connect_retries=0)


def test_names_that_only_the_http_proxy_resolves(connect, monkeypatch):
    for names in (("http-proxy",), ("http-proxy", "private-ca", "devstack")):
        connection = connect(*names)
        assert "//cloud.invalid:" in connection.session.auth.auth_url
        store_and_read(connection)
    url = connection.session.auth.auth_url
    monkeypatch.delenv("https_proxy")
    with pytest.raises(requests.ConnectionError, match=r"Name or service|resolve"):
        requests.get(url, timeout=10)


def test_the_http_proxy_refuses_other_hosts(connect, shaped_sandbox):
    connect("http-proxy")
    proxy = f"http://127.0.0.1:{state.ports(shaped_sandbox)['http-proxy']}"
    direct = f"http://127.0.0.1:{state.ports(shaped_sandbox)['keystone']}/v3"
    session = requests.Session()
    session.trust_env = False
    assert session.get(direct, proxies={"http": proxy}, timeout=10).status_code == 502


def test_only_the_internal_endpoints_of_the_second_region_work(connect):
    connection = connect("internal-only", "two-regions", region_name="RegionTwo")
    store_and_read(connection)
    with pytest.raises(ConnectFailure):
        connection.session.get(public_url(connection, "object-store"))
    first = connect("two-regions", region_name="RegionOne")
    assert first.identity.get("").ok
    with pytest.raises(ConnectFailure):
        store_and_read(first)


def test_object_storage_as_ceph_has_it(connect):
    connection = connect("rgw")
    url = public_url(connection, "object-store")
    assert url.endswith("/swift/v1")
    store_and_read(connection)
    base = url.removesuffix("/swift/v1")
    codes = [requests.get(base + path, timeout=10).status_code for path in ("/info", "/swift/info")]
    assert codes == [404, 200]
    assert requests.get(f"{url}/box", timeout=10).status_code == 401


def test_ipv6(connect):
    connection = connect("ipv6")
    assert connection.session.auth.auth_url.startswith("http://[::1]:")
    store_and_read(connection)


def test_roles_of_an_old_cloud(connect):
    connection = connect("old-roles")
    assert connection.session.auth.get_access(connection.session).role_names == ["_member_"]
    store_and_read(connection)
    identity = connect("old-roles", cloud="sandbox").identity
    names = {role.name for role in identity.roles()}
    assert names & {"_member_", "member", "reader"} == {"_member_"}
    assert identity.find_role("_member_").name == "_member_"
    project = identity.create_project(name="old")
    try:
        user = identity.find_user("sandbox-tenant")
        identity.assign_project_role_to_user(project, user, identity.find_role("_member_"))
        (assigned,) = identity.role_assignments(scope_project_id=project.id, include_names=True)
        assert assigned.role["name"] == "_member_"
    finally:
        identity.delete_project(project)


def test_a_keystone_that_limits_requests(connect):
    connection = connect("rate-limited")
    url = connection.session.auth.auth_url
    responses = [requests.get(url, timeout=10) for _ in range(40)]
    limited = [response for response in responses if response.status_code == 429]
    assert limited
    assert {response.headers["Retry-After"] for response in limited} == {"1"}


@pytest.mark.parametrize(("name", "region"), [("star-region", "*"), ("no-region", None)])
def test_the_region_of_the_identity_service(connect, name, region):
    connection = connect(name)
    regions = {
        item["type"]: {endpoint["region_id"] for endpoint in item["endpoints"]}
        for item in catalogue(connection)
    }
    assert regions == {"identity": {region}, "object-store": {"RegionOne"}}


def test_credentials_without_a_project(connect):
    admin = connect("no-project-scope", cloud="sandbox")
    token = admin.session.auth.get_access(admin.session)
    assert (token.project_scoped, token.domain_scoped, token.has_service_catalog()) == (
        (False,) * 3
    )
    # Keystone gives a user with a default project a token for that.
    tenant = connect("no-project-scope")
    assert tenant.session.auth.get_access(tenant.session).project_name == "sandbox-tenant"


def test_shapes_and_faults_combine_and_end(connect, shaped_sandbox):
    connection = connect("devstack", faults=Faults(modes={"keystone": "errors"}))
    url = f"{connection.session.auth.auth_url}/v3/auth/tokens"
    assert requests.post(url, json={}, timeout=10).status_code == 500
    fault_proxy.inject(shaped_sandbox, Faults())
    assert requests.post(url, json={}, timeout=10).status_code == 400
    place = ("--root", str(shaped_sandbox.root), "--name", shaped_sandbox.name)
    assert "shape: devstack" in run(CLIENT, "sandbox", "status", *place).stderr
    plain = connect()
    assert plain.session.auth.auth_url.endswith("/v3")
    assert len(catalogue(plain)) == 2
    store_and_read(plain)
    assert "shape" not in run(CLIENT, "sandbox", "status", *place).stderr
