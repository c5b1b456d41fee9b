"""Users and projects made for one run, and their removal with everything in them.

An admin's credential never reaches Tempest. It makes one throwaway admin, whose name and password
Tempest is given to make the tenants the tests run as. Tempest names those as every other Tempest
does, so what is removed is what its log says it made, never what merely looks like it.
"""

import re
import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass

import keystoneauth1.exceptions
import openstack.exceptions
from openstack.connection import Connection

from refstack_client.cloud import SECONDS_TO_CONNECT
from refstack_client.cloud_facts import ADMIN_ROLE
from refstack_client.errors import CloudError
from refstack_client.tempest_log import Made

_FAILURES = (
    openstack.exceptions.SDKException,
    keystoneauth1.exceptions.ClientException,
)
_TENANT_NAME = re.compile(r"tempest-(?P<class_name>\w+)-\d+")
SECONDS_TO_SETTLE = 0.5


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
        project = identity.create_project(
            name=name, domain_id=domain_id, description="made by refstack-client for one run"
        )
        password = _password()
        user = identity.create_user(
            name=name, password=password, domain_id=domain_id, default_project_id=project.id
        )
        role = identity.find_role(ADMIN_ROLE, ignore_missing=False)
        identity.assign_project_role_to_user(project, user, role)
        domain = identity.get_domain(domain_id)
    except _FAILURES as error:
        remove_admin(connection, prefix)
        raise CloudError(
            f"this admin credential could not make a throwaway user: {_brief(error)}",
            hint="use a credential that may make projects and users, or give tenant users with "
            "--accounts",
        ) from error
    return User(name, password, name, domain.name)


def remove_admin(connection: Connection, prefix: str) -> list[str]:
    """Remove what :func:`make_admin` made; return a sentence for each thing that stayed."""
    identity = connection.identity
    name = f"{prefix}-admin"
    problems: list[str] = []
    try:
        user, project = identity.find_user(name), identity.find_project(name)
    except _FAILURES as error:
        return [f"user and project {name} could not be found: {_brief(error)}"]
    if user:
        problems += _attempt(f"user {name}", identity.delete_user, user)
    if project:
        problems += _attempt(f"project {name}", identity.delete_project, project)
    return problems


@dataclass(frozen=True)
class Tenancy:
    """What must be known to remove the tenants of a run.

    ``before`` are the ids of the projects there were before it; ``class_names`` those of its test
    classes; ``roles`` what a user needs in a project to delete what is in it.
    """

    before: frozenset[str]
    class_names: frozenset[str]
    roles: tuple[str, ...]


def project_ids(connection: Connection) -> frozenset[str]:
    return frozenset(project.id for project in connection.identity.projects())


def remove_tenants(connection: Connection, tenancy: Tenancy, made: Made) -> list[str]:
    """Remove what is left of the tenants Tempest made, with all they hold.

    Tempest removes its tenants itself; this is for those of a run that was cut off or failed.

    :returns: a sentence for each thing that could not be removed
    """
    identity = connection.identity
    try:
        left = [project for project in identity.projects() if project.id in made.projects]
        left += _half_made(connection, tenancy, made)
        names = tuple(f"{project.name}-" for project in left)
        users = [
            user
            for user in identity.users()
            if user.id in made.users or user.name.startswith(names)
        ]
        problems = _empty(connection, left, tenancy.roles) if left else []
    except _FAILURES as error:
        return [f"the tenants of this run could not be listed: {_brief(error)}"]
    for user in users:
        problems += _attempt(f"user {user.name}", identity.delete_user, user)
    for project in left:
        problems += _attempt(f"project {project.name}", identity.delete_project, project)
    return problems


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
            and name["class_name"] in tenancy.class_names
            and not list(connection.identity.role_assignments(scope_project_id=project.id))
        ]

    if not suspects():
        return []
    time.sleep(SECONDS_TO_SETTLE)
    return suspects()


def _empty(connection: Connection, projects: Iterable, roles: tuple[str, ...]) -> list[str]:
    """Delete what is in ``projects``, as a user who may do that there and nowhere else."""
    identity = connection.identity
    projects = list(projects)
    password = _password()
    cleaner = identity.create_user(
        name=f"refstack-cleaner-{secrets.token_hex(4)}",
        password=password,
        domain_id=projects[0].domain_id,
    )
    wanted = [role for role in identity.roles() if role.name in roles]
    problems: list[str] = []
    try:
        for project in projects:
            for role in wanted:
                identity.assign_project_role_to_user(project, cleaner, role)
            what = f"what is in project {project.name}"
            problems += _attempt(what, _clean, connection, project, cleaner, password)
    finally:
        problems += _attempt(f"user {cleaner.name}", identity.delete_user, cleaner)
    return problems


def _clean(connection: Connection, project, cleaner, password: str) -> None:
    region = connection.config
    tenant = openstack.connect(
        load_envvars=False,
        load_yaml_config=False,
        auth={
            "auth_url": region.get_auth_args()["auth_url"],
            "user_id": cleaner.id,
            "password": password,
            "project_id": project.id,
        },
        region_name=region.get_region_name(),
        interface=region.get_interface(),
        verify=region.config.get("verify", True),
        cacert=region.config.get("cacert"),
        api_timeout=SECONDS_TO_CONNECT,
    )
    tenant.project_cleanup(dry_run=False, wait_timeout=60)


def _attempt(what: str, action, *arguments) -> list[str]:
    try:
        action(*arguments)
    except openstack.exceptions.NotFoundException:
        return []
    except _FAILURES as error:
        return [f"{what} could not be removed: {_brief(error)}"]
    return []


def _password() -> str:
    # Upper, lower, digit and special: what password rules usually ask for.
    return f"Aa1-{secrets.token_urlsafe(24)}"


def _brief(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
