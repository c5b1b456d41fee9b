"""The contents of a sandbox beyond Keystone's own bootstrap: catalog, roles, users, resources."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial
from ipaddress import IPv4Network
from typing import Protocol

import keystoneauth1.session
import openstack
import requests
import tenacity
from openstack.connection import Connection
from openstack.identity.v3._proxy import Proxy as Identity
from openstack.identity.v3.project import Project
from openstack.identity.v3.user import User
from openstack.image.v2.image import Image as GlanceImage

from refstack_client.sandbox.credentials import (
    OPERATORS,
    REGION,
    RESELLERS,
    TENANT,
    Access,
    admin_cloud,
)
from refstack_client.sandbox.guest import Guests
from refstack_client.sandbox.shape_model import Flavor, Image, Shape
from refstack_client.sandbox.shapes import SHAPES

OPERATOR_ROLES = ("member", "SwiftOperator")
RESELLER_ROLES = ("member", "ResellerAdmin")


@dataclass(frozen=True)
class CatalogueEntry:
    """A service in the catalog: ``url`` is for other services, ``public_url`` for clients."""

    name: str
    service_type: str
    url: str
    public_url: str
    roles: tuple[str, ...]


def populate(access: Access, catalogue: tuple[CatalogueEntry, ...]) -> None:
    """Create the catalog, roles, projects and users that do not exist yet."""
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
            user = _user(identity, entry.name, access.secrets.service_password, project)
            for name in ("admin", "service"):
                identity.assign_project_role_to_user(project, user, roles[name])
    tenants = dict.fromkeys((TENANT, *OPERATORS), OPERATOR_ROLES)
    tenants |= dict.fromkeys(RESELLERS, RESELLER_ROLES)
    for name, tenant_roles in tenants.items():
        project = _project(identity, name)
        user = _user(identity, name, access.secrets.tenant_password, project)
        for role in tenant_roles:
            if role in roles:
                identity.assign_project_role_to_user(project, user, roles[role])


def _connect(access: Access) -> Connection:
    session = requests.Session()
    session.trust_env = False  # an HTTP proxy of the user's does not reach loopback
    config = openstack.config.OpenStackConfig(
        load_envvars=False,
        load_yaml_config=False,
        session_constructor=partial(keystoneauth1.session.Session, session=session),
    )
    # The catalog may be changing, and the endpoints for clients may have latency.
    return Connection(
        config=config.get_one(
            **admin_cloud(access, access.auth_url),
            interface="internal",
            identity_endpoint_override=access.auth_url,
        )
    )


def _project(identity: Identity, name: str) -> Project:
    return identity.find_project(name) or identity.create_project(name=name, domain_id="default")


def _user(identity: Identity, name: str, password: str, project: Project) -> User:
    return identity.find_user(name) or identity.create_user(
        name=name, password=password, domain_id="default", default_project_id=project.id
    )


def _endpoint(identity: Identity, entry: CatalogueEntry) -> None:
    service = identity.find_service(entry.name) or identity.create_service(
        name=entry.name, type=entry.service_type
    )
    existing = list(identity.endpoints(service_id=service.id))
    for interface, url in (("public", entry.public_url), ("internal", entry.url)):
        endpoint = next((found for found in existing if found.interface == interface), None)
        if endpoint is None:
            identity.create_endpoint(
                service_id=service.id, interface=interface, region_id=REGION, url=url
            )
        elif endpoint.url != url:
            identity.update_endpoint(endpoint, url=url)


# -- resources that tests use ---------------------------------------------------------------------

IMAGES = (Image("sandbox-image"), Image("sandbox-image-alt"))
FLAVORS = (
    Flavor("sandbox.nano", vcpus=1, ram=64, disk=1, id="42"),
    Flavor("sandbox.micro", vcpus=1, ram=128, disk=1, id="84"),
)
IMAGE_TAG = "sandbox-shape"
"""Of the images that belong to a shape."""
_BOOT_FILES = ("aki", "ari")
"""Formats of kernels and ramdisks, which are container formats too."""
NETWORK = "public"
UNREACHABLE = IPv4Network("172.24.4.0/22")
"""The network of the floating IPs of servers without guests."""
VOLUME_TYPE = "sandbox"
SECONDS_TO_BE_READY = 90


class NotReadyError(Exception):
    """The API of a service answers, but the processes behind it are not ready."""


@dataclass(frozen=True)
class _Target:
    """Where and for what resources are created."""

    admin: Connection
    since: datetime
    shape: Shape
    guests: Guests | None


def create_test_resources(
    access: Access,
    services: Sequence[str],
    since: datetime,
    shape: Shape,
    guests: Guests | None = None,
) -> None:
    """Create images, flavors, a public network and a volume type, as soon as each service can.

    Remove the images and flavors of other shapes.

    :param services: names of the services of the sandbox
    :param since: only newer heartbeats count: the last one of a service that died is valid for a
        minute
    :param guests: what they boot from and how they are reached; None for servers without guests
    :raises NotReadyError: a service cannot create them
    """
    target = _Target(_connect(access), since, shape, guests)
    for name in services:
        if name in _CREATORS:
            _CREATORS[name](target)


def _images(target: _Target) -> None:
    admin, shape = target.admin, target.shape
    boot = _boot_images(admin, target.guests) if target.guests else {}
    wanted = {image.name: image for image in (*IMAGES, *shape.images)}
    existing = {image.name for image in admin.image.images()}
    for is_hidden in (False, True):
        for image in admin.image.images(tag=IMAGE_TAG, visibility="all", is_hidden=is_hidden):
            if image.name in wanted:
                existing.add(image.name)
            else:
                admin.image.delete_image(image)
    for name, image in wanted.items():
        if name not in existing:
            tags = (IMAGE_TAG,) if image in shape.images else ()
            _image(admin, image, b"this image does not boot\n" * 40, tags, boot)


def _boot_images(admin: Connection, guests: Guests) -> dict[str, str]:
    """Create a kernel and a ramdisk, and return the properties of an image that boots them.

    They are hidden, so that no user mistakes them for the image of a server.
    """
    ids = {}
    for kind, disk_format, path in (
        ("kernel", "aki", guests.kernel),
        ("ramdisk", "ari", guests.ramdisk),
    ):
        image = Image(f"sandbox-{kind}", format=disk_format, is_hidden=True)
        found = admin.image.find_image(image.name)
        ids[f"{kind}_id"] = (found or _image(admin, image, path.read_bytes())).id
    return ids


def _image(
    admin: Connection,
    image: Image,
    content: bytes,
    tags: Sequence[str] = (),
    properties: Mapping[str, str] | None = None,
) -> GlanceImage:
    data = None if image.status == "queued" else content
    created = admin.image.create_image(
        name=image.name,
        disk_format=image.format,
        container_format=image.format if image.format in _BOOT_FILES else "bare",
        visibility=image.visibility,
        tags=list(tags),
        data=data,
        **(properties or {}),
    )
    if image.is_hidden:
        admin.image.update_image(created, is_hidden=True)
    if image.status == "deactivated":
        admin.image.deactivate_image(created)
    return created


def _network(target: _Target) -> None:
    admin = target.admin
    subnet = target.guests.network if target.guests else UNREACHABLE
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
            cidr=str(subnet),
            gateway_ip=str(subnet[1]),
            is_dhcp_enabled=False,
        )


def _flavors(target: _Target) -> None:
    admin, since, shape = target.admin, target.since, target.shape
    binaries = {"nova-conductor", "nova-scheduler", "nova-compute"}
    _wait("nova", lambda: binaries <= _alive(admin.compute.services(), since))
    _wait("the hypervisor of nova", lambda: any(True for _ in admin.compute.hypervisors()))
    wanted = {flavor.name: flavor for flavor in shape.flavors or FLAVORS}
    of_shapes = (flavor for other in SHAPES.values() for flavor in other.flavors)
    unwanted = {flavor.name for flavor in (*FLAVORS, *of_shapes)} - set(wanted)
    existing = {flavor.name: flavor for flavor in admin.compute.flavors()}
    for name in unwanted & set(existing):
        admin.compute.delete_flavor(existing[name])
    for name, flavor in wanted.items():
        if name not in existing:
            admin.compute.create_flavor(**asdict(flavor))


def _volume_type(target: _Target) -> None:
    admin, since = target.admin, target.since
    binaries = {"cinder-scheduler", "cinder-volume"}
    _wait("cinder", lambda: binaries <= _alive(admin.block_storage.services(), since))
    if not admin.block_storage.find_type(VOLUME_TYPE):
        admin.block_storage.create_type(name=VOLUME_TYPE)


_CREATORS: dict[str, Callable[[_Target], None]] = {
    "glance": _images,
    "neutron": _network,
    "cinder": _volume_type,
    "nova": _flavors,
}


class _Service(Protocol):
    """A service record of Nova or Cinder."""

    binary: str
    state: str
    updated_at: str | None


def _alive(services: Iterable[_Service], since: datetime) -> set[str]:
    """Return the programs that have sent a heartbeat since ``since``."""
    return {
        service.binary
        for service in services
        if service.state == "up" and service.updated_at and _time(service.updated_at) >= since
    }


def _time(text: str) -> datetime:
    """Parse a time of the API, which is UTC where it names no zone."""
    time = datetime.fromisoformat(text)
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _wait(service: str, is_ready: Callable[[], bool]) -> None:
    try:
        tenacity.Retrying(
            retry=tenacity.retry_if_result(lambda ready: not ready)
            | tenacity.retry_if_exception_type(openstack.exceptions.SDKException),
            stop=tenacity.stop_after_delay(SECONDS_TO_BE_READY),
            wait=tenacity.wait_fixed(0.3),
        )(is_ready)
    except tenacity.RetryError as error:
        raise NotReadyError(f"{service} is not ready after {SECONDS_TO_BE_READY} s") from error
