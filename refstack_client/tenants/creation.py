"""Create the tenants of one run: projects, users and networks."""

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from openstack.identity.v3.domain import Domain
from openstack.identity.v3.project import Project
from openstack.identity.v3.role import Role

from refstack_client.cloud.account import Account, new_password
from refstack_client.cloud.connection import Cloud
from refstack_client.cloud.failures import reported_as
from refstack_client.outcomes.cloud_facts import ADMIN_ROLE
from refstack_client.tempest.tenant_roles import MEMBER, READER, TenantRoles
from refstack_client.tenants import keystone_lists, removal
from refstack_client.tenants.tenancy import admin_name

DESCRIPTION = "created by refstack-client for one run"
_CIDR = "10.100.0.0/24"
"""IP addresses of every tenant's subnet; the networks are not connected to each other."""

_HINT = "see the log of Keystone"

OnCreated = Callable[[str], None]
"""Called with kind, name and ID of what was created."""


@dataclass(frozen=True)
class TenantSpec:
    """Which tenants a run needs.

    :param prefix: start of the names of all projects and users
    :param projects: number of projects with users who may do what a tenant may
    :param roles: names that the roles of tenants have in the cloud
    :param resellers: number of further projects, with a user who may set account quotas
    :param networks: whether projects get a network, because servers are created in them
    :param external: id of the external network for routers; "" if no router is needed
    :param admin: whether Tempest creates tenants itself, for which it needs an admin of a project
    """

    prefix: str
    projects: int
    roles: TenantRoles
    resellers: int = 0
    networks: bool = False
    external: str = ""
    admin: bool = False


@dataclass(frozen=True)
class Directory:
    """What Keystone holds that tenants are created with.

    :param roles: by name
    :param domain: of the projects and users
    """

    roles: Mapping[str, Role]
    domain: Domain


@dataclass(frozen=True)
class Created:
    """The users that were created.

    :param users: members of different projects first, because Tempest borrows the first that is
        free
    :param admin: the user with whom Tempest creates tenants itself; None if that is not needed
    """

    users: tuple[Account, ...]
    admin: Account | None


@dataclass(frozen=True)
class _UserSpec:
    """A user to be created.

    :param suffix: what its name has after that of the project
    :param granted: roles in the cloud
    :param listed: roles by which Tempest may request the user
    """

    suffix: str
    granted: tuple[str, ...]
    listed: tuple[str, ...]


@dataclass(frozen=True)
class _ProjectSpec:
    name: str
    users: tuple[_UserSpec, ...]
    networked: bool


def network_name(prefix: str) -> str:
    """Return the name that the network of every tenant has.

    Tempest takes one name (compute.fixed_network_name) and requests the network only for servers.
    For a network in the accounts file it would send a request with every user that it borrows, and
    never return the user if Neutron does not respond.
    """
    return f"{prefix}-network"


def directory(cloud: Cloud) -> Directory:
    """Read what tenants are created with.

    :raises CloudError: Keystone does not list its roles, or not the domain of the credential
    """
    known = roles(cloud)
    with reported_as("Keystone does not show the domain of the credential", _HINT):
        return Directory(known, cloud.connection.identity.get_domain(_domain_id(cloud)))


def roles(cloud: Cloud) -> Mapping[str, Role]:
    """Return the roles of a cloud by name.

    :raises CloudError: Keystone does not list its roles
    """
    with reported_as("Keystone cannot list its roles", _HINT):
        return {role.name: role for role in keystone_lists.roles(cloud)}


def _domain_id(cloud: Cloud) -> str:
    session = cloud.connection.session
    access = session.auth.get_access(session)
    return access.project_domain_id or access.user_domain_id or "default"


def create(
    cloud: Cloud, spec: TenantSpec, known: Directory, on_created: OnCreated = lambda resource: None
) -> Created:
    """Create projects with users and networks, all at the same time.

    What was created before a failure remains. It is removed by its names (:mod:`.removal`).

    :param on_created: called with each project and user as soon as it exists
    :raises CloudError: the credential may not do that, or a quota is too small
    """
    with reported_as(
        "cannot create tenants with this admin credential",
        "use a credential that may create projects, users and networks, or list tenant users in a "
        "file and use --accounts",
    ):
        of_projects = _Creator(cloud, spec, known, on_created).create(_projects(spec))
    admin = of_projects.pop()[0] if spec.admin else None
    by_rank = itertools.zip_longest(*of_projects)
    return Created(tuple(account for rank in by_rank for account in rank if account), admin)


def _projects(spec: TenantSpec) -> Iterator[_ProjectSpec]:
    """Yield the projects of members, those of resellers, and that of the admin."""
    of_all, reseller_role = spec.roles.further, spec.roles.reseller_admin
    of_member = (spec.roles.member, spec.roles.operator)
    member = _UserSpec("-member", (*of_member, *of_all), (MEMBER, spec.roles.operator))
    reader = _UserSpec("-reader", (spec.roles.reader, *of_all), (READER,))
    reseller = _UserSpec("-reseller", (spec.roles.member, reseller_role, *of_all), (reseller_role,))
    pair = (member, reader) if spec.roles.reader else (member,)
    for number in range(1, spec.projects + spec.resellers + 1):
        of_members = number <= spec.projects
        yield _ProjectSpec(
            f"{spec.prefix}-{number}",
            pair if of_members else (reseller,),
            networked=spec.networks and of_members,
        )
    if spec.admin:
        yield _ProjectSpec(
            admin_name(spec.prefix), (_UserSpec("", (ADMIN_ROLE,), ()),), networked=False
        )


@dataclass(frozen=True)
class _Creator:
    cloud: Cloud
    spec: TenantSpec
    known: Directory
    on_created: OnCreated

    def create(self, projects: Iterable[_ProjectSpec]) -> list[list[Account]]:
        with (
            ThreadPoolExecutor(max_workers=removal.AT_ONCE) as for_keystone,
            ThreadPoolExecutor(max_workers=removal.AT_ONCE) as for_neutron,
        ):
            return list(for_keystone.map(partial(self._project, for_neutron), projects))

    def _project(self, for_neutron: Executor, spec: _ProjectSpec) -> list[Account]:
        project = self.cloud.connection.identity.create_project(
            name=spec.name, domain_id=self.known.domain.id, description=DESCRIPTION
        )
        self.on_created(removal.named("project", project))
        network = for_neutron.submit(self._network, project) if spec.networked else None
        accounts = [self._user(project, user) for user in spec.users]
        if network:
            network.result()
        return accounts

    def _user(self, project: Project, spec: _UserSpec) -> Account:
        identity = self.cloud.connection.identity
        domain = self.known.domain
        name, password = f"{project.name}{spec.suffix}", new_password()
        user = identity.create_user(
            name=name, password=password, domain_id=domain.id, default_project_id=project.id
        )
        self.on_created(removal.named("user", user))
        for role in dict.fromkeys(spec.granted):
            identity.assign_project_role_to_user(project, user, self.known.roles[role])
        return Account(name, password, project.name, domain.name, spec.listed)

    def _network(self, project: Project) -> None:
        """Create what Tempest would: a network, a subnet, and if needed a router to the outside."""
        neutron = self.cloud.connection.network
        network = neutron.create_network(name=network_name(self.spec.prefix), project_id=project.id)
        subnet = neutron.create_subnet(
            name=f"{project.name}-subnet",
            project_id=project.id,
            network_id=network.id,
            ip_version=4,
            cidr=_CIDR,
        )
        if self.spec.external:
            router = neutron.create_router(
                name=f"{project.name}-router",
                project_id=project.id,
                external_gateway_info={"network_id": self.spec.external},
            )
            neutron.add_interface_to_router(router, subnet_id=subnet.id)
