"""Which image, flavors and network of a cloud the tests use: chosen among what it has, never made.

``--set compute.image_ref=ID`` and its like go before what is chosen here.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from openstack.connection import Connection

from refstack_client.cloud import connection as cloud
from refstack_client.errors import CloudError
from refstack_client.tempest.conf import Setting

COMPUTE, IMAGE, NETWORK = "compute", "image", "network"


def choose(
    connection: Connection, endpoints: Iterable[str], given: Sequence[Setting]
) -> tuple[Setting, ...]:
    """Return the settings that name what is used: the smallest that serves.

    :param endpoints: the service types the cloud has
    :param given: settings of the user's, which are not chosen again
    :raises CloudError: servers can be made, but of no image or flavor
    """
    there = set(endpoints)
    chosen: list[Setting] = []
    known = {(section, option) for section, option, _ in given}
    with cloud.asked(
        "what there is to test with could not be listed",
        "openstack image list, flavor list and network list show the same",
    ):
        images = _images(connection) if IMAGE in there else []
        if COMPUTE in there:
            chosen += _pair("image_ref", [each.id for each in images], "image")
            flavors = _flavors(connection, images[0] if images else None)
            chosen += _pair("flavor_ref", [each.id for each in flavors], "flavor")
        if NETWORK in there:
            chosen += _public_network(connection)
    return tuple(each for each in chosen if each[:2] not in known)


def _pair(option: str, ids: Sequence[str], what: str) -> Iterable[Setting]:
    """Yield a first choice and another one, where there is another."""
    if not ids:
        raise CloudError(
            f"the cloud has no {what} that this user may use",
            hint=f"make one public, or name one with --set compute.{option}=ID",
        )
    yield COMPUTE, option, ids[0]
    yield COMPUTE, f"{option}_alt", ids[min(1, len(ids) - 1)]


def _images(connection: Connection) -> list[Any]:
    """Return the images that everybody may use, the smallest first."""
    found = connection.image.images(status="active", visibility="public")
    return sorted(found, key=lambda each: (each.min_disk or 0, each.size or 0, each.name or ""))


def _flavors(connection: Connection, image: Any) -> list[Any]:
    """Return the flavors that suffice for ``image``, the smallest first."""
    memory, disk = (image.min_ram or 0, image.min_disk or 0) if image else (0, 0)
    found = (
        each
        for each in connection.compute.flavors()
        if each.ram >= memory and (each.disk >= disk or not each.disk)
    )
    return sorted(found, key=lambda each: (each.ram, each.vcpus, each.disk, each.name))


def external_network(connection: Connection) -> str:
    """Return the id of the network that leads outside; "" where there is none."""
    with cloud.asked("Neutron could not list its networks", "its log says why"):
        found = _external(connection)
    return found[0].id if found else ""


def _external(connection: Connection) -> list[Any]:
    found = connection.network.networks(is_router_external=True)
    return sorted(found, key=lambda each: each.name or "")


def _public_network(connection: Connection) -> Iterable[Setting]:
    for each in _external(connection)[:1]:
        yield NETWORK, "public_network_id", each.id
        yield NETWORK, "floating_network_name", each.name
