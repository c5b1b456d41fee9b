"""Choose the network of a cloud that leads to the outside; look for one inside."""

from collections.abc import Iterator, Sequence

from openstack.network.v2.network import Network

from refstack_client.cloud.connection import Cloud
from refstack_client.cloud.failures import FAILURES, reported_as
from refstack_client.tempest.choice import Pins, Remark
from refstack_client.tempest.settings import Setting

SECTION = "network"
_PUBLIC_NETWORK, _FLOATING_NETWORK = "public_network_id", "floating_network_name"
_ALL_PROJECTS = "*"
_NO_NETWORK = "tests of floating IPs and of routers to the outside skip or fail"


def choose(cloud: Cloud, settings: Sequence[Setting]) -> Network | None:
    """Return the network to the outside: with a subnet if possible, then Neutron's default.

    :param settings: of the user; the network that they name is returned, after a check
    :raises CloudError: Neutron does not list its networks, or the named network does not exist
    """
    with reported_as(
        "Neutron cannot list its networks", "openstack network list shows the same error"
    ):
        return _choose(cloud, Pins.of(SECTION, settings))


def router_network(cloud: Cloud, settings: Sequence[Setting]) -> str:
    """Return the id of the network to which routers are connected; "" if there is no such network.

    :raises CloudError: as :func:`choose`
    """
    network = choose(cloud, settings)
    return network.id if network and network.subnet_ids else ""


def has_internal(cloud: Cloud) -> bool:
    """Return whether a user sees a network with a subnet for servers: its project's, or a shared.

    :raises CloudError: Neutron does not list its networks
    """
    with reported_as(
        "Neutron cannot list its networks", "openstack network list shows the same error"
    ):
        networks = cloud.connection.network.networks()
        return any(one.subnet_ids and not one.is_router_external for one in networks)


def settings_of(network: Network) -> tuple[Setting, ...]:
    """Return the settings of tempest.conf that name a network."""
    return (
        Setting(SECTION, _PUBLIC_NETWORK, network.id),
        Setting(SECTION, _FLOATING_NETWORK, network.name),
    )


def remarks(network: Network | None) -> Iterator[Remark]:
    """Yield which tests cannot pass with a network, or without one."""
    option = f"{SECTION}.{_PUBLIC_NETWORK}"
    if network is None:
        message = f"no external network is available to every project: {_NO_NETWORK}"
        yield Remark(option, message, f"make one available, or --set {option}=ID")
    elif not network.subnet_ids:
        hint = f"openstack subnet create --network {network.id} …, or --set {option}=ID"
        yield Remark(option, f"{network.name} has no subnet: {_NO_NETWORK}", hint)


def _choose(cloud: Cloud, pins: Pins) -> Network | None:
    networks = [
        network
        for network in cloud.connection.network.networks(is_router_external=True)
        if network.is_router_external
    ]
    for option, attribute in ((_PUBLIC_NETWORK, "id"), (_FLOATING_NETWORK, "name")):
        if named := pins.ids.get(option):
            networks = [network for network in networks if getattr(network, attribute) == named]
            if not networks:
                raise pins.error(
                    option,
                    "there is no such external network for this user",
                    "openstack network list --external shows them",
                )
    usable = _for_new_tenants(cloud, networks) if cloud.facts.is_admin else networks
    return min(usable, key=_network_order, default=None)


def _network_order(network: Network) -> tuple[object, ...]:
    disconnected = not network.subnet_ids or network.is_admin_state_up is False
    return disconnected, not network.is_default, network.name or "", network.id


def _for_new_tenants(cloud: Cloud, networks: Sequence[Network]) -> Sequence[Network]:
    """Return the networks that every project may use.

    An admin also sees those that a policy opens to some projects only. Neutron is asked about that
    only if there are several networks to choose from.
    """
    if len(networks) <= 1:
        return networks
    try:
        policies = cloud.connection.network.rbac_policies(
            object_type="network", action="access_as_external", target_project_id=_ALL_PROJECTS
        )
        open_ids = {policy.object_id for policy in policies}
    except FAILURES:
        return networks
    return [network for network in networks if network.id in open_ids]
