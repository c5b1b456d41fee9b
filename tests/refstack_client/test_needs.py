"""What tests ask of a cloud, as Tempest's own source says."""

from capabilities import catalogue, programme
from refstack_client import needs
from refstack_client.needs import VALIDATION, Need

PLATFORM = programme.find(catalogue.load("2020.06")[0], "platform")
ASKED = needs.of([test.name for test in PLATFORM.wanted_tests()])


def test_the_tests_that_log_in_to_a_guest_are_known():
    assert {name.rpartition(".")[2] for name in ASKED[Need(VALIDATION)]} == {
        "test_host_name_is_same_as_server_name",
        "test_verify_created_server_vcpus",
    }


def test_extensions_are_asked_for_by_classes_and_by_single_tests():
    assert len(ASKED[Need("network", "router")]) == 13
    assert [name.rpartition(".")[2] for name in ASKED[Need("network", "extraroute")]] == [
        "test_update_delete_extra_route"
    ]
    assert Need("object", "tempurl") in ASKED


def test_what_is_not_installed_asks_for_nothing():
    assert needs.of(["no_such_plugin.tests.test_it.It.test_it", "nonsense"]) == {}
