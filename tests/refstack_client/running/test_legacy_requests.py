"""What ``test`` and ``config`` of RefStack v1 decide without a run."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from refstack_client.errors import InputError, UsageError
from refstack_client.running import legacy_conf, legacy_test
from refstack_client.running.legacy_selection import Selection
from refstack_client.running.legacy_test import LegacyRequest

SERVER = "http://127.0.0.1:1/api/v1/guidelines"
IMAGE = "cirros-0.6.2.img"


def listed(url: str) -> tuple[list[str], list[str]]:
    warnings: list[str] = []
    request = LegacyRequest(Path("t.conf"), url, Selection(), 1, Path("runs"))
    return legacy_test._listed(request, warnings.append).decode().splitlines(), warnings


def test_a_shipped_guideline_takes_the_place_of_a_server_that_does_not_respond():
    query = "target=object&type=required&alias=false&flag=false"
    lines, (error, replaced) = listed(f"{SERVER}/2020.06/tests?{query}")
    assert len(set(lines)) == 58
    assert all("[id-" in line for line in lines)
    assert error.startswith(f"warning: {SERVER}/2020.06/tests?{query} could not be fetched")
    assert replaced == "the tests are those of the shipped guideline 2020.06"


@pytest.mark.parametrize(
    ("url", "message"),
    [
        (f"{SERVER}/2020.11/tests?target=platform", "no guideline 2020.11 is shipped"),
        (f"{SERVER}/2020.06/tests?type=nothing", "nothing"),
        ("http://127.0.0.1:1/2016.01.required.txt", "could not be fetched"),
        ("absent/v1/guidelines/2020.06/tests", "No such file"),
    ],
)
def test_no_other_list_is_replaced(url, message):
    with pytest.raises(Exception, match=message):
        listed(url)


@pytest.fixture
def request_for_servers(monkeypatch):
    """A request whose tests need images; the cloud has one."""
    images = {IMAGE: SimpleNamespace(id="1234")}
    connection = SimpleNamespace(image=SimpleNamespace(find_image=images.get))
    cloud = SimpleNamespace(connection=connection)
    monkeypatch.setattr(legacy_conf, "connect", lambda selection: cloud)
    return SimpleNamespace(service_types=("compute", "image"), cloud=None)


@pytest.mark.parametrize("name", [IMAGE, f"/images/{IMAGE}", f"https://example.org/0.6.2/{IMAGE}"])
def test_an_image_is_found_by_the_last_part_of_its_name(request_for_servers, name):
    assert legacy_conf.image_id(request_for_servers, name) == "1234"


def test_an_image_that_the_cloud_lacks_is_refused_with_a_remedy(request_for_servers):
    with pytest.raises(UsageError, match=r"the cloud has no image new\.img") as caught:
        legacy_conf.image_id(request_for_servers, "https://example.org/new.img")
    assert "openstack image create --file new.img new.img" in caught.value.hint


def test_a_conf_without_a_keystone_is_refused(tmp_path):
    path = tmp_path / "tempest.conf"
    path.write_text("[auth]\n")
    request = LegacyRequest(path, None, Selection(), 1, tmp_path / "runs" / "1")
    with pytest.raises(InputError, match="the section identity has no uri_v3"):
        legacy_test.run_tests(request, None)
