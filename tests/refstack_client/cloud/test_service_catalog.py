"""Endpoints are found in catalogs of every shape, and only what a test needs is looked at."""

from unittest.mock import Mock

import pytest
from hypothesis import given
from hypothesis import strategies as st
from keystoneauth1 import fixture
from keystoneauth1.access.access import AccessInfoV3
from openstack.config.cloud_region import CloudRegion

from refstack_client.cloud import service_catalog
from refstack_client.cloud.access import Access
from refstack_client.cloud.catalog_repair import leave_out_invalid
from refstack_client.cloud.connection import Cloud, facts_of, v3_url
from refstack_client.errors import CloudError


def endpoint(url: object, region: object = "one", interface: object = "public") -> dict:
    return {"id": "e", "url": url, "region": region, "region_id": region, "interface": interface}


def service(service_type: object, *endpoints: object) -> dict:
    return {"id": "s", "name": "n", "type": service_type, "endpoints": list(endpoints)}


SWIFT = service("object-store", endpoint("http://swift.example/v1/AUTH_1"))


def cloud(*catalog: object, region: str | None = "one", interface: str = "public") -> Cloud:
    """Return a cloud whose token has a catalog; nothing of it is requested."""
    document = fixture.V3Token(user_name="alice", project_name="tests")
    document["token"]["catalog"] = list(catalog)
    token = AccessInfoV3(document, "a-token")
    config = CloudRegion(
        name="mine",
        region_name=region,
        config={"interface": interface, "auth": {"auth_url": "http://keystone.example/v3"}},
    )
    connection = Mock(config=config)
    connection.session.auth.get_access.return_value = token
    invalid = leave_out_invalid(token)
    return Cloud(connection, Access(region, interface), facts_of(token, config), invalid)


def test_the_endpoint_of_the_region_and_interface_is_found():
    swift = service(
        "object-store",
        endpoint("http://two.example", "two"),
        endpoint("http://inside.example", "one", "internal"),
        endpoint("http://one.example", "one"),
    )
    found = service_catalog.endpoint(cloud(swift), "swift")
    assert (found.url, found.region, found.interface) == ("http://one.example", "one", "public")
    inside = service_catalog.endpoint(cloud(swift, interface="internal"), "swift")
    assert inside.url == "http://inside.example"


@pytest.mark.parametrize("region", ["*", None, ""])
def test_one_identity_service_for_all_regions_is_found(region):
    keystone = service("identity", endpoint("http://keystone.example", region))
    found = service_catalog.endpoint(cloud(keystone), "keystone")
    assert found.url == "http://keystone.example"


def test_a_service_is_found_by_an_alias_of_its_type():
    cinder = service("volumev3", endpoint("http://cinder.example/v3/1"))
    found = service_catalog.endpoint(cloud(cinder), "cinder")
    assert (found.service_type, found.listed_type) == ("block-storage", "volumev3")


def test_several_regions_and_none_chosen_are_listed():
    swift = service("object-store", endpoint("http://a", "two"), endpoint("http://b", "one"))
    with pytest.raises(CloudError, match="mine has several regions: one, two"):
        service_catalog.endpoint(cloud(swift, region=None), "swift")


def test_a_password_in_a_url_is_refused_and_not_shown():
    swift = service("object-store", endpoint("http://joe:canary@swift.example/v1"))
    found = cloud(swift)
    with pytest.raises(CloudError, match=r"no valid URL of Swift .*: 'http://swift") as error:
        service_catalog.endpoint(found, "swift")
    assert "canary" not in f"{error.value} {error.value.hint} {found.facts}"


def test_a_large_catalog_is_read_once():
    others = [service(f"t{number}", endpoint(f"http://{number}.example")) for number in range(5000)]
    assert len(cloud(*others).facts.endpoints) == 5000


def test_other_services_may_be_in_other_regions():
    other = service("dns", endpoint("http://dns.example", "two"))
    assert service_catalog.endpoint(cloud(other, SWIFT, region=None), "swift").region == "one"


@pytest.mark.parametrize(
    ("catalog", "message"),
    [
        ([], r"mine has no service Swift \(object-store\), which the programme requires"),
        ([service("object-store")], r"mine has no service Swift \(object-store\)"),
        (
            [service("object-store", endpoint("http://a", "two"))],
            "no public endpoint of .* in the region one, which .*; it has public in two",
        ),
        (
            [service("object-store", endpoint("http://a", "one", "internal"))],
            "it has internal in one",
        ),
        ([service("object-store", endpoint("http://[::1:80"))], r"no valid URL of .*: 'http://\["),
        ([service("object-store", endpoint(""))], "no valid URL of Swift"),
    ],
)
def test_a_missing_endpoint_is_reported_with_what_there_is(catalog, message):
    with pytest.raises(CloudError, match=message):
        service_catalog.endpoint(cloud(*catalog), "swift")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
TEXT = st.sampled_from(
    ("", "one", "public", "http://x", "http://[::1:1", "http://h:99999", "x://y", "$(ip)s", "*")
)
ENDPOINTS = st.builds(endpoint, TEXT | JSON, TEXT | JSON, TEXT | JSON) | JSON
SERVICES = (
    st.builds(lambda kind, found: service(kind, *found), TEXT | JSON, st.lists(ENDPOINTS)) | JSON
)


@given(others=st.lists(SERVICES, max_size=5), after=st.lists(SERVICES, max_size=3))
def test_no_other_service_in_the_catalog_hides_the_one_that_is_tested(others, after):
    found = service_catalog.endpoint(cloud(*others, SWIFT, *after), "swift")
    assert found.url == "http://swift.example/v1/AUTH_1"


@pytest.mark.parametrize(
    ("auth_url", "expected"),
    [
        ("http://k:5000", "http://k:5000/v3"),
        ("http://k:5000/", "http://k:5000/v3"),
        ("http://k/identity", "http://k/identity/v3"),
        ("http://k/identity/v3/", "http://k/identity/v3"),
        ("http://k:5000/v2.0", "http://k:5000/v3"),
    ],
)
def test_the_url_of_version_3_is_derived_from_that_of_the_credentials(auth_url, expected):
    assert v3_url(auth_url) == expected
