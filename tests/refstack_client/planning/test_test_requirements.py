"""What tests require of a cloud, read from Tempest's source."""

import ast
import collections

import pytest

from capabilities import catalogue, programme
from capabilities.guideline import Test
from refstack_client.planning import test_requirements
from refstack_client.planning.test_requirements import GUESTS, SERVICE, Requirement
from refstack_client.planning.test_source import ClassSource

PLATFORM = programme.find(catalogue.load("2020.06")[0], "platform")
NEWEST = programme.find(catalogue.load("2022.11")[0], "platform")
REQUIRED = test_requirements.of(PLATFORM.wanted_tests())
NETWORK = ("network-feature-enabled", "api_extensions")
COMPUTE = "tempest.api.compute.servers."


def of(name: str) -> set[Requirement]:
    return set(test_requirements.of_test(Test(name)))


def test_the_tests_that_log_in_to_a_guest_are_known():
    assert {name.rpartition(".")[2] for name in REQUIRED[GUESTS]} == {
        "test_host_name_is_same_as_server_name",
        "test_verify_created_server_vcpus",
    }


def test_extensions_are_required_by_classes_and_by_single_tests():
    assert len(REQUIRED[Requirement(*NETWORK, "router")]) == 13
    extraroute = REQUIRED[Requirement(*NETWORK, "extraroute")]
    assert [name.rpartition(".")[2] for name in extraroute] == ["test_update_delete_extra_route"]
    assert Requirement("object-storage-feature-enabled", "discoverable_apis", "tempurl") in REQUIRED


def test_services_and_features_are_required_by_bases_in_other_modules():
    server = of(f"{COMPUTE}test_servers.ServersTestJSON.test_create_server_with_admin_password")
    assert Requirement(SERVICE, "nova") in server
    assert Requirement("compute-feature-enabled", "enable_instance_password") in server
    attached = of("tempest.api.volume.test_volumes_actions.VolumesActionsTest.test_volume_upload")
    assert {Requirement(SERVICE, "cinder"), Requirement(SERVICE, "glance")} <= attached
    by_ipv6 = of(
        "tempest.api.network.test_networks.NetworksIpV6Test.test_create_update_delete_network_subnet"
    )
    by_ipv4 = of(
        "tempest.api.network.test_networks.NetworksTest.test_create_update_delete_network_subnet"
    )
    assert by_ipv6 - by_ipv4 == {Requirement("network-feature-enabled", "ipv6")}


def test_every_test_but_those_of_identity_requires_a_service():
    for test in (*PLATFORM.wanted_tests(), *NEWEST.wanted_tests()):
        without = test.name.startswith("tempest.api.identity.")
        assert bool(test_requirements.projects(test)) is not without, test.name


@pytest.mark.parametrize(
    ("name", "projects"),
    [
        ("heat_tempest_plugin.tests.functional.test_it.It.test_it", ("heat",)),
        ("tempest.api.volume.v2.test_volumes_list.VolumesV2ListTestJSON.test_it", ("cinder",)),
        ("no_such_plugin.tests.test_it.It.test_it", ()),
        ("nonsense", ()),
    ],
)
def test_of_a_test_that_is_not_installed_the_service_is_known_by_its_module(name, projects):
    assert test_requirements.projects(Test(name)) == projects


def test_another_name_of_a_test_counts_if_only_that_is_installed():
    gone = "tempest.api.compute.gone.Gone.test_it"
    present = "tempest.api.object_storage.test_container_acl.ObjectTestACLs.test_read_object"
    assert test_requirements.projects(Test(gone, aliases=(present,))) == ("swift",)


def requirements_of(condition: str) -> list[str]:
    """Return what must be met, or a fixture with this condition raises."""
    source = "class C:\n    six, version, off = True, 6, False\n    six = True\n    version = 6\n"
    (definition,) = ast.parse(source).body
    assert isinstance(definition, ast.ClassDef)
    reader = test_requirements._Reader(ClassSource((definition,)))
    body = ast.parse(f"if {condition}:\n    raise cls.skipException('x')").body
    return [".".join(filter(None, vars(each).values())) for each in reader.body(body)]


@pytest.mark.parametrize(
    ("condition", "required"),
    [
        ("not CONF.service_available.nova", ["service_available.nova"]),
        ("not config.CONF.a.b", ["a.b"]),
        ("not CONF.a.b or not CONF.c.d", ["a.b", "c.d"]),
        ("not (CONF.a.b and CONF.c.d)", ["a.b", "c.d"]),
        ("not CONF.a.b and not CONF.c.d", []),
        ("not (CONF.a.b or CONF.c.d)", []),
        ("cls.six and not CONF.a.b", ["a.b"]),
        ("cls.version == 6 and not CONF.a.b", ["a.b"]),
        ("cls.version == 4 and not CONF.a.b", []),
        ("cls.off and not CONF.a.b", []),
        ("CONF.a.b", []),
        ("not CONF.object_storage.x", ["object-storage.x"]),
        ("not utils.get_service_list()['volume']", ["service_available.cinder"]),
        ("not is_extension_enabled('x', 'network')", ["network-feature-enabled.api_extensions.x"]),
        ("not is_extension_enabled(cls.six, 'network')", []),
        ("not is_extension_enabled('x', 'nonsense')", []),
        ("not self.stores", []),
    ],
)
def test_a_condition_requires_what_alone_makes_it_true(condition, required):
    assert requirements_of(condition) == required


def test_each_source_file_of_a_programme_is_parsed_once(monkeypatch):
    for function in (test_requirements._of_name, test_requirements._of_class):
        function.cache_clear()
    test_requirements.test_source.find.cache_clear()
    test_requirements.test_source._source.cache_clear()
    parsed = collections.Counter()
    parse = test_requirements.test_source._parse

    def counted(text):
        parsed[text] += 1
        return parse(text)

    monkeypatch.setattr(test_requirements.test_source, "_parse", counted)
    test_requirements.of(NEWEST.wanted_tests())
    assert len(parsed) > 50
    assert set(parsed.values()) == {1}
