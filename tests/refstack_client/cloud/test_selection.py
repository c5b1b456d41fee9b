"""Which cloud is used, through which region and interface, and what is wrong with clouds.yaml."""

from pathlib import Path

import pytest
import yaml

from refstack_client.cloud import access, clouds_yaml, config_files
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
        ({"interface": ["internal", "public"]}, "interface of the cloud mine must be one name"),
    ],
)
def test_what_tempest_cannot_do_is_refused(config, message):
    write(**config)
    with pytest.raises(CloudError, match=message):
        access_of()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"clouds:\n  a: [", "clouds.yaml is not valid YAML: line 2, column 7: "),
        (b"\xff\xfe\x00", "clouds.yaml is not in UTF-8"),
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


@pytest.mark.parametrize(
    ("entry", "message", "hint"),
    [
        ({"tempest": "a.b=c"}, "/clouds/mine/tempest must be a list", ""),
        ({"tempest": [1]}, "/clouds/mine/tempest/0 must be text", "quotes"),
        ({"tempest": [["a.b=c"]]}, "/clouds/mine/tempest/0 must be text", ""),
        ({"tempest": {"a": 1}}, "/clouds/mine/tempest must be a list", ""),
        ({"guests": "perhaps"}, "/clouds/mine/guests must be true or false", ""),
        ({"guests": "true"}, "/clouds/mine/guests must be true or false", ""),
        ({"verify": "False"}, "/clouds/mine/verify must be true or false", ""),
        ({"verify": 0}, "/clouds/mine/verify must be true or false", ""),
        ({"api_timeout": "soon"}, "/clouds/mine/api_timeout must be a number", ""),
        ({"region_name": {"a": 1}}, "/clouds/mine/region_name must be text", ""),
        ({"region_name": True}, "/clouds/mine/region_name must be text", "quotes"),
        ({"regions": {"a": 1}}, "/clouds/mine/regions must be a list", ""),
        ({"regions": [{"values": {}}]}, "/clouds/mine/regions/0 is not valid", ""),
        ({"profile": 3}, "/clouds/mine/profile must be text", ""),
        ({"cacert": ["a"]}, "/clouds/mine/cacert must be text", ""),
        ({"key": 1}, "/clouds/mine/key must be text", ""),
        ({"networks": 1}, "/clouds/mine/networks must be a list", ""),
        ({"interface": {"a": 1}}, "/clouds/mine/interface must be one of public, internal,", ""),
        ({"region_name": None}, "/clouds/mine/region_name must be text", ""),
        ({"tempest": None}, "/clouds/mine/tempest must be a list", ""),
        ({"auth": None}, "/clouds/mine/auth must be a mapping", ""),
        ({"regoin_name": "one"}, "/clouds/mine has the unknown key regoin_name", "region_name?"),
        ({"verfy": False}, "/clouds/mine has the unknown key verfy", "did you mean verify?"),
        ({1: "one"}, "/clouds/mine has the key 1, which is not text", "quotes"),
        ({"auth_type": "none"}, "its auth_type does not take auth_url", "openstacksdk"),
        ({"auth_type": "http_basic"}, "auth_type", ""),
        ({"auth_type": None}, "/clouds/mine/auth_type must be text", ""),
        ({"auth_type": "v3applicationcredential"}, "an application credential ID", ""),
        ({"auth_type": "nonsense"}, "nonsense", ""),
        ({"auth_type": ["password"]}, "/clouds/mine/auth_type must be text", ""),
    ],
)
def test_a_wrong_key_or_value_is_named(entry, message, hint):
    write(**{key: value for key, value in entry.items() if isinstance(key, str)})
    if 1 in entry:
        Path("clouds.yaml").write_text("clouds: {mine: {1: one}}")
    with pytest.raises(CloudError) as caught:
        access_of()
    assert message in str(caught.value)
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    ("auth", "message"),
    [
        ({"auth_url": None}, "/clouds/mine/auth/auth_url must be text"),
        ({"auth_url": 5000}, "/clouds/mine/auth/auth_url must be text"),
        ({"auth_url": ""}, "auth_url"),
        ({"token": "canary"}, "its auth_type does not take token"),
        ({"auth_url": ["http://k"]}, "/clouds/mine/auth/auth_url must be text"),
        ({"auth_url": "k.example.org/v3"}, "does not start with http:// or https://"),
        ({"auth_url": "HTTP://k.example.org"}, "does not start with http:// or https://"),
        ({"auth_url": "http://:5000/v3"}, "has no valid host or port: http://:5000/v3"),
        ({"auth_url": "http://k:99999/v3"}, "has no valid host or port"),
        ({"auth_url": "http://k/v3?x=1"}, "has a query or a fragment"),
        ({"auth_url": "http://k/v3#x"}, "has a query or a fragment"),
        ({"auth_url": "http://k/" + "a" * 3000}, "is longer than 2000 characters"),
        ({"auth_url": "http://joe:canary@k/v3"}, "has a user or a password"),
        ({"auth_url": "joe:canary@k/v3"}, "has a user or a password"),
        ({"password": None}, "the cloud mine has no password"),
        ({"password": 1234}, "/clouds/mine/auth/password must be text"),
        ({"pasword": "canary"}, "/clouds/mine/auth has the unknown key pasword"),
        ({"user_name": "canary"}, "/clouds/mine/auth has the unknown key user_name"),
    ],
)
def test_a_wrong_credential_is_named_and_not_shown(auth, message):
    write(auth={**AUTH, **auth})
    with pytest.raises(CloudError) as caught:
        access_of()
    assert message in str(caught.value)
    assert "canary" not in f"{caught.value} {caught.value.hint}"
    assert "1234" not in f"{caught.value} {caught.value.hint}"


@pytest.mark.parametrize(
    "entry",
    [
        {"identity_api_version": 3, "volume_api_version": "3", "image_api_version": 2.0},
        {"insecure": "False", "api_timeout": "30", "cacert": None},
        {"regions": ["one"], "interface": "publicURL", "x_of_a_plugin": {"a": [1]}},
        {"networks": [{"name": "outside", "routes_externally": True}], "message": None},
        {"compute_endpoint_override": "http://k", "x-note": "é", "guests": True},
    ],
)
def test_what_openstacksdk_accepts_is_accepted(entry):
    write(**entry)
    access_of()


def test_only_the_cloud_that_is_used_need_be_right():
    write()
    document = yaml.safe_load(Path("clouds.yaml").read_text())
    document["clouds"]["other"] = {"region_name": 3, "auth": {"password": 5}}
    document["x-anchors"] = [1]
    Path("clouds.yaml").write_text(yaml.safe_dump(document))
    access_of()


@pytest.mark.parametrize("name", ["1", "null", "true", "2026-01-01"])
def test_a_cloud_whose_name_is_not_text_is_reported(name):
    Path("clouds.yaml").write_text(f"clouds: {{{name}: {{}}, mine: {{}}}}")
    with pytest.raises(CloudError, match=r"/clouds has the key .*, which is not text"):
        access_of()


def test_without_a_file_no_cloud_has_a_name(monkeypatch, tmp_path):
    monkeypatch.delenv("OS_CLIENT_CONFIG_FILE")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(config_files, "_VARIABLES", (("X", ["a"]), ("Y", ["b"])))
    with pytest.raises(CloudError, match=r"called mine in clouds.yaml: there is no such file"):
        access_of()


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
