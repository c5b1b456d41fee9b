"""Place a certifier's challenge in the cloud, and record which services saw it.

Its mark is in the name of every project and of every resource of the run. Besides, a tenant creates
something of that name, and removes it again: an accounts file brings projects of its own.
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from openstack.connection import Connection

from refstack_client.cloud import cloud_identity
from refstack_client.cloud.account import Account
from refstack_client.cloud.connection import Cloud
from refstack_client.cloud.failures import reported_as
from refstack_client.outcomes.challenge import SignedChallenge


@dataclass(frozen=True)
class _Resource:
    """What a tenant creates, and removes by its name or id."""

    kind: str
    create: Callable[[Connection, str], Any]
    remove: Callable[[Connection, Any], Any]


_BY_PROJECT: Mapping[str, _Resource] = {
    "swift": _Resource(
        "a container",
        lambda tenant, name: tenant.object_store.create_container(name=name),
        lambda tenant, container: tenant.object_store.delete_container(container),
    ),
    "nova": _Resource(
        "a key pair",
        lambda tenant, name: tenant.compute.create_keypair(name=name),
        lambda tenant, pair: tenant.compute.delete_keypair(pair),
    ),
    "neutron": _Resource(
        "a security group",
        lambda tenant, name: tenant.network.create_security_group(name=name),
        lambda tenant, group: tenant.network.delete_security_group(group),
    ),
    "glance": _Resource(
        "an image",
        lambda tenant, name: tenant.image.create_image(name, allow_duplicates=True),
        lambda tenant, image: tenant.image.delete_image(image),
    ),
}
"""What a tenant of each service can create at once; the first service that is tested is used."""


@contextlib.contextmanager
def observed(cloud: Cloud, challenge: SignedChallenge | None) -> Iterator[None]:
    """Record the requests that name the mark of a challenge, if there is one, in the block."""
    cloud.access.request_log.text = challenge.mark if challenge else ""
    try:
        yield
    finally:
        cloud.access.request_log.text = ""


def place(
    cloud: Cloud,
    user: Account,
    challenge: SignedChallenge,
    *,
    projects: Sequence[str],
    prefix: str,
) -> dict[str, object]:
    """Let a tenant create a resource with the mark in its name; return what is recorded.

    :param user: one of those as whom the tests run
    :param projects: whose services are tested
    :param prefix: start of the names of the run, with the mark in it
    :raises CloudError: the tenant cannot, or Keystone does not describe itself
    """
    for project, resource in _BY_PROJECT.items():
        if project in projects:
            with reported_as(
                f"{user.username} cannot create {resource.kind} to place the challenge",
                "tests need to create such resources too: check roles and quota of the user",
            ):
                tenant = cloud.connect_as(user.as_auth())
                resource.remove(tenant, resource.create(tenant, f"{prefix}-challenge"))
            break
    return {
        "sha256": challenge.digest,
        "prefix": prefix,
        "cloud": cloud_identity.read(cloud),
        "requests": list(cloud.access.request_log.entries),
    }
