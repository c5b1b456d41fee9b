"""Images and flavors that fit each other, for any lists of them."""

import re
from types import SimpleNamespace as Thing

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.resources import GIB, flavor, flavors_of_scs, image

from refstack_client.tempest import server_choice
from refstack_client.tempest.server_choice import (
    Candidates,
    disk_needed,
    flavor_order,
    image_order,
    is_special,
    is_usable,
    login_user,
    misfit,
    refusal,
)

SIZES = st.one_of(st.none(), st.integers(0, 4))
SPECS = st.sampled_from([{}, {"resources:VGPU": "1"}, {"quota:cpu": "1"}])
# Resources of openstacksdk are slow to make; these have the attributes that are looked at.
IMAGES = st.builds(
    lambda number, **attributes: Thing(
        id=number, name=str(number), properties={}, os_distro=None, **attributes
    ),
    st.integers(0, 99),
    min_disk=SIZES,
    min_ram=SIZES,
    size=st.one_of(st.none(), st.integers(0, 3 * GIB)),
    virtual_size=st.one_of(st.none(), st.integers(0, 3 * GIB)),
    architecture=st.sampled_from([None, "x86_64", "aarch64"]),
    status=st.just("active"),
    is_hidden=st.just(None),
    disk_format=st.sampled_from(["qcow2", "iso"]),
    container_format=st.just("bare"),
)
FLAVORS = st.builds(
    lambda number, **attributes: Thing(id=number, name=str(number), **attributes),
    st.integers(0, 99),
    ram=st.integers(0, 4),
    disk=st.integers(0, 4),
    vcpus=st.integers(1, 2),
    extra_specs=SPECS,
)


def lists(of):
    return st.lists(of, max_size=6, unique_by=lambda one: one.id)


def choose(images, flavors):
    return server_choice.choose(Candidates(images, images, flavors, flavors))


@given(lists(IMAGES), lists(FLAVORS))
def test_a_pair_is_chosen_if_any_fits_and_it_fits(images, flavors):
    fitting = [(i, f) for i in images for f in flavors if not misfit(i, f)]
    choice = choose(images, flavors)
    assert (choice is None) == (not fitting)
    if choice is None:
        return
    for booted in (choice.image, choice.image_alt):
        assert choice.flavor.ram >= (booted.min_ram or 0)
        assert not choice.flavor.disk or choice.flavor.disk >= disk_needed(booted)
    assert not misfit(choice.image, choice.flavor_alt)
    assert choice.flavor_alt.disk >= choice.flavor.disk
    # An ordinary flavor is chosen if one fits an image, and of its images the first.
    assert is_special(choice.flavor) == all(is_special(f) for _, f in fitting)
    assert choice.image == min((i for i, f in fitting if f == choice.flavor), key=image_order)


@given(lists(IMAGES), lists(FLAVORS))
def test_of_choices_with_as_many_alternatives_the_smallest_is_made(images, flavors):
    def rank(choice):
        return (
            is_special(choice.flavor),
            server_choice.is_foreign(choice.image),
            choice.image == choice.image_alt,
            choice.flavor == choice.flavor_alt,
            image_order(choice.image),
            flavor_order(choice.flavor),
        )

    single = (server_choice.choose(Candidates(images, images, [one], flavors)) for one in flavors)
    assert choose(images, flavors) == min(filter(None, single), key=rank, default=None)


@given(lists(IMAGES), lists(FLAVORS), st.randoms())
def test_the_choice_does_not_depend_on_the_order_of_the_lists(images, flavors, random):
    choice = choose(images, flavors)
    random.shuffle(images)
    random.shuffle(flavors)
    assert choose(images, flavors) == choice


@given(lists(IMAGES), lists(FLAVORS))
def test_a_refusal_gives_a_reason_for_any_lists(images, flavors):
    if not choose(list(filter(is_usable, images)), [one for one in flavors if one.disk]):
        assert refusal(images, flavors)


def test_a_larger_flavor_is_chosen_if_two_images_boot_from_it_alone():
    images = [image("cirros"), image("debian", min_disk=8)]
    choice = choose(images, [flavor("tiny"), flavor("small", 128, 10), flavor("large", 256, 20)])
    assert [choice.image.id, choice.image_alt.id] == ["cirros", "debian"]
    assert [choice.flavor.id, choice.flavor_alt.id] == ["small", "large"]


def test_an_alternative_has_no_smaller_disk_although_it_has_more_memory():
    choice = choose([image("cirros")], [flavor("m1", 64, 5), flavor("c1", 128, 1)])
    assert [choice.flavor.id, choice.flavor_alt.id] == ["c1", "m1"]


def test_images_of_one_server_are_for_one_architecture():
    images = [image("arm", architecture="aarch64"), image("any", min_disk=1)]
    choice = choose(images, [flavor("small")])
    assert [choice.image.id, choice.image_alt.id] == ["any", "any"]


def test_a_cloud_for_arm_only_is_served():
    images = [image("one", architecture="aarch64"), image("two", hw_architecture="aarch64")]
    choice = choose(images, [flavor("small")])
    assert [choice.image.id, choice.image_alt.id] == ["one", "two"]


@pytest.mark.parametrize(
    "specs",
    [
        {"resources:CUSTOM_BAREMETAL_GOLD": "1", "resources:VCPU": "0"},
        {"resources:VGPU": "1"},
        {"trait:CUSTOM_DCN_VIRTUAL_REDFISH": "required"},
        {"pci_passthrough:alias": "a100:1"},
        {"accel:device_profile": "fpga"},
        {"capabilities:profile": "control"},
    ],
)
def test_flavors_for_special_hosts_are_chosen_last(specs):
    flavors = [flavor("special", extra_specs=specs), flavor("m1.large", 8192, 80)]
    assert choose([image("cirros")], flavors).flavor.id == "m1.large"
    assert choose([image("cirros")], flavors[:1]).flavor.id == "special"


def test_extra_specs_of_ordinary_flavors_are_ordinary():
    specs = {"scs:name-v1": "SCS-1L:1", "hw_rng:allowed": "True", "quota:disk_read_iops_sec": "9"}
    assert not is_special(flavor("SCS-1L-1-5", extra_specs=specs))


@pytest.mark.parametrize(
    ("attributes", "needed"),
    [
        ({}, 1),
        ({"size": 0}, 0),
        ({"min_disk": 8, "size": 3 * GIB}, 8),
        ({"size": 3 * GIB}, 3),
        ({"size": 3 * GIB + 1}, 4),
        ({"virtual_size": 10 * GIB}, 10),
    ],
)
def test_the_disk_that_an_image_needs(attributes, needed):
    assert disk_needed(image("i", **attributes)) == needed


@pytest.mark.parametrize(
    "attributes",
    [
        {"status": "deactivated"},
        {"status": "queued"},
        {"disk_format": "aki", "container_format": "aki"},
        {"disk_format": "raw", "container_format": "ari"},
        {"is_hidden": True},
        {"disk_format": "iso"},
        {"cinder_encryption_key_id": "0e8f"},
        {"os_encrypt_key_id": "0e8f"},
        {"img_signature": "bm90IGEgc2lnbmF0dXJl"},
        {"block_device_mapping": '[{"snapshot_id": "1"}]', "size": 0},
        {"size": 0},
    ],
)
def test_images_that_do_not_boot_for_everyone_are_not_chosen(attributes):
    assert not is_usable(image("i", **attributes))


def test_images_with_properties_of_hardware_are_chosen():
    assert is_usable(
        image("i", hw_disk_bus="scsi", hw_scsi_model="virtio-scsi", os_distro="debian")
    )


@pytest.mark.parametrize(
    ("images", "flavors", "reason"),
    [
        ([], [flavor("f")], r"the cloud has no image from which its tenants can boot"),
        (
            [image("k", disk_format="aki"), image("r", disk_format="ari"), image("c", size=0)],
            [flavor("f")],
            r"can boot \(2 a kernel or ramdisk, 1 without data\)",
        ),
        ([image("i")], [], "the cloud has no flavor that its tenants may use"),
        ([image("i")], flavors_of_scs()[:4], "no flavor of the cloud has a disk, and Nova refuses"),
        (
            [image("windows", min_disk=50, min_ram=4096), image("suse", min_disk=60)],
            flavors_of_scs(),
            "the image windows, which needs a disk of 50 GB and 4096 MB of memory",
        ),
    ],
)
def test_a_refusal_names_the_reason(images, flavors, reason):
    assert re.search(reason, refusal(images, flavors))


@pytest.mark.parametrize(
    ("attributes", "user"),
    [
        ({"properties": {"os_admin_user": "core"}, "os_distro": "ubuntu"}, "core"),
        ({"properties": {"image_original_user": "debian"}, "os_distro": None}, "debian"),
        ({"properties": {}, "os_distro": "Ubuntu"}, "ubuntu"),
        ({"properties": {}, "os_distro": "rhel"}, "cloud-user"),
        ({"properties": {}, "os_distro": "windows"}, ""),
        ({"properties": None, "os_distro": None, "name": "cirros-0.6.2-x86_64-disk"}, "cirros"),
        ({"properties": {}, "os_distro": None, "name": None}, ""),
    ],
)
def test_the_user_to_log_in_as_follows_from_the_image(attributes, user):
    assert login_user(Thing(**{"name": "image", **attributes})) == user
