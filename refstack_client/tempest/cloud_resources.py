"""Choose the image, flavors and network of a cloud that the tests use. Nothing is created.

Settings of the user, such as ``--set compute.image_ref=ID``, take precedence.
"""

from collections.abc import Collection, Iterator, Sequence

from openstack.compute.v2.flavor import Flavor
from openstack.connection import Connection
from openstack.image.v2.image import Image
from openstack.network.v2.network import Network

from refstack_client.cloud.failures import reported_as
from refstack_client.errors import CloudError
from refstack_client.tempest.settings import Setting

COMPUTE, IMAGE, NETWORK = "compute", "image", "network"


def choose(
    connection: Connection, service_types: Collection[str], settings: Sequence[Setting]
) -> tuple[Setting, ...]:
    """Return settings that name the smallest image, flavors and network that suffice.

    :param service_types: of the services that are tested
    :param settings: of the user; what they name is not chosen
    :raises CloudError: servers are tested, and there is no image or flavor for them
    """
    chosen: list[Setting] = []
    with reported_as(
        "cannot list the images, flavors and networks of the cloud",
        "openstack image list, flavor list and network list show the same error",
    ):
        images = _images(connection) if IMAGE in service_types else []
        if COMPUTE in service_types:
            chosen += _pair("image_ref", [image.id for image in images], "image")
            flavors = _flavors(connection, images[0] if images else None)
            chosen += _pair("flavor_ref", [flavor.id for flavor in flavors], "flavor")
        if NETWORK in service_types:
            chosen += _public_network(connection)
    named = {(setting.section, setting.option) for setting in settings}
    return tuple(setting for setting in chosen if (setting.section, setting.option) not in named)


def external_network(connection: Connection) -> str:
    """Return the id of the external network; "" if it has no such network.

    :raises CloudError: Neutron does not list its networks
    """
    with reported_as("Neutron cannot list its networks", "see the log of Neutron"):
        networks = _external(connection)
    return networks[0].id if networks else ""


def _pair(option: str, ids: Sequence[str], kind: str) -> Iterator[Setting]:
    """Yield a first choice and an alternative, which is the same if there is only one."""
    if not ids:
        raise CloudError(
            f"the cloud has no {kind} that this user may use",
            hint=f"make one public, or name one with --set compute.{option}=ID",
        )
    yield Setting(COMPUTE, option, ids[0])
    yield Setting(COMPUTE, f"{option}_alt", ids[min(1, len(ids) - 1)])


def _images(connection: Connection) -> list[Image]:
    """Return the public images, the smallest first."""
    images = connection.image.images(status="active", visibility="public")
    return sorted(
        images, key=lambda image: (image.min_disk or 0, image.size or 0, image.name or "")
    )


def _flavors(connection: Connection, image: Image | None) -> list[Flavor]:
    """Return the flavors that suffice for ``image``, the smallest first."""
    memory, disk = (image.min_ram or 0, image.min_disk or 0) if image else (0, 0)
    flavors = (
        flavor
        for flavor in connection.compute.flavors()
        if flavor.ram >= memory and (flavor.disk >= disk or not flavor.disk)
    )
    return sorted(flavors, key=lambda flavor: (flavor.ram, flavor.vcpus, flavor.disk, flavor.name))


def _external(connection: Connection) -> list[Network]:
    networks = connection.network.networks(is_router_external=True)
    return sorted(networks, key=lambda network: network.name or "")


def _public_network(connection: Connection) -> Iterator[Setting]:
    for network in _external(connection)[:1]:
        yield Setting(NETWORK, "public_network_id", network.id)
        yield Setting(NETWORK, "floating_network_name", network.name)
