"""What Keystone lists: projects, users and roles that have a name.

Some clouds list users of a directory service without one. A run has not created these.

Each function raises one of :data:`.failures.FAILURES` if Keystone does not answer with a list.
"""

from collections.abc import Iterable, Iterator
from typing import Protocol, TypeVar

from openstack.identity.v3.project import Project
from openstack.identity.v3.role import Role
from openstack.identity.v3.user import User

from refstack_client.cloud.connection import Cloud


class _Named(Protocol):
    id: str
    name: str


_Resource = TypeVar("_Resource", bound=_Named)


def projects(cloud: Cloud) -> list[Project]:
    """Return all projects."""
    return list(_named(cloud.connection.identity.projects()))


def users(cloud: Cloud) -> list[User]:
    """Return all users."""
    return list(_named(cloud.connection.identity.users()))


def roles(cloud: Cloud) -> list[Role]:
    """Return all roles."""
    return list(_named(cloud.connection.identity.roles()))


def _named(resources: Iterable[_Resource]) -> Iterator[_Resource]:
    return (
        found for found in resources if isinstance(found.name, str) and isinstance(found.id, str)
    )
