"""Users and projects made for one run, and their removal with everything in them.

An admin's credential never reaches Tempest. It makes one throwaway admin, whose name and password
Tempest is given to make the tenants the tests run as. All names start with the run's own prefix, by
which everything is found again, also after a crash.
"""

import secrets
from dataclasses import dataclass

import keystoneauth1.exceptions
import openstack.exceptions
from openstack.connection import Connection

from refstack_client.cloud import ADMIN_ROLE, SECONDS_TO_CONNECT
from refstack_client.errors import CloudError

_FAILURES = (
    openstack.exceptions.SDKException,
    keystoneauth1.exceptions.ClientException,
)


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
    # Upper, lower, digit and special: what password rules usually ask for.
    password = f"Aa1-{secrets.token_urlsafe(24)}"
    try:
        project = identity.create_project(
            name=name, domain_id=domain_id, description="made by refstack-client for one run"
        )
        user = identity.create_user(
            name=name, password=password, domain_id=domain_id, default_project_id=project.id
        )
        role = identity.find_role(ADMIN_ROLE, ignore_missing=False)
        identity.assign_project_role_to_user(project, user, role)
        domain = identity.get_domain(domain_id)
    except _FAILURES as error:
        remove(connection, prefix, ())
        raise CloudError(
            f"this admin credential could not make a throwaway user: {_brief(error)}",
            hint="use a credential that may make projects and users, or give tenant users with "
            "--accounts",
        ) from error
    return User(name, password, name, domain.name)


def remove(connection: Connection, prefix: str, roles: tuple[str, ...]) -> tuple[str, ...]:
    """Remove what starts with ``prefix``: projects with all they hold, users.

    :param roles: what a user must have in a project to see and delete what is in it
    :returns: a sentence for each thing that could not be removed
    """
    problems: list[str] = []
    try:
        projects = _prefixed(connection.identity.projects(), prefix)
        users = _prefixed(connection.identity.users(), prefix)
        tenants = [project for project in projects if project.name != f"{prefix}-admin"]
        if tenants:
            problems += _empty(connection, tenants, prefix, roles)
    except _FAILURES as error:
        return (f"the names starting with {prefix} could not be listed: {_brief(error)}",)
    for user in users:
        problems += _attempt(f"user {user.name}", connection.identity.delete_user, user)
    for project in projects:
        problems += _attempt(f"project {project.name}", connection.identity.delete_project, project)
    return tuple(problems)


def _empty(connection: Connection, projects, prefix: str, roles: tuple[str, ...]) -> list[str]:
    """Delete what is in ``projects``, as a user who may do it there and nowhere else."""
    identity = connection.identity
    home = projects[0]
    password = f"Aa1-{secrets.token_urlsafe(24)}"
    cleaner = identity.create_user(
        name=f"{prefix}-cleaner", password=password, domain_id=home.domain_id
    )
    wanted = [role for role in identity.roles() if role.name in roles]
    problems: list[str] = []
    try:
        for project in projects:
            for role in wanted:
                identity.assign_project_role_to_user(project, cleaner, role)
            problems += _attempt(
                f"what is in project {project.name}",
                _clean_project,
                connection,
                project,
                cleaner,
                password,
            )
    finally:
        problems += _attempt("the cleaning user", identity.delete_user, cleaner)
    return problems


def _clean_project(connection: Connection, project, cleaner, password: str) -> None:
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
    # Keystone's own records of the project go with it; only services hold anything else.
    tenant.project_cleanup(dry_run=False, wait_timeout=60)


def _prefixed(entries, prefix: str) -> list:
    return [entry for entry in entries if (entry.name or "").startswith(f"{prefix}-")]


def _attempt(what: str, action, *arguments) -> list[str]:
    try:
        action(*arguments)
    except openstack.exceptions.NotFoundException:
        return []
    except _FAILURES as error:
        return [f"{what} could not be removed: {_brief(error)}"]
    return []


def _brief(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
