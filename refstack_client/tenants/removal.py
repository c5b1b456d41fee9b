"""Remove the tenants of one run with everything in them.

The user's admin credential never reaches Tempest. Tempest receives a throwaway admin to create the
tenants of some tests. It names those as every other Tempest does. What is removed is what its log
shows it to have created, never what merely has such a name.
"""

import queue
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import openstack.exceptions
from openstack.identity.v3.project import Project
from openstack.identity.v3.user import User

from refstack_client.cloud import service_catalog
from refstack_client.cloud.account import new_password
from refstack_client.cloud.connection import Cloud
from refstack_client.cloud.failures import FAILURES, reported_as, summary
from refstack_client.errors import CloudError
from refstack_client.tempest.log import CreatedIds
from refstack_client.tenants import keystone_lists
from refstack_client.tenants.tenancy import (
    TENANT_NAME,
    Tenancy,
    admin_name,
    cleaner_name,
    has_prefix,
    is_of_run,
)

SECONDS_TO_SETTLE = 0.5
AT_ONCE = 16
"""Requests that are sent to a cloud at the same time."""

Show = Callable[[str, int, int], None]
"""Shows the progress of a removal: what is removed, how many of how many."""


@dataclass(frozen=True)
class Removal:
    """The outcome of a removal.

    :param removed: names of the removed resources
    :param leaked: a sentence for each resource that could not be removed
    """

    removed: tuple[str, ...] = ()
    leaked: tuple[str, ...] = ()

    def __add__(self, other: "Removal") -> "Removal":
        """Return the outcome of both."""
        return Removal(self.removed + other.removed, self.leaked + other.leaked)


def _leak(sentence: str) -> Removal:
    return Removal(leaked=(sentence,))


def project_ids(cloud: Cloud) -> frozenset[str]:
    """Return the ids of all projects.

    :raises CloudError: Keystone does not list its projects
    """
    with reported_as("Keystone cannot list its projects", "see the log of Keystone"):
        return frozenset(project.id for project in keystone_lists.projects(cloud))


def show_nothing(what: str, done: int, total: int) -> None:
    """Show no progress."""


def remaining(cloud: Cloud, tenancy: Tenancy, created: CreatedIds) -> tuple[str, ...]:
    """Return name and ID of each project and user of a run that is in the cloud."""
    own = f"{tenancy.prefix}-"
    try:
        projects = [
            project
            for project in keystone_lists.projects(cloud)
            if project.name.startswith(own) or _is_project(project, tenancy, created)
        ]
        listed = keystone_lists.users(cloud)
        users = [user for user in listed if _is_user(user, (own,), tenancy, created)]
    except FAILURES as error:
        return (f"Keystone cannot list what remains of this run: {summary(error)}",)
    return (
        *(named("project", project) for project in projects),
        *(named("user", user) for user in users),
    )


def named(kind: str, resource: Project | User) -> str:
    """Return kind, name and ID of a resource, as messages name it."""
    return f"{kind} {resource.name} ({resource.id})"


def remove_tenants(
    cloud: Cloud, tenancy: Tenancy, created: CreatedIds, show: Show = show_nothing
) -> Removal:
    """Remove the tenants of a run and those that Tempest created, with all that is in them.

    Tempest removes its tenants itself unless it was cut off or failed. The admin that it used, and
    the cleaner of a removal that was killed, are removed too.
    """
    identity = cloud.connection.identity
    try:
        all_projects = keystone_lists.projects(cloud)
        projects = [project for project in all_projects if _is_project(project, tenancy, created)]
        # First, because it takes a moment, in which Keystone completes the requests of a killed
        # Tempest.
        done, full = _empty(cloud, projects, tenancy, show) if projects else (Removal(), set())
        all_users = keystone_lists.users(cloud)
    except FAILURES as error:
        return _leak(f"cannot remove the tenants of this run: {summary(error)}")
    # A user of the run may remain although its project is gone.
    names = (f"{tenancy.prefix}-", *(f"{project.name}-" for project in projects))
    users = [user for user in all_users if _is_user(user, names, tenancy, created)]
    for other in _foreign(all_projects, all_users, tenancy, created):
        done += _leak(f"{other} has no name of this run: it was not removed")
    delete_user = partial(_delete, "user", identity.delete_user)
    delete_project = partial(_delete, "project", identity.delete_project)
    done += _each("users removed", delete_user, users, show)
    # The content of a removed project could not be reached any more.
    empty = [project for project in projects if project.id not in full]
    empty += [project for project in all_projects if project.name == admin_name(tenancy.prefix)]
    done += _each("projects removed", delete_project, empty, show)
    try:
        for project in _half_created(cloud, tenancy, created):
            done += delete_project(project)
    except FAILURES as error:
        done += _leak(f"cannot list projects without users: {summary(error)}")
    return done


def _each(
    what: str, action: Callable[[Any], Removal], resources: Sequence[Any], show: Show
) -> Removal:
    """Apply a removal to many resources, some at the same time.

    An interrupt does not wait for the requests that are under way.
    """
    done = Removal()
    pool = ThreadPoolExecutor(max_workers=AT_ONCE)
    try:
        for number, result in enumerate(pool.map(action, resources), 1):
            done += result
            show(what, number, len(resources))
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    return done


def _is_project(project: Project, tenancy: Tenancy, created: CreatedIds) -> bool:
    """Return whether a project is to be removed."""
    is_new = project.id in created.projects - tenancy.before
    return has_prefix(project.name, tenancy.prefix) or (is_new and is_of_run(project.name, tenancy))


def _is_user(
    user: User, name_starts: tuple[str, ...], tenancy: Tenancy, created: CreatedIds
) -> bool:
    """Return whether a user is to be removed."""
    return user.name.startswith(name_starts) or (
        user.id in created.users and is_of_run(user.name, tenancy)
    )


def _delete(kind: str, action: Callable[..., object], resource: Project | User) -> Removal:
    return _attempt(named(kind, resource), action, resource)


def foreign(cloud: Cloud, tenancy: Tenancy, created: CreatedIds) -> tuple[str, ...]:
    """Return the resources in ``created`` whose names do not show that the run created them.

    Anyone may have written a record: an id in it proves nothing.

    :raises CloudError: Keystone does not list projects and users
    """
    with reported_as("Keystone cannot list projects and users", "see the log of Keystone"):
        projects, users = keystone_lists.projects(cloud), keystone_lists.users(cloud)
    return _foreign(projects, users, tenancy, created)


def _foreign(
    projects: Iterable[Project], users: Iterable[User], tenancy: Tenancy, created: CreatedIds
) -> tuple[str, ...]:
    others = [
        named("project", project)
        for project in projects
        if project.id in created.projects
        and (project.id in tenancy.before or not is_of_run(project.name, tenancy))
    ]
    others += [
        named("user", user)
        for user in users
        if user.id in created.users and not is_of_run(user.name, tenancy)
    ]
    return tuple(others)


def _half_created(cloud: Cloud, tenancy: Tenancy, created: CreatedIds) -> list[Project]:
    """Return projects whose creation Tempest could not log because it was killed meanwhile.

    Such a project is newer than the run, has a name for one of its classes, and has no user.
    A project of another Tempest may be between two requests, and has a user a moment later.
    """
    identity = cloud.connection.identity

    def candidates() -> list[Project]:
        return [
            project
            for project in keystone_lists.projects(cloud)
            if project.id not in tenancy.before | created.projects
            and (name := TENANT_NAME.fullmatch(project.name))
            and not name["user"]
            and name["class_name"] in tenancy.class_names
            and not list(identity.role_assignments(scope_project_id=project.id))
        ]

    if not candidates():
        return []
    time.sleep(SECONDS_TO_SETTLE)
    return candidates()


def _empty(
    cloud: Cloud, projects: Sequence[Project], tenancy: Tenancy, show: Show
) -> tuple[Removal, set[str]]:
    """Delete what is in ``projects``, as a user who may do that there and nowhere else.

    :return: also the ids of the projects that could not be emptied
    """
    if reason := unreachable(cloud):
        leaked = (f"{_content_of(project)} is unknown: {reason}" for project in projects)
        return Removal(leaked=tuple(leaked)), {project.id for project in projects}
    identity = cloud.connection.identity
    name, password = cleaner_name(tenancy.prefix), new_password()
    for orphan in identity.users(name=name):  # of a removal that was killed
        identity.delete_user(orphan)
    cleaner = identity.create_user(name=name, password=password, domain_id=projects[0].domain_id)
    roles = [role for role in keystone_lists.roles(cloud) if role.name in tenancy.roles]

    full: set[str] = set()

    def grant(project: Project) -> None:
        for role in roles:
            identity.assign_project_role_to_user(project, cleaner, role)

    def empty(project: Project) -> Removal:
        auth = {"user_id": cleaner.id, "password": password, "project_id": project.id}
        done = Removal(leaked=_attempt(_content_of(project), grant, project).leaked)
        if not done.leaked:
            done = empty_project(cloud, auth, named("project", project))
        if done.leaked:
            full.add(project.id)
        return done

    try:
        # openstacksdk waits a second for each project, even if it is empty.
        done = _each("projects emptied", empty, projects, show)
    finally:
        # If that fails, it is tried again with the other users.
        _delete("user", identity.delete_user, cleaner)
    return done, full


def unreachable(cloud: Cloud) -> str:
    """Return why a tested service cannot be reached, "" if all can.

    openstacksdk only logs what it could not remove. A project without users would hide that.
    """
    try:
        service_catalog.require_responses(cloud)
    except CloudError as error:
        return str(error)
    return ""


def _content_of(project: Project) -> str:
    return f"the content of {named('project', project)}"


def empty_project(cloud: Cloud, auth: Mapping[str, str], title: str, prefix: str = "") -> Removal:
    """Delete what is in a project.

    :param auth: openstacksdk's ``auth`` of a user who may delete it
    :param title: the project as messages name it
    :param prefix: delete only resources whose name, or whose container's name, starts with it
    """
    found: queue.Queue[Any] = queue.Queue()

    def is_wanted(resource: Any, *_: object) -> bool:
        names = (getattr(resource, "container", None), resource.name)
        return any(name and name.startswith(prefix) for name in names)

    def clean() -> None:
        cloud.connect_as(auth).project_cleanup(
            dry_run=False,
            wait_timeout=60,
            status_queue=found,
            resource_evaluation_fn=is_wanted if prefix else None,
        )

    done = _attempt(f"the content of {title}", clean)
    kinds = Counter(type(resource).__name__.lower() for resource in found.queue)
    counted = tuple(f"{number} x {kind} in {title}" for kind, number in kinds.items())
    return Removal(counted, done.leaked)


def _attempt(resource: str, action: Callable[..., object], *arguments: object) -> Removal:
    try:
        action(*arguments)
    except openstack.exceptions.NotFoundException:
        return Removal()
    except FAILURES as error:
        return _leak(f"{resource} could not be removed: {summary(error)}")
    return Removal(removed=(resource,))
