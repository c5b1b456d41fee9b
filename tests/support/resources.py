"""Images, flavors and networks as openstacksdk returns them, and a cloud that lists them."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from types import SimpleNamespace

import openstack.exceptions
from openstack.compute.v2.flavor import Flavor
from openstack.image.v2.image import Image
from openstack.network.v2.network import Network

from refstack_client.cloud.access import Access
from refstack_client.cloud.connection import Cloud
from support.making import FACTS

GIB = 2**30


def image(name: str, **attributes: object) -> Image:
    """Return an image that boots."""
    usual = {"status": "active", "visibility": "public", "disk_format": "qcow2", "size": 10}
    return Image.existing(id=name, name=name, **{**usual, **attributes})


def flavor(name: str, ram: int = 64, disk: int = 1, vcpus: int = 1, **attributes: object) -> Flavor:
    """Return a public flavor."""
    return Flavor.existing(id=name, name=name, ram=ram, disk=disk, vcpus=vcpus, **attributes)


def network(name: str, *, subnets: Sequence[str] = ("s",), **attributes: object) -> Network:
    """Return an external network, with a subnet unless ``subnets`` is empty."""
    return Network.existing(
        id=f"id-{name}", name=name, subnets=list(subnets), is_router_external=True, **attributes
    )


def flavors_of_scs() -> list[Flavor]:
    """Return flavors by the names of SCS-0103: most have no disk."""
    return [
        flavor("SCS-1L-1", 1024, 0),
        flavor("SCS-1V-2", 2048, 0),
        flavor("SCS-1V-4", 4096, 0),
        flavor("SCS-2V-4", 4096, 0, 2),
        flavor("SCS-2V-4-20s", 4096, 20, 2),
        flavor("SCS-1L-1-5", 1024, 5),
        flavor("SCS-1V-4-10", 4096, 10),
    ]


def cloud(
    images: Iterable[Image] = (),
    flavors: Iterable[Flavor] = (),
    networks: Iterable[Network] = (),
    *,
    roles: Sequence[str] = ("admin",),
    open_to_all: Iterable[str] = (),
) -> Cloud:
    """Return a cloud that lists these resources.

    :param roles: of the user who asks
    :param open_to_all: ids of the external networks that every project may use
    """
    images, flavors = list(images), list(flavors)
    connection = SimpleNamespace(
        image=SimpleNamespace(
            images=lambda status, visibility: [
                one for one in images if one.status == status and one.visibility == visibility
            ],
            get_image=lambda name: _get(images, name),
        ),
        compute=SimpleNamespace(
            flavors=lambda: [one for one in flavors if one.is_public],
            get_flavor=lambda name: _get(flavors, name),
        ),
        network=SimpleNamespace(
            networks=lambda **_: iter(networks),
            rbac_policies=lambda **_: [SimpleNamespace(object_id=name) for name in open_to_all],
        ),
    )
    return Cloud(connection, Access(), replace(FACTS, roles=tuple(roles)))


def _get(resources: Sequence, name: str):
    for one in resources:
        if one.id == name:
            return one
    raise openstack.exceptions.NotFoundException(name)
