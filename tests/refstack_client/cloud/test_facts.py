"""The facts that a token states about a cloud."""

from keystoneauth1 import fixture
from keystoneauth1.access import AccessInfoV3
from openstack.config.cloud_region import CloudRegion

from refstack_client.cloud.connection import facts_of

URL = "http://keystone.example.org/v3"


def test_a_service_without_endpoint_in_the_region_is_left_out():
    token = fixture.V3Token(user_name="alice", project_name="tests")
    token.set_project_scope(name="tests")
    token.add_role("member")
    identity = token.add_service("identity", name="keystone", id="1a2b")
    identity.add_standard_endpoints(public=URL, region="RegionOne")
    other = token.add_service("object-store", name="swift")
    other.add_standard_endpoints(public="http://swift.example.org", region="RegionTwo")
    internal = token.add_service("image", name="glance")
    internal.add_standard_endpoints(internal="http://glance.example.org", region="RegionOne")
    config = CloudRegion("mycloud", "RegionOne", {"auth": {"auth_url": URL}})
    facts = facts_of(AccessInfoV3(token, "a-token"), config)
    assert facts.endpoints == {"identity": URL}
    assert (facts.name, facts.auth_url, facts.region) == ("mycloud", URL, "RegionOne")
    assert (facts.user, facts.project, facts.roles) == ("alice", "tests", ("member",))
    assert facts.identity_service == "1a2b"
