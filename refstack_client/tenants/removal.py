"""Users and projects made for one run, and their removal with everything in them.

An admin's credential never reaches Tempest. It makes one throwaway admin, whose name and password
Tempest is given to make the tenants the tests run as. Tempest names those as every other Tempest
does, so what is removed is what its log says it made, never what merely looks like it.
"""

import queue
import re
import secrets
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import openstack.exceptions
from openstack.connection import Connection

from refstack_client.cloud.connection import FAILURES, as_tenant, asked, brief
from refstack_client.cloud.facts import ADMIN_ROLE
from refstack_client.errors import CloudError
from refstack_client.tempest.log import Made

_TENANT_NAME = re.compile(r"tempest-(?P<class_name>\w+)-\d+(?P<user>-[\w-]+)?")
SECONDS_TO_SETTLE = 0.5
AT_ONCE = 16
"""Requests that are sent to a cloud at a time."""
DESCRIPTION = "made by refstack-client for one run"


@dataclass(frozen=True)
class Removal:
    """What was removed, and a sentence for each thing that could not be."""

    removed: tuple[str, ...] = ()
    stayed: tuple[str, ...] = ()

    def __add__(self, other: "Removal") -> "Removal":
        return Removal(self.removed + other.removed, self.stayed + other.stayed)


def stayed(sentence: str) -> Removal:
    return Removal(stayed=(sentence,))


@dataclass(frozen=True)
class User:
    """A user with a project of its own, and the password made for it."""

    username: str
    password: str
    project_name: str
    domain_name: str


def make_admin(connection: Connection, prefix: str) -> User:
    """Make the project and the user ``<prefix>-admin``, admin there and nowhere else.

    :raises CloudError: the credential may not do that
    """
    identity = connection.identity
    access = connection.session.auth.get_access(connection.session)
    domain_id = access.project_domain_id or access.user_domain_id or "default"
    name = f"{prefix}-admin"
    try:
        project = identity.create_project(name=name, domain_id=domain_id, description=DESCRIPTION)
        secret = password()
        user = identity.create_user(
            name=name, password=secret, domain_id=domain_id, default_project_id=project.id
        )
        role = identity.find_role(ADMIN_ROLE, ignore_missing=False)
        identity.assign_project_role_to_user(project, user, role)
        domain = identity.get_domain(domain_id)
    except FAILURES as error:
        remove_admin(connection, prefix)
        raise CloudError(
            f"this admin credential could not make a throwaway user: {brief(error)}",
            hint="use a credential that may make projects and users, or give tenant users with "
            "--accounts",
        ) from error
    return User(name, secret, name, domain.name)


def remove_admin(connection: Connection, prefix: str) -> Removal:
    """Remove what :func:`make_admin` made, and a cleaner that a killed removal left."""
    identity = connection.identity
    name = f"{prefix}-admin"
    done = Removal()
    try:
        for each in (name, _cleaner(prefix)):
            if user := identity.find_user(each):
                done += _attempt(f"user {each}", identity.delete_user, user)
        if project := identity.find_project(name):
            done += _attempt(f"project {name}", identity.delete_project, project)
    except FAILURES as error:
        done += stayed(f"user and project {name} could not be found: {brief(error)}")
    return done


def _cleaner(prefix: str) -> str:
    return f"{prefix}-cleaner"


@dataclass(frozen=True)
class Tenancy:
    """What must be known to remove the tenants of a run.

    ``prefix`` starts the names of what is made for it; ``before`` are the ids of the projects there
    were before; ``class_names`` those of its test classes; ``roles`` what a user needs in a project
    to delete what is in it.
    """

    prefix: str
    before: frozenset[str]
    class_names: frozenset[str]
    roles: tuple[str, ...]


def project_ids(connection: Connection) -> frozenset[str]:
    return frozenset(project.id for project in connection.identity.projects())


def remove_tenants(connection: Connection, tenancy: Tenancy, made: Made) -> Removal:
    """Remove tenants made for a run, and what is left of those Tempest made, with all they hold.

    Tempest removes its own itself, but not where it was cut off or failed.
    """
    identity = connection.identity

    def delete_project(project: Any) -> Removal:
        return _attempt(f"project {project.name}", identity.delete_project, project)

    try:
        projects = list(identity.projects())
        left = [
            project
            for project in projects
            if _is_ours(project.name, tenancy.prefix)
            or (project.id in made.projects - tenancy.before and _is_of_run(project.name, tenancy))
        ]
        # First, for it takes a moment, in which Keystone ends what a killed Tempest asked for.
        done = _empty(connection, left, tenancy) if left else Removal()
        names = tuple(f"{project.name}-" for project in left)
        known = list(identity.users())
        users = [
            user
            for user in known
            if user.name.startswith(names)
            or (user.id in made.users and _is_of_run(user.name, tenancy))
        ]
    except FAILURES as error:
        return stayed(f"the tenants of this run could not be listed: {brief(error)}")
    for other in _foreign(projects, known, tenancy, made):
        done += stayed(f"{other} is not called as what this run makes: it was not removed")
    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        for each in pool.map(
            lambda user: _attempt(f"user {user.name}", identity.delete_user, user), users
        ):
            done += each
        for each in pool.map(delete_project, left):
            done += each
    try:
        for project in _half_made(connection, tenancy, made):
            done += delete_project(project)
    except FAILURES as error:
        done += stayed(f"projects nobody is in could not be listed: {brief(error)}")
    return done


def foreign(connection: Connection, tenancy: Tenancy, made: Made) -> tuple[str, ...]:
    """Return what of ``made`` does not show by its name that it was made for the run.

    A note may come from anybody: an id in it proves nothing.

    :raises CloudError: Keystone cannot list projects and users
    """
    with asked("Keystone could not list projects and users", "its log says why"):
        return _foreign(connection.identity.projects(), connection.identity.users(), tenancy, made)


def _foreign(
    projects: Iterable[Any], users: Iterable[Any], tenancy: Tenancy, made: Made
) -> tuple[str, ...]:
    others = [
        f"project {each.name} ({each.id})"
        for each in projects
        if each.id in made.projects
        and (each.id in tenancy.before or not _is_of_run(each.name, tenancy))
    ]
    others += [
        f"user {each.name} ({each.id})"
        for each in users
        if each.id in made.users and not _is_of_run(each.name, tenancy)
    ]
    return tuple(others)


def _is_of_run(name: str, tenancy: Tenancy) -> bool:
    """Return whether a project or user is called as the run calls its own, or as its Tempest."""
    tenant = _TENANT_NAME.fullmatch(name)
    made_by_tempest = tenant is not None and tenant["class_name"] in tenancy.class_names
    return made_by_tempest or _is_ours(name, tenancy.prefix)


def _is_ours(name: str, prefix: str) -> bool:
    return name.startswith(f"{prefix}-") and name not in (f"{prefix}-admin", _cleaner(prefix))


def _half_made(connection: Connection, tenancy: Tenancy, made: Made) -> list:
    """Return projects whose making Tempest could not log because it was killed meanwhile.

    Such a project is newer than the run, named for one of its classes, and has nobody in it.
    Another Tempest's, caught between two of its requests, would have somebody a moment later.
    """

    def suspects() -> list:
        return [
            project
            for project in connection.identity.projects()
            if project.id not in tenancy.before | made.projects
            and (name := _TENANT_NAME.fullmatch(project.name))
            and not name["user"]
            and name["class_name"] in tenancy.class_names
            and not list(connection.identity.role_assignments(scope_project_id=project.id))
        ]

    if not suspects():
        return []
    time.sleep(SECONDS_TO_SETTLE)
    return suspects()


def _empty(connection: Connection, projects: Iterable, tenancy: Tenancy) -> Removal:
    """Delete what is in ``projects``, as a user who may do that there and nowhere else."""
    identity = connection.identity
    projects = list(projects)
    name, secret = _cleaner(tenancy.prefix), password()
    if left := identity.find_user(name):  # of a removal that was killed
        identity.delete_user(left)
    cleaner = identity.create_user(name=name, password=secret, domain_id=projects[0].domain_id)
    wanted = [role for role in identity.roles() if role.name in tenancy.roles]
    done = Removal()
    try:

        def empty(project: Any) -> Removal:
            for role in wanted:
                identity.assign_project_role_to_user(project, cleaner, role)
            auth = {"user_id": cleaner.id, "password": secret, "project_id": project.id}
            return empty_project(connection, auth, project.name)

        # openstacksdk waits a second for each, whatever is in it.
        with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
            for each in pool.map(empty, projects):
                done += each
    finally:
        removed = _attempt(f"user {name}", identity.delete_user, cleaner)
        done += Removal(stayed=removed.stayed)
    return done


def empty_project(
    connection: Connection, auth: Mapping[str, str], name: str, prefix: str = ""
) -> Removal:
    """Delete what is in a project, as the user of ``auth``.

    :param prefix: delete only what is called so, and what lies in containers called so
    """
    found: queue.Queue[Any] = queue.Queue()

    def chosen(resource: Any, *_: Any) -> bool:
        names = (getattr(resource, "container", None), resource.name)
        return any(each and each.startswith(prefix) for each in names)

    def clean() -> None:
        as_tenant(connection, auth).project_cleanup(
            dry_run=False,
            wait_timeout=60,
            status_queue=found,
            resource_evaluation_fn=chosen if prefix else None,
        )

    done = _attempt(f"what is in project {name}", clean)
    kinds = Counter(type(resource).__name__.lower() for resource in found.queue)
    counted = tuple(f"{number} x {kind} in project {name}" for kind, number in kinds.items())
    return Removal(counted, done.stayed)


def _attempt(what: str, action: Callable[..., Any], *arguments: Any) -> Removal:
    try:
        action(*arguments)
    except openstack.exceptions.NotFoundException:
        return Removal()
    except FAILURES as error:
        return stayed(f"{what} could not be removed: {brief(error)}")
    return Removal(removed=(what,))


def password() -> str:
    """Return a new one."""
    # Upper, lower, digit and special: what password rules usually ask for.
    return f"Aa1-{secrets.token_urlsafe(24)}"
