"""Settings of the user: their form, and the options that Tempest has."""

import subprocess
import sys

import pytest

from refstack_client.errors import UsageError
from refstack_client.tempest import option_names
from refstack_client.tempest.settings import Setting, parse_settings


@pytest.mark.parametrize(
    "text",
    [
        "object-storage.operator_role = swift=op",
        "DEFAULT.debug=true",
        "DEFAULT.log_file=tempest.log",
        "DEFAULT.resource_name_prefix=mine",
        "oslo_concurrency.lock_path=locks",
        "compute-feature-enabled.scheduler_available_filters=all",
        "scenario.qcow2_img_file=guest.img",
        "volume-feature-enabled.volume_image_dep_tests=true",
        "service_available.nova=true",
        "placement.region=RegionOne",
    ],
)
def test_options_of_tempest_and_its_libraries_are_accepted(text):
    (setting,) = parse_settings([text])
    assert (setting.section, setting.option) == tuple(text.partition("=")[0].strip().split("."))


def test_a_setting_is_section_option_and_value():
    assert parse_settings(["object-storage.operator_role = swift=op"]) == (
        Setting("object-storage", "operator_role", "swift=op"),
    )


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("computee.image_ref=1", "no section computee", "did you mean compute?"),
        ("object_storage.operator_role=1", "no section object_storage", "mean object-storage?"),
        ("default.debug=true", "no section default", "the sections are DEFAULT, auth, "),
        ("compute.image_reff=1", "compute of Tempest has no option image_reff", "mean image_ref?"),
        ("compute.image-ref=1", "has no option image-ref", "did you mean image_ref?"),
        ("network.image_ref=1", "no option image_ref; it is in compute", "reference of Tempest"),
        ("heat_plugin.x=1", "Tempest and its installed plugins have no section heat_plugin", ""),
    ],
)
def test_an_option_that_tempest_lacks_is_refused_with_the_nearest(text, message, hint):
    with pytest.raises(UsageError) as caught:
        parse_settings(["compute.image_ref=1", text])
    assert message in str(caught.value)
    assert hint in caught.value.hint


def test_options_of_plugins_are_accepted(monkeypatch):
    names = {**option_names._registered(), "heat_plugin": ["username"]}
    monkeypatch.setattr(option_names, "_registered", lambda: names)
    assert parse_settings(["heat_plugin.username=x"])


def test_a_secret_value_is_not_in_the_message():
    with pytest.raises(UsageError) as caught:
        parse_settings(["identity.admin_pasword=canary"])
    assert "canary" not in f"{caught.value} {caught.value.hint}"


LOADED = """
import sys
from refstack_client.tempest.settings import parse_settings
parse_settings(sys.argv[1:])
print("tempest.config" in sys.modules)
"""


def is_tempest_loaded(*settings: str) -> bool:
    command = [sys.executable, "-c", LOADED, *settings]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout == "True\n"


def test_tempest_is_loaded_for_the_first_setting_only(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert not is_tempest_loaded()
    assert is_tempest_loaded("compute.image_ref=1")
    assert not is_tempest_loaded("compute.image_ref=1")
    for damaged in ("", "[]", "{", "{}"):
        (cache,) = (tmp_path / "cache" / "refstack-client").iterdir()
        cache.write_text(damaged)
        assert is_tempest_loaded("compute.image_ref=1")


@pytest.mark.parametrize("text", ["operator_role=x", "a.b", ".x=1", "a.=1"])
def test_a_setting_of_another_form_is_refused_with_an_example(text):
    with pytest.raises(UsageError, match=r"expected section\.option=value") as caught:
        parse_settings([text])
    assert "object-storage.operator_role" in caught.value.hint
