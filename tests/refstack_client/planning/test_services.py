"""The services that a programme tests."""

import pytest

from capabilities import catalogue, flat_list, programme
from refstack_client.planning import services


def projects_of(text: str) -> set[str]:
    guideline, _ = flat_list.parse(text, "own", "own.txt")
    return set(services.tests_by_project(programme.find(guideline, "own")))


@pytest.mark.parametrize(
    ("guideline", "name", "projects"),
    [
        ("2020.06", "storage", "swift"),
        ("2020.06", "compute", "cinder glance neutron nova"),
        ("2020.06", "platform", "cinder glance neutron nova swift"),
        ("2022.11", "platform", "cinder glance neutron nova swift"),
        ("scs-0128", "scs-0128", "cinder glance neutron nova"),
        ("dns.2020.06", "dns", "cinder designate glance neutron nova"),
    ],
)
def test_a_programme_tests_the_services_of_its_capabilities_and_of_its_tests(
    guideline, name, projects
):
    wanted = catalogue.with_bases(programme.find(catalogue.load(guideline)[0], name))
    assert sorted(services.tests_by_project(wanted)) == projects.split()


def test_nothing_but_what_the_tests_of_a_list_need_is_tested():
    tokens = "tempest.api.identity.v3.test_tokens.TokensV3Test.test_create_token\n"
    acl = "tempest.api.object_storage.test_container_acl.ObjectTestACLs.test_read_object\n"
    assert projects_of(tokens) == set()
    assert projects_of(tokens + acl) == {"swift"}
    assert projects_of("heat_tempest_plugin.tests.test_it.It.test_it\n") == {"heat"}


def test_a_server_needs_an_image_and_a_network_to_boot():
    keypairs = "tempest.api.compute.keypairs.test_keypairs.KeyPairsV2TestJSON.test_keypair_create\n"
    assert projects_of(keypairs) == {"nova", "glance", "neutron"}
