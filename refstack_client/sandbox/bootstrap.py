"""What a sandbox's Keystone holds beyond its bootstrap: catalogue, roles, users."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import openstack
import tenacity
from openstack.connection import Connection

REGION = "RegionOne"
TENANT = "sandbox-tenant"
# Per Tempest worker: a primary and an alternate user, and one who may set account quotas.
OPERATORS = tuple(f"operator-{number}" for number in range(1, 5))
RESELLERS = tuple(f"reseller-{number}" for number in range(1, 3))
OPERATOR_ROLES = ("member", "SwiftOperator")
RESELLER_ROLES = ("member", "ResellerAdmin")


@dataclass(frozen=True)
class Access:
    """How to reach a sandbox's Keystone, and the passwords in it."""

    auth_url: str
    admin_password: str
    service_password: str
    tenant_password: str


@dataclass(frozen=True)
class CatalogueEntry:
    """``url`` is where other services reach it, ``public_url`` where everybody else does."""

    name: str
    service_type: str
    url: str
    public_url: str
    roles: tuple[str, ...]


def clouds(access: Access, auth_url: str, tempest: Sequence[str] = ()) -> dict[str, Any]:
    """Return a clouds.yaml document with an admin's cloud and a tenant's.

    :param tempest: settings that go with the cloud
    """

    def cloud(user: str, project: str, password: str) -> dict[str, Any]:
        auth = {
            "auth_url": auth_url,
            "username": user,
            "password": password,
            "project_name": project,
            "user_domain_name": "Default",
            "project_domain_name": "Default",
        }
        more = {"tempest": list(tempest)} if tempest else {}
        return {"auth": auth, "region_name": REGION, "identity_api_version": 3, **more}

    return {
        "clouds": {
            "sandbox": cloud("admin", "admin", access.admin_password),
            TENANT: cloud(TENANT, TENANT, access.tenant_password),
        }
    }


def accounts(access: Access) -> list[dict[str, Any]]:
    """Return an accounts file as Tempest reads it, without roles: those are seen in the tokens."""
    return [
        {
            "username": name,
            "project_name": name,
            "password": access.tenant_password,
            "domain_name": "Default",
        }
        for name in (*OPERATORS, *RESELLERS)
    ]


def populate(access: Access, catalogue: tuple[CatalogueEntry, ...]) -> None:
    """Make what is missing; nothing is made twice."""
    identity = _connect(access).identity
    roles = {role.name: role for role in identity.roles()}
    for entry in catalogue:
        for name in entry.roles:
            if name not in roles:
                roles[name] = identity.create_role(name=name)
    project = _project(identity, "service")
    for entry in catalogue:
        _endpoint(identity, entry)
        if entry.service_type != "identity":
            user = _user(identity, entry.name, access.service_password, project)
            for name in ("admin", "service"):
                identity.assign_project_role_to_user(project, user, roles[name])
    tenants = dict.fromkeys((TENANT, *OPERATORS), OPERATOR_ROLES)
    tenants |= dict.fromkeys(RESELLERS, RESELLER_ROLES)
    for name, wanted in tenants.items():
        project = _project(identity, name)
        user = _user(identity, name, access.tenant_password, project)
        for role in wanted:
            if role in roles:
                identity.assign_project_role_to_user(project, user, roles[role])


def _connect(access: Access) -> Connection:
    config = openstack.config.OpenStackConfig(load_envvars=False, load_yaml_config=False)
    admin = clouds(access, access.auth_url)["clouds"]["sandbox"]
    # What the catalogue says may be changing, and everybody's way in may be a long one.
    return Connection(
        config=config.get_one(
            **admin, interface="internal", identity_endpoint_override=access.auth_url
        )
    )


def _project(identity, name: str):
    return identity.find_project(name) or identity.create_project(name=name, domain_id="default")


def _user(identity, name: str, password: str, project):
    return identity.find_user(name) or identity.create_user(
        name=name, password=password, domain_id="default", default_project_id=project.id
    )


def _endpoint(identity, entry: CatalogueEntry) -> None:
    service = identity.find_service(entry.name) or identity.create_service(
        name=entry.name, type=entry.service_type
    )
    existing = list(identity.endpoints(service_id=service.id))
    for interface, url in (("public", entry.public_url), ("internal", entry.url)):
        endpoint = next((each for each in existing if each.interface == interface), None)
        if endpoint is None:
            identity.create_endpoint(
                service_id=service.id, interface=interface, region_id=REGION, url=url
            )
        elif endpoint.url != url:
            identity.update_endpoint(endpoint, url=url)


# -- what tests need to be there ------------------------------------------------------------------

IMAGES = ("sandbox-image", "sandbox-image-alt")
FLAVORS = (("sandbox.nano", "42", 64), ("sandbox.micro", "84", 128))
NETWORK = "public"
VOLUME_TYPE = "sandbox"
SECONDS_TO_BE_READY = 90


class NotReadyError(Exception):
    """A service answers, but what stands behind its API does not work."""


def furnish(access: Access, services: Sequence[str], since: datetime) -> None:
    """Make images, flavors, a public network and a volume type, once each service can.

    :param since: a heartbeat must be newer: one of a service that died still counts for a minute
    :raises NotReadyError: one cannot
    """
    admin = _connect(access)
    for name in services:
        if name in _FURNITURE:
            _FURNITURE[name](admin, since)


def _images(admin: Connection, since: datetime) -> None:
    for name in IMAGES:
        if not admin.image.find_image(name):
            admin.image.create_image(
                name=name,
                disk_format="raw",
                container_format="bare",
                visibility="public",
                data=b"nothing boots from this\n" * 40,
            )


def _network(admin: Connection, since: datetime) -> None:
    network = admin.network.find_network(NETWORK) or admin.network.create_network(
        name=NETWORK,
        is_router_external=True,
        provider_network_type="flat",
        provider_physical_network=NETWORK,
    )
    if not admin.network.find_subnet(NETWORK):
        admin.network.create_subnet(
            network_id=network.id,
            name=NETWORK,
            ip_version=4,
            cidr="172.24.4.0/22",
            gateway_ip="172.24.4.1",
            is_dhcp_enabled=False,
        )


def _flavors(admin: Connection, since: datetime) -> None:
    wanted = {"nova-conductor", "nova-scheduler", "nova-compute"}
    _wait("nova", lambda: wanted <= _beating(admin.compute.services(), since))
    _wait("nova's hypervisor", lambda: any(True for _ in admin.compute.hypervisors()))
    for name, flavor_id, memory in FLAVORS:
        if not admin.compute.find_flavor(flavor_id):
            admin.compute.create_flavor(name=name, id=flavor_id, ram=memory, vcpus=1, disk=1)


def _volume_type(admin: Connection, since: datetime) -> None:
    wanted = {"cinder-scheduler", "cinder-volume"}
    _wait("cinder", lambda: wanted <= _beating(admin.block_storage.services(), since))
    if not admin.block_storage.find_type(VOLUME_TYPE):
        admin.block_storage.create_type(name=VOLUME_TYPE)


_FURNITURE: dict[str, Callable[[Connection, datetime], None]] = {
    "glance": _images,
    "neutron": _network,
    "cinder": _volume_type,
    "nova": _flavors,
}


def _beating(services: Iterable[Any], since: datetime) -> set[str]:
    return {
        each.binary
        for each in services
        if each.state == "up" and each.updated_at and _time(each.updated_at) >= since
    }


def _time(text: str) -> datetime:
    """Return a time as services write it: without a zone it is UTC."""
    time = datetime.fromisoformat(text)
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _wait(what: str, is_ready: Callable[[], bool]) -> None:
    try:
        tenacity.Retrying(
            retry=tenacity.retry_if_result(lambda ready: not ready)
            | tenacity.retry_if_exception_type(openstack.exceptions.SDKException),
            stop=tenacity.stop_after_delay(SECONDS_TO_BE_READY),
            wait=tenacity.wait_fixed(0.3),
        )(is_ready)
    except tenacity.RetryError as error:
        raise NotReadyError(f"{what} is not ready after {SECONDS_TO_BE_READY} s") from error
