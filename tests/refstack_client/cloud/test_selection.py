"""Which cloud is used, through which region and interface, and what is wrong with clouds.yaml."""

from pathlib import Path

import pytest
import yaml

from refstack_client.cloud import access, clouds_yaml
from refstack_client.cloud.clouds_yaml import load_region
from refstack_client.cloud.selection import CloudSelection
from refstack_client.errors import CloudError

AUTH = {
    "auth_url": "http://127.0.0.1:1/v3",
    "username": "u",
    "password": "p",
    "project_name": "p",
    "user_domain_name": "Default",
    "project_domain_name": "Default",
}


@pytest.fixture(autouse=True)
def no_variables(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("OS_CLOUD", "OS_REGION_NAME", "OS_INTERFACE", "OS_ENDPOINT_TYPE", "OS_CACERT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", "clouds.yaml")


def write(**config: object) -> None:
    document = {"clouds": {"mine": {"auth": AUTH, **config}}}
    Path("clouds.yaml").write_text(yaml.safe_dump(document))


def access_of(**selection: str) -> access.Access:
    return access.of_region(load_region(CloudSelection("mine", **selection)))


def test_an_option_takes_precedence_over_a_variable_and_that_over_clouds_yaml(monkeypatch):
    write(regions=["one", "two", "three"], interface="admin")
    monkeypatch.setenv("OS_REGION_NAME", "two")
    monkeypatch.setenv("OS_INTERFACE", "internal")
    assert (access_of().region, access_of().interface) == ("two", "internal")
    chosen = access_of(region="three", interface="public")
    assert (chosen.region, chosen.interface) == ("three", "public")
    monkeypatch.delenv("OS_INTERFACE")
    monkeypatch.setenv("OS_ENDPOINT_TYPE", "internalURL")
    assert access_of().interface == "internal"
    monkeypatch.delenv("OS_ENDPOINT_TYPE")
    assert access_of().interface == "admin"


def test_several_regions_and_none_chosen_are_listed():
    write(regions=["one", {"name": "two", "values": {}}])
    with pytest.raises(CloudError, match="mine has several regions: one, two") as caught:
        access_of()
    assert "--os-region-name" in caught.value.hint


def test_a_region_that_the_cloud_does_not_have_is_refused():
    write(regions=["one", "two"])
    with pytest.raises(CloudError, match="three is not a valid region name for cloud mine"):
        access_of(region="three")


@pytest.mark.parametrize("path", ["ca.pem", "~/ca.pem"])
def test_the_file_of_authorities_is_absolute_however_it_is_named(path, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "ca.pem").write_text("")
    write(cacert=path)
    assert access_of().tls.verification == str(tmp_path / "ca.pem")
    monkeypatch.setenv("OS_CACERT", "/nosuch/ca.pem")
    with pytest.raises(CloudError, match=r"cannot read the certificate authorities /nosuch/ca.pem"):
        access_of()


@pytest.mark.parametrize("config", [{"verify": False}, {"insecure": True}])
def test_certificates_are_not_verified_if_that_is_configured(config):
    write(**config)
    assert access_of().tls.verification is False


def test_a_timeout_is_taken_from_clouds_yaml():
    write(api_timeout=7)
    assert access_of().timeout == 7.0
    write()
    assert access_of().timeout is None


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"cert": "/c.pem", "key": "/k.pem"}, "wants a client certificate"),
        ({"interface": ["internal", "public"]}, "has a list of interfaces: internal, public"),
    ],
)
def test_what_tempest_cannot_do_is_refused(config, message):
    write(**config)
    with pytest.raises(CloudError, match=message):
        access_of()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"clouds:\n  a: [", r"clouds.yaml is not valid YAML: .* line 2"),
        (b"\xff\xfe\x00", "clouds.yaml is not valid YAML"),
        (b"clouds:\n\tmine: 1\n", "line 2"),
        (b"", "clouds.yaml: / must be a mapping"),
        (b"- clouds", "clouds.yaml: / must be a mapping"),
        (b"clouds: [mine]", "clouds.yaml: /clouds must be a mapping"),
        (b"clouds: {mine: 3}", "clouds.yaml: /clouds/mine must be a mapping"),
        (b"clouds: {mine: {auth: x}}", "clouds.yaml: /clouds/mine/auth must be a mapping"),
        (b"x: " + b"a" * 1_000_001, "cannot read clouds.yaml: larger than"),
        (b"clouds: {other: {}}", "there is no cloud called mine in clouds.yaml"),
    ],
)
def test_a_clouds_yaml_that_cannot_be_used_is_named_with_its_error(content, message):
    Path("clouds.yaml").write_bytes(content)
    with pytest.raises(CloudError, match=message):
        load_region(CloudSelection("mine"))


def test_a_clouds_yaml_that_cannot_be_opened_is_named():
    Path("clouds.yaml").mkdir()
    with pytest.raises(CloudError, match=r"cannot read clouds.yaml: Is a directory"):
        load_region(CloudSelection("mine"))


def test_a_missing_file_that_a_variable_names_is_reported(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", "/nosuch/clouds.yaml")
    with pytest.raises(CloudError, match=r"/nosuch/clouds.yaml does not exist"):
        load_region(CloudSelection("mine"))


def test_a_selection_is_completed_from_the_request_of_a_run():
    recorded = CloudSelection.recorded({"os_cloud": "mine", "region": "one"})
    assert CloudSelection(region="two").or_else(recorded) == CloudSelection("mine", "two", None)


def test_a_portable_configuration_has_one_region():
    write(regions=["one", "two"])
    portable = clouds_yaml.portable(CloudSelection("mine", "two"), "/elsewhere")
    (config,) = portable.clouds_yaml["clouds"].values()
    assert (config["region_name"], config.get("regions")) == ("two", None)
