"""Which image, flavors and network are used."""

from types import SimpleNamespace as Thing

import pytest

from refstack_client.errors import CloudError
from refstack_client.tempest import cloud_resources
from refstack_client.tempest.settings import Setting

IMAGES = (
    Thing(id="big", name="b", size=900, min_disk=20, min_ram=512),
    Thing(id="small", name="s", size=10, min_disk=1, min_ram=64),
    Thing(id="middle", name="m", size=90, min_disk=1, min_ram=64),
)
FLAVORS = (
    Thing(id="4", name="large", ram=4096, vcpus=4, disk=40),
    Thing(id="1", name="tiny", ram=32, vcpus=1, disk=1),
    Thing(id="2", name="volume-backed", ram=64, vcpus=1, disk=0),
    Thing(id="3", name="usual", ram=128, vcpus=1, disk=1),
)
NETWORKS = (Thing(id="n2", name="public"), Thing(id="n1", name="outside"))


def cloud(images=IMAGES, flavors=FLAVORS, networks=NETWORKS):
    return Thing(
        image=Thing(images=lambda **_: iter(images)),
        compute=Thing(flavors=lambda: iter(flavors)),
        network=Thing(networks=lambda **_: iter(networks)),
    )


ALL = ("compute", "image", "network", "object-store")


def test_the_smallest_that_serve_are_used_and_another_of_each():
    assert cloud_resources.choose(cloud(), ALL, ()) == (
        ("compute", "image_ref", "small"),
        ("compute", "image_ref_alt", "middle"),
        ("compute", "flavor_ref", "2"),
        ("compute", "flavor_ref_alt", "3"),
        ("network", "public_network_id", "n1"),
        ("network", "floating_network_name", "outside"),
    )


def test_what_the_user_names_is_not_chosen_again():
    given = (Setting("compute", "image_ref", "mine"),)
    chosen = cloud_resources.choose(cloud(), ALL, given)
    assert ("compute", "image_ref") not in {each[:2] for each in chosen}
    assert ("compute", "image_ref_alt", "middle") in chosen


def test_where_there_is_one_it_is_used_twice_and_a_cloud_may_have_no_network_outside():
    chosen = cloud_resources.choose(cloud(IMAGES[:1], FLAVORS[:1], ()), ALL, ())
    assert [value for _, _, value in chosen] == ["big", "big", "4", "4"]


@pytest.mark.parametrize(("lacking", "what"), [("images", "image"), ("flavors", "flavor")])
def test_a_cloud_that_can_make_no_server_is_told(lacking, what):
    with pytest.raises(CloudError, match=f"the cloud has no {what}"):
        cloud_resources.choose(cloud(**{lacking: ()}), ALL, ())


def test_a_programme_without_servers_asks_for_none_of_it():
    assert cloud_resources.choose(Thing(), ("object-store", "identity"), ()) == ()
