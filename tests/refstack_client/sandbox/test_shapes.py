"""The tables of shapes: each alone and combined, and what the proxy makes of them."""

import dataclasses
import itertools
import json
import string
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from refstack_client.errors import UsageError
from refstack_client.sandbox import client_view, fault_proxy, shapes, state
from refstack_client.sandbox.client_view import ClientView, Route
from refstack_client.sandbox.credentials import REGION, Access, clouds_yaml
from refstack_client.sandbox.deployment import Deployment
from refstack_client.sandbox.profiles import PROFILES
from refstack_client.sandbox.service_model import Profile
from refstack_client.sandbox.shape_model import DEAD_PORT, Mount, Shape
from refstack_client.sandbox.shapes import SHAPES

EXCLUSIVE = (("http-proxy", "ipv6"), ("no-region", "star-region"))
PAIRS = list(itertools.combinations(sorted(SHAPES), 2))
PLATFORM = PROFILES["platform"]
SERVICES = [service.name for service in PLATFORM.services]


def view(shape: Shape, profile: Profile = PLATFORM) -> ClientView:
    names = [model.name for model in profile.daemons]
    port = {
        name: number
        for number, name in enumerate((*names, *client_view.port_names(profile)), start=20000)
    }
    deployment = Deployment(
        python=Path("/python"),
        conf=Path("/conf"),
        data=Path("/data"),
        run=Path("/run"),
        user="user",
        group="group",
        port=port,
        secrets=state.new_secrets(),
        has_lockout=False,
        guests=False,
    )
    return ClientView(profile, deployment, shape)


def leads_to(url: str, routes: tuple[Route, ...]) -> str | None:
    """Return the service that a URL leads to, as the proxy chooses its route."""
    parts = urlsplit(url)
    found = [
        route
        for route in routes
        if route.port == parts.port
        and route.is_tls == (parts.scheme == "https")
        and f"{parts.path}/".startswith(f"{route.path}/")
    ]
    return max(found, key=lambda route: len(route.path)).service if found else None


def assert_well_formed(shape: Shape, profile: Profile) -> None:
    seen = view(shape, profile)
    routes = seen.routes(latency=0.5)
    assert json.loads(json.dumps(fault_proxy.settings(seen, latency=0.5)))
    places = [(route.host, route.port, route.path) for route in routes]
    assert len(places) == len(set(places))
    for route in routes:
        assert (route.to_port is None) != (route.status is None)
        assert route.path == "" or (route.path[0] == "/" and route.path[-1] != "/")
    dead = seen.deployment.port[DEAD_PORT]
    for service in profile.services:
        (entry,) = (item for item in seen.catalogue() if item.name == service.name)
        urls = {endpoint.url for endpoint in entry.endpoints}
        led = {leads_to(url, routes) for url in urls if urlsplit(url).port != dead}
        assert led == {service.name}
    assert leads_to(seen.auth_url, routes) == "keystone"
    for text in (*shape.environ.values(), *filter(None, shape.clouds.values())):
        assert not set("{}") & set(seen.deployment.fill(text))


@pytest.mark.parametrize("profile", PROFILES.values(), ids=list(PROFILES))
@pytest.mark.parametrize("name", SHAPES)
def test_each_shape_is_well_formed(name, profile):
    assert_well_formed(SHAPES[name], profile)


@pytest.mark.parametrize("pair", PAIRS, ids=" ".join)
def test_each_pair_is_well_formed_or_refused(pair):
    if pair in EXCLUSIVE:
        with pytest.raises(UsageError, match="cannot be combined: both change") as caught:
            shapes.find(pair, SERVICES)
        assert caught.value.hint
    else:
        assert_well_formed(shapes.find(pair, SERVICES), PLATFORM)


def keys(shape: Shape) -> dict[str, object]:
    """Return the tables of a shape, without the order of their entries."""
    return {
        table.name: value if isinstance(value, dict) else sorted(map(repr, value))
        for table in dataclasses.fields(shape)[1:]
        for value in [getattr(shape, table.name)]
    }


@given(st.permutations(list(SHAPES)), st.integers(1, len(SHAPES)))
def test_the_order_of_shapes_does_not_matter(names, count):
    results = []
    for order in (names[:count], names[count - 1 :: -1]):
        try:
            results.append(keys(shapes.find(order, SERVICES)))
        except UsageError:
            results.append({})
    assert results[0] == results[1]
    if results[0]:
        assert_well_formed(shapes.find(names[:count], SERVICES), PLATFORM)


def test_without_shapes_the_proxy_changes_nothing():
    assert shapes.find([], SERVICES) == Shape()
    assert fault_proxy.settings(view(Shape()), 0)["catalog"] is None
    assert {route.links for route in view(Shape()).routes(0)} == {None}


@pytest.mark.parametrize(
    ("names", "services", "message"),
    [
        (["devstck"], SERVICES, "there is no shape called devstck"),
        (["rgw"], ["keystone"], "the shape rgw changes nothing here: .* no service swift"),
    ],
)
def test_a_shape_that_the_sandbox_cannot_have_is_refused(names, services, message):
    with pytest.raises(UsageError, match=message) as caught:
        shapes.find(names, services)
    assert caught.value.hint


def test_all_shapes_have_a_summary_and_concern_services_that_exist():
    for shape in SHAPES.values():
        assert shape.summary
        assert {*shape.services, *shape.mounts, *shape.limits, *shape.region_of} <= set(SERVICES)


def endpoints(shape: Shape, service: str) -> Iterator[tuple[str, str | None, str]]:
    for entry in view(shape).catalogue():
        if entry.name == service:
            for endpoint in entry.endpoints:
                yield endpoint.interface, endpoint.region, endpoint.url


def port(shape: Shape, name: str) -> int:
    return view(shape).deployment.port[name]


def test_the_catalog_of_devstack():
    shape = SHAPES["devstack"]
    base = f"http://127.0.0.1:{port(shape, 'shared')}"
    expected = {
        "keystone": "/identity",
        "glance": "/image",
        "placement": "/placement",
        "neutron": "/networking",
        "cinder": "/volume/v3",
        "nova": "/compute/v2.1",
    }
    for service, path in expected.items():
        assert ("public", REGION, base + path) in endpoints(shape, service)
    # DevStack gives Swift a port of its own.
    swift = f"http://127.0.0.1:{port(shape, 'public-swift-proxy')}/v1/AUTH_%(project_id)s"
    assert ("public", REGION, swift) in endpoints(shape, "swift")
    assert view(shape).auth_url == f"{base}/identity"


def test_regions_and_interfaces_that_are_dead():
    both = shapes.find(["two-regions", "internal-only"], SERVICES)
    dead = port(both, DEAD_PORT)
    alive = {
        service: {
            (interface, region)
            for interface, region, url in endpoints(both, service)
            if urlsplit(url).port != dead
        }
        for service in ("keystone", "nova")
    }
    assert alive["nova"] == {("internal", "RegionTwo"), ("admin", "RegionTwo")}
    # Regions share one identity service.
    assert alive["keystone"] == alive["nova"] | {("internal", REGION), ("admin", REGION)}


def test_clouds_yaml_is_changed_for_both_clouds():
    shape = shapes.find(["no-project-scope", "internal-only", "two-regions"], SERVICES)
    access = Access("http://127.0.0.1/v3", state.new_secrets())
    clouds = yaml.safe_load(clouds_yaml(access, access.auth_url, ("a.b=c",), shape.clouds))
    for cloud in clouds["clouds"].values():
        assert cloud["interface"] == "internal"
        assert "region_name" not in cloud
        assert set(cloud["auth"]) == {"auth_url", "username", "password", "user_domain_name"}
        assert cloud["tempest"] == ["a.b=c"]


# Forms of public clouds and installers that have no shape. The tables can express them.
OTHERS = {
    # github.com/openshift/openshift-docs/issues/23098: TripleO with RADOS Gateway
    "tripleo": Shape(
        "region regionOne, object storage below /swift/v1 with an account",
        url={"scheme": "https"},
        regions=("regionOne",),
        mounts={
            "swift": Mount(
                "/swift/v1/AUTH_%(project_id)s", {"/swift/v1": "/v1", "/swift/info": "/info"}
            )
        },
        clouds={"region_name": "regionOne", "cacert": "{conf}/ca.pem"},
    ),
    # github.com/ContainX/openstack4j/issues/885: the project in URLs of Nova and Cinder
    "project-in-url": Shape(
        "URLs with the ID of the project",
        mounts={
            "nova": Mount("/v2.1/%(project_id)s", {"": ""}),
            "cinder": Mount("/v3/%(project_id)s", {"": ""}),
        },
    ),
    # github.com/ContainX/openstack4j/pull/755: the catalog has an API that does not exist any more
    "identity-v2": Shape(
        "the catalog lists the identity API v2.0, auth_url has v3",
        mounts={"keystone": Mount("/v2.0", {"": ""})},
        clouds={"auth.auth_url": "http://{host}:{port[public-keystone]}/v3"},
    ),
    # github.com/ovh/public-cloud-roadmap/issues/86
    "ovh": Shape(
        "object storage is in a region of its own",
        regions=("GRA7",),
        region_of={"swift": "GRA"},
        clouds={"region_name": "GRA7"},
    ),
    # github.com/gophercloud/gophercloud/issues/1307 and rclone/rclone/issues/2713
    "otc": Shape(
        "credentials for a domain, services of the vendor's own",
        foreign=tuple(
            dataclasses.replace(shapes.FOREIGN[-1], name=name, service_type=name)
            for name in ("vpc", "smn", "maasv1")
        ),
        clouds={
            "auth.domain_name": "Default",
            "auth.project_name": None,
            "auth.project_domain_name": None,
        },
    ),
    # github.com/dtantsur/rust-osauth/issues/9
    "one-domain-name": Shape(
        "clouds.yaml names the domain of the user alone",
        clouds={"auth.project_domain_name": None},
    ),
}


@pytest.mark.parametrize("name", OTHERS)
def test_the_tables_can_express_other_clouds(name):
    assert_well_formed(OTHERS[name], PLATFORM)


def test_templates_use_names_that_a_deployment_has():
    names = {
        field.split("[")[0]
        for shape in (*SHAPES.values(), *OTHERS.values())
        for text in (*shape.environ.values(), *filter(None, shape.clouds.values()))
        for _, field, _, _ in string.Formatter().parse(text)
        if field
    }
    assert names <= {"conf", "host", "port"}
