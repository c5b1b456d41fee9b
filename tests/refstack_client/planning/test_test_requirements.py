"""What tests require of a cloud, read from Tempest's source."""

from capabilities import catalogue, programme
from refstack_client.planning import plan, test_requirements
from refstack_client.planning.test_requirements import VALIDATION, Requirement

PLATFORM = programme.find(catalogue.load("2020.06")[0], "platform")
REQUIRED = test_requirements.of([test.name for test in PLATFORM.wanted_tests()])


def test_the_tests_that_log_in_to_a_guest_are_known():
    assert {name.rpartition(".")[2] for name in REQUIRED[Requirement(VALIDATION)]} == {
        "test_host_name_is_same_as_server_name",
        "test_verify_created_server_vcpus",
    }


def test_extensions_are_required_by_classes_and_by_single_tests():
    assert len(REQUIRED[Requirement("network", "router")]) == 13
    assert [name.rpartition(".")[2] for name in REQUIRED[Requirement("network", "extraroute")]] == [
        "test_update_delete_extra_route"
    ]
    assert Requirement("object", "tempurl") in REQUIRED


def test_a_module_that_is_not_installed_requires_nothing():
    assert test_requirements.of(["no_such_plugin.tests.test_it.It.test_it", "nonsense"]) == {}


def test_classes_that_hold_users_of_two_projects_are_known_by_their_bases_too():
    two = "tempest.api.object_storage.test_container_acl.ObjectTestACLs"
    inherited = "tempest.api.image.v2.test_images_member.ImagesMemberTest"
    one = "tempest.api.compute.servers.test_servers.ServersTestJSON"
    assert test_requirements.has_two_projects(two)
    assert test_requirements.has_two_projects(inherited)
    assert not test_requirements.has_two_projects(one)
    assert test_requirements.has_two_projects("tempest.api.no_such_module.C")


def test_a_programme_has_as_many_classes_with_two_projects_as_its_tests_may_be_in():
    def count(guideline, name):
        return plan.classes_with_two_projects(programme.find(catalogue.load(guideline)[0], name))

    # The access lists of Swift's containers; credentials of what is not installed are not known.
    assert (count("2020.06", "platform"), count("2020.06", "compute")) == (1, 0)
    assert count("dns.2020.06", "dns") == 3
