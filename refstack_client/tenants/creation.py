"""Create the tenants of one run: projects, users and networks."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from openstack.identity.v3.domain import Domain
from openstack.identity.v3.project import Project
from openstack.identity.v3.role import Role

from refstack_client.cloud.account import Account, new_password
from refstack_client.cloud.connection import Cloud
from refstack_client.cloud.failures import FAILURES, reported_as, summary
from refstack_client.errors import CloudError
from refstack_client.outcomes.cloud_facts import ADMIN_ROLE
from refstack_client.tempest.tenant_roles import MEMBER, READER, TenantRoles
from refstack_client.tenants import removal

DESCRIPTION = "created by refstack-client for one run"
_CIDR = "10.100.0.0/24"
"""IP addresses of every tenant's subnet; the networks are not connected to each other."""


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
    """

    prefix: str
    projects: int
    roles: TenantRoles
    resellers: int = 0
    networks: bool = False
    external: str = ""


@dataclass(frozen=True)
class _UserSpec:
    """A user to be created.

    :param granted: roles in the cloud
    :param listed: roles by which Tempest may request the user
    """

    name: str
    granted: tuple[str, ...]
    listed: tuple[str, ...]


@dataclass(frozen=True)
class _ProjectSpec:
    users: tuple[_UserSpec, ...]
    networked: bool


def network_name(prefix: str) -> str:
    """Return the name that the network of every tenant has.

    Tempest takes one name (compute.fixed_network_name) and requests the network only for servers.
    For a network in the accounts file it would send a request with every user that it borrows, and
    never return the user if Neutron does not respond.
    """
    return f"{prefix}-network"


def create(
    cloud: Cloud, spec: TenantSpec, on_created: OnCreated = lambda resource: None
) -> tuple[Account, ...]:
    """Create projects with users and networks, all at the same time.

    What was created before a failure remains. It is removed by its names (:mod:`.removal`).

    :param on_created: called with each project and user as soon as it exists
    :return: members of different projects first, because Tempest borrows the first that is free
    :raises CloudError: the credential may not do that, or a quota is too small
    """
    identity = cloud.connection.identity
    with reported_as("Keystone cannot list its roles and domains", "see the log of Keystone"):
        roles = {role.name: role for role in identity.roles()}
        domain = identity.get_domain(_domain_id(cloud))
    of_all, reseller_role = spec.roles.further, spec.roles.reseller_admin
    of_member = (spec.roles.member, spec.roles.operator)
    member = _UserSpec("member", (*of_member, *of_all), (MEMBER, spec.roles.operator))
    reader = _UserSpec("reader", (spec.roles.reader, *of_all), (READER,))
    reseller = _UserSpec("reseller", (spec.roles.member, reseller_role, *of_all), (reseller_role,))
    pair = (member, reader) if spec.roles.reader else (member,)
    projects = [_ProjectSpec(pair, spec.networks)] * spec.projects
    projects += [_ProjectSpec((reseller,), networked=False)] * spec.resellers
    creator = _Creator(cloud, spec, roles, domain, on_created)
    with reported_as(
        "cannot create tenants with this admin credential",
        "use a credential that may create projects, users and networks, or list tenant users in a "
        "file and use --accounts",
    ):
        created = creator.create(projects)
    by_rank = itertools.zip_longest(*created)
    return tuple(account for rank in by_rank for account in rank if account)


def create_admin(
    cloud: Cloud, prefix: str, on_created: OnCreated = lambda resource: None
) -> Account:
    """Create the project and the user ``<prefix>-admin``, admin in that project only.

    :param on_created: called with the project and the user as soon as it exists
    :raises CloudError: the credential may not do that
    """
    identity = cloud.connection.identity
    domain_id = _domain_id(cloud)
    name = f"{prefix}-admin"
    password = new_password()
    try:
        project = identity.create_project(name=name, domain_id=domain_id, description=DESCRIPTION)
        on_created(removal.named("project", project))
        user = identity.create_user(
            name=name, password=password, domain_id=domain_id, default_project_id=project.id
        )
        on_created(removal.named("user", user))
        role = identity.find_role(ADMIN_ROLE, ignore_missing=False)
        identity.assign_project_role_to_user(project, user, role)
        domain = identity.get_domain(domain_id)
    except FAILURES as error:
        removal.remove_admin(cloud, prefix)
        raise CloudError(
            f"cannot create a throwaway admin with this admin credential: {summary(error)}",
            hint="use a credential that may create projects and users, or list tenant users in a "
            "file and use --accounts",
        ) from error
    return Account(name, password, name, domain.name)


def _domain_id(cloud: Cloud) -> str:
    session = cloud.connection.session
    access = session.auth.get_access(session)
    return access.project_domain_id or access.user_domain_id or "default"


@dataclass(frozen=True)
class _Creator:
    cloud: Cloud
    spec: TenantSpec
    roles: Mapping[str, Role]
    domain: Domain
    on_created: OnCreated

    def create(self, projects: Sequence[_ProjectSpec]) -> list[list[Account]]:
        with ThreadPoolExecutor(max_workers=removal.AT_ONCE) as pool:
            return list(pool.map(self._project, range(1, len(projects) + 1), projects))

    def _project(self, number: int, spec: _ProjectSpec) -> list[Account]:
        name = f"{self.spec.prefix}-{number}"
        project = self.cloud.connection.identity.create_project(
            name=name, domain_id=self.domain.id, description=DESCRIPTION
        )
        self.on_created(removal.named("project", project))
        accounts = [self._user(name, project, user) for user in spec.users]
        if spec.networked:
            self._network(name, project.id)
        return accounts

    def _user(self, project_name: str, project: Project, spec: _UserSpec) -> Account:
        identity = self.cloud.connection.identity
        name, password = f"{project_name}-{spec.name}", new_password()
        user = identity.create_user(
            name=name, password=password, domain_id=self.domain.id, default_project_id=project.id
        )
        self.on_created(removal.named("user", user))
        for role in dict.fromkeys(spec.granted):
            identity.assign_project_role_to_user(project, user, self.roles[role])
        return Account(name, password, project_name, self.domain.name, spec.listed)

    def _network(self, name: str, project_id: str) -> None:
        """Create what Tempest would: a network, a subnet, and if needed a router to the outside."""
        neutron = self.cloud.connection.network
        network = neutron.create_network(name=network_name(self.spec.prefix), project_id=project_id)
        subnet = neutron.create_subnet(
            name=f"{name}-subnet",
            project_id=project_id,
            network_id=network.id,
            ip_version=4,
            cidr=_CIDR,
        )
        if self.spec.external:
            router = neutron.create_router(
                name=f"{name}-router",
                project_id=project_id,
                external_gateway_info={"network_id": self.spec.external},
            )
            neutron.add_interface_to_router(router, subnet_id=subnet.id)
