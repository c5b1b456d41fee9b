"""Choose the images, flavors and network of a cloud that the tests use. Nothing is created.

Settings of the user, such as ``--set compute.image_ref=ID``, take precedence and are checked.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from refstack_client.cloud.connection import Cloud
from refstack_client.tempest import external_network, server_resources
from refstack_client.tempest.choice import Remark
from refstack_client.tempest.settings import Setting

COMPUTE, NETWORK = "compute", "network"
CHOSEN_FOR = frozenset({COMPUTE, NETWORK})
"""Types of the services whose tests need a choice."""


@dataclass(frozen=True)
class Resources:
    """The images, flavors and network that the tests use.

    :param settings: that name those that were chosen, without those that the user names
    """

    settings: tuple[Setting, ...] = ()
    remarks: tuple[Remark, ...] = ()


def choose(cloud: Cloud, service_types: Collection[str], settings: Sequence[Setting]) -> Resources:
    """Return the smallest images, flavors and network that suffice, and remarks about them.

    :param cloud: with the connection of a user as whom tests run, or of an admin; what an admin
        sees is limited to what a new tenant can use
    :param service_types: of the services that are tested
    :param settings: of the user; what they name is used, after a check
    :raises CloudError: servers are tested, and none can be created; or a resource that the user
        names does not exist, or does not fit the others
    """
    chosen: list[Setting] = []
    remarks: list[Remark] = []
    if COMPUTE in service_types:
        servers = server_resources.choose(cloud, settings)
        chosen += servers.settings()
        remarks += server_resources.remarks(servers)
    if NETWORK in service_types:
        network = external_network.choose(cloud, settings)
        chosen += external_network.settings_of(network) if network else ()
        remarks += external_network.remarks(network)
    named = {(setting.section, setting.option) for setting in settings}
    return Resources(
        tuple(setting for setting in chosen if (setting.section, setting.option) not in named),
        tuple(remarks),
    )
