"""Which images, flavors and network of a cloud are used, and what the user may name."""

import pytest
from support.resources import cloud, flavor, flavors_of_scs, image, network

from refstack_client.errors import CloudError
from refstack_client.tempest import cloud_resources, external_network, server_resources
from refstack_client.tempest.settings import Setting

ALL = ("compute", "image", "network", "object-store")
IMAGES = [
    image("big", min_disk=20, min_ram=512),
    image("small", min_disk=1, min_ram=64),
    image("middle", min_disk=1, min_ram=64, size=90),
]
FLAVORS = [
    flavor("large", 4096, 40, 4),
    flavor("tiny", 32, 1),
    flavor("volume-backed", 64, 0),
    flavor("usual", 128, 1),
]
NETWORKS = [network("public"), network("outside")]
OPEN = ["id-public", "id-outside"]


def named(**options: str) -> list[Setting]:
    return [Setting("compute", option, value) for option, value in options.items()]


def choose(tested, settings=()) -> dict[str, str]:
    """Return what is chosen, by option."""
    return {one.option: one.value for one in cloud_resources.choose(tested, ALL, settings).settings}


def remarks(tested, settings=()) -> dict[str, str]:
    found = cloud_resources.choose(tested, ALL, settings).remarks
    assert all(remark.hint for remark in found)
    return {remark.option: remark.message for remark in found}


def test_the_smallest_that_serve_are_used_and_another_of_each():
    tested = cloud(IMAGES, FLAVORS, NETWORKS, open_to_all=OPEN)
    assert choose(tested) == {
        "image_ref": "small",
        "image_ref_alt": "middle",
        "flavor_ref": "usual",
        "flavor_ref_alt": "large",
        "public_network_id": "id-outside",
        "floating_network_name": "outside",
    }
    assert remarks(tested) == {}


def test_what_the_user_names_is_not_chosen_again_and_the_rest_fits_it():
    chosen = choose(cloud(IMAGES, FLAVORS), named(image_ref="big"))
    assert chosen == {"image_ref_alt": "small", "flavor_ref": "large", "flavor_ref_alt": "large"}


def test_an_image_is_chosen_for_a_named_flavor():
    images = [image("ubuntu", min_disk=20), image("cirros", min_disk=1)]
    assert choose(cloud(images, FLAVORS), named(flavor_ref="usual"))["image_ref"] == "cirros"


def test_where_there_is_one_of_each_it_is_used_twice_and_a_remark_names_the_tests():
    tested = cloud(IMAGES[:1], FLAVORS[:1], NETWORKS[:1])
    assert list(choose(tested).values()) == ["big", "big", "large", "large", "id-public", "public"]
    assert remarks(tested) == {
        "compute.image_ref_alt": "big again: tests that need two images skip",
        "compute.flavor_ref_alt": "large again: tests that resize a server fail",
    }


def test_flavors_of_scs_without_a_disk_are_not_chosen():
    chosen = choose(cloud([image("cirros")], flavors_of_scs()))
    assert [chosen["flavor_ref"], chosen["flavor_ref_alt"]] == ["SCS-1L-1-5", "SCS-1V-4-10"]


def test_a_cloud_of_flavors_without_a_disk_is_refused_unless_one_is_named():
    tested = cloud([image("cirros")], flavors_of_scs()[:4])
    with pytest.raises(CloudError, match="no flavor of the cloud has a disk") as caught:
        choose(tested)
    assert "--set compute.flavor_ref=ID" in caught.value.hint
    settings = named(flavor_ref="SCS-1L-1")
    assert choose(tested, settings)["flavor_ref_alt"] == "SCS-1V-2"
    assert "by default Nova refuses" in remarks(tested, settings)["compute.flavor_ref"]


def test_disabled_flavors_are_not_chosen():
    flavors = [flavor("retired", **{"OS-FLV-DISABLED:disabled": True}), flavor("m1", 512)]
    assert choose(cloud([image("cirros")], flavors))["flavor_ref"] == "m1"


def test_private_flavors_of_a_tenant_are_chosen_only_without_a_public_one():
    private = flavor("own", 32, 10, is_public=False)
    tenant = cloud([image("i")], [private, flavor("m1", 512)], roles=["member"])
    assert choose(tenant)["flavor_ref"] == "m1"


@pytest.mark.parametrize(("lacking", "what"), [("images", "image"), ("flavors", "flavor")])
def test_a_cloud_in_which_no_server_can_be_created_is_refused(lacking, what):
    resources = {"images": IMAGES, "flavors": FLAVORS, lacking: ()}
    with pytest.raises(CloudError, match=f"the cloud has no {what}"):
        choose(cloud(**resources))


def test_a_programme_without_servers_requests_nothing():
    empty = cloud_resources.choose(None, ("object-store", "identity"), ())
    assert empty == cloud_resources.Resources()


def test_community_images_are_chosen_only_where_no_public_one_boots():
    community = image("tiny", visibility="community")
    tested = cloud([community, image("public", min_disk=1)], FLAVORS)
    assert choose(tested)["image_ref"] == "public"
    tested = cloud([community, image("kernel", disk_format="aki")], FLAVORS)
    assert choose(tested)["image_ref"] == "tiny"
    assert remarks(tested)["compute.image_ref"] == "tiny is community"


def test_shared_images_are_never_chosen_and_may_be_named_by_tenants():
    tested = cloud([image("s", visibility="shared")], FLAVORS, roles=["member"])
    with pytest.raises(CloudError, match="the cloud has no image"):
        choose(tested)
    assert choose(tested, named(image_ref="s"))["image_ref_alt"] == "s"


@pytest.mark.parametrize(
    ("option", "resource", "reason"),
    [
        ("image_ref", None, "there is no such image for this user"),
        ("image_ref_alt", None, "there is no such image for this user"),
        ("flavor_ref", None, "there is no such flavor for this user"),
        ("flavor_ref_alt", None, "there is no such flavor for this user"),
        ("image_ref", image("x", disk_format="aki"), "the image is a kernel or ramdisk"),
        ("image_ref", image("x", status="deactivated"), "the image is not active"),
        ("image_ref", image("x", visibility="private"), "the image is private: not every project"),
        (
            "image_ref_alt",
            image("x", visibility="shared"),
            "the image is shared: not every project",
        ),
        ("image_ref", image("x", min_disk=99), "needs a disk of 99 GB"),
        ("image_ref_alt", image("x", min_disk=99), "usual has a disk of 1 GB, and x needs 99 GB"),
        ("flavor_ref", flavor("x", is_public=False), "the flavor is private: a tenant"),
        ("flavor_ref", flavor("x", **{"OS-FLV-DISABLED:disabled": True}), "the flavor is disabled"),
        ("flavor_ref", flavor("x", 1), "no image that tenants may use boots from x"),
        ("flavor_ref_alt", flavor("x", 1, 40), "x has 1 MB of memory, and small needs 64 MB"),
    ],
)
def test_a_named_resource_that_does_not_exist_or_fit_is_refused(option, resource, reason):
    images, flavors = list(IMAGES), list(FLAVORS)
    if resource is not None:
        (images if option.startswith("image") else flavors).append(resource)
    with pytest.raises(CloudError, match=reason) as caught:
        choose(cloud(images, flavors), named(**{option: "x"}))
    assert caught.value.hint
    assert f"compute.{option}" in f"{caught.value} {caught.value.hint}"


def test_a_named_pair_that_does_not_fit_is_refused():
    with pytest.raises(CloudError, match=r"compute.flavor_ref=usual: usual has 128 MB of memory"):
        choose(cloud(IMAGES, FLAVORS), named(image_ref="big", flavor_ref="usual"))


def test_a_named_flavor_with_a_smaller_disk_is_not_one_to_resize_to():
    settings = named(flavor_ref="large", flavor_ref_alt="usual")
    with pytest.raises(CloudError, match="a resize to a smaller disk is refused"):
        choose(cloud(IMAGES, FLAVORS), settings)


def test_an_id_that_is_empty_is_refused():
    with pytest.raises(CloudError, match=r"compute.image_ref=: the id of the image is missing"):
        choose(cloud(IMAGES, FLAVORS), named(image_ref=""))


def test_a_hidden_or_iso_image_may_be_named():
    images = [*IMAGES, image("h", is_hidden=True), image("iso", disk_format="iso")]
    for name in ("h", "iso"):
        assert "image_ref" not in choose(cloud(images, FLAVORS), named(image_ref=name))


def test_what_is_named_is_checked_for_each_user():
    for_some = cloud(IMAGES, FLAVORS, roles=["member"])
    server_resources.check_named(for_some, named(image_ref="big"))
    with pytest.raises(CloudError, match=r"compute.image_ref=x: there is no such image"):
        server_resources.check_named(for_some, named(image_ref="x"))


@pytest.mark.parametrize(
    ("networks", "settings", "chosen"),
    [
        ([network("b"), network("a")], {}, "id-a"),
        ([network("b"), network("a", subnets=())], {}, "id-b"),
        ([network("b", is_default=True), network("a")], {}, "id-b"),
        ([network("b"), network("a", is_admin_state_up=False)], {}, "id-b"),
        ([network("b"), network("a")], {"public_network_id": "id-b"}, "id-b"),
        ([network("b"), network("a")], {"floating_network_name": "b"}, "id-b"),
        ([], {}, None),
    ],
)
def test_the_network_to_the_outside(networks, settings, chosen):
    given = [Setting("network", option, value) for option, value in settings.items()]
    tested = cloud(networks=networks, roles=["member"])
    found = external_network.choose(tested, given)
    assert (found and found.id) == chosen
    assert external_network.router_network(tested, given) == (chosen or "")


def test_a_network_that_is_open_to_some_projects_only_is_not_chosen_for_new_tenants():
    tested = cloud(networks=[network("a"), network("b")], open_to_all=["id-b"])
    assert external_network.choose(tested, ()).id == "id-b"
    tested = cloud(networks=[network("a"), network("b")])
    assert external_network.choose(tested, ()) is None


def test_without_a_way_out_a_remark_names_the_tests():
    for networks, message in (
        ([], "no external network is available to every project"),
        ([network("ext", subnets=())], "ext has no subnet"),
    ):
        found = remarks(cloud(IMAGES, FLAVORS, networks))
        assert found["network.public_network_id"] == (
            f"{message}: tests of floating IPs and of routers to the outside skip or fail"
        )


def test_a_named_network_that_does_not_exist_is_refused():
    given = [Setting("network", "public_network_id", "x")]
    with pytest.raises(CloudError, match=r"network.public_network_id=x: there is no such external"):
        external_network.choose(cloud(networks=NETWORKS), given)


def test_an_unexpected_response_is_reported_as_a_fault_of_the_cloud():
    with pytest.raises(CloudError, match="cannot list the images and flavors of the cloud: "):
        choose(cloud([image("i", min_ram="much")], FLAVORS))
