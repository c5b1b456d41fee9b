"""As whom the tests run: tenants made for one run, or users that were given.

Making a project, two users and a network for each test class, as Tempest does by itself, takes more
than half of a certification. Here a few of each are made at once before it, and every class borrows
some. The few tests that only run with tenants Tempest made itself get those, beside the others.
"""

import contextlib
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from openstack.connection import Connection

from capabilities import tempest_id
from refstack_client.cloud import connection as cloud
from refstack_client.cloud.facts import CloudFacts
from refstack_client.errors import CloudError
from refstack_client.planning import plan
from refstack_client.planning.request import Request
from refstack_client.tempest import cloud_resources
from refstack_client.tempest import conf as tempest_conf
from refstack_client.tempest.conf import Roles
from refstack_client.tenants import accounts_file, removal, resource_record
from refstack_client.tenants.accounts_file import Account
from refstack_client.tenants.removal import User

READER, MEMBER = "reader", "member"
_NETWORK = "10.100.0.0/24"
"""None is connected to another, so all can have the same addresses."""


@dataclass(frozen=True)
class Tenants:
    """``maker`` is the user with whom Tempest makes the tenants that only it can make.

    ``network`` is what the network of each is called, "" where Tempest is to find one.
    """

    kind: plan.TenantKind
    users: tuple[Account, ...]
    roles: Roles
    maker: User | None = None
    network: str = ""

    def own(self, load_list: Iterable[str]) -> frozenset[str]:
        """Return what of ``load_list`` runs with tenants that Tempest makes itself.

        Classes stay whole: a class that cannot be set up has failed each of its tests once.
        """
        if not self.maker:
            return frozenset()
        found = {full: test for full in load_list if (test := tempest_id.parse(full))}
        classes = {
            test.class_name
            for test in found.values()
            if test.idempotent_id in plan.ONLY_WITH_TENANTS_OF_TEMPEST
        }
        return frozenset(full for full, test in found.items() if test.class_name in classes)

    @property
    def secrets(self) -> tuple[str, ...]:
        makers = [self.maker.password] if self.maker else []
        return tuple(dict.fromkeys([*(each.password for each in self.users), *makers]))

    def planned(self) -> plan.Tenants:
        roles = tuple(each.roles for each in self.users)
        return plan.Tenants(self.kind, roles, self.roles.reseller_admin)


@dataclass(frozen=True)
class Traces:
    """What starts the names of all that is made for a run, Tempest's log, and where to note it."""

    prefix: str
    log: Path
    note: Path


First = Callable[[Account, Roles], None]
"""Is told of the first user that can sign in, while others are still being made."""


@contextlib.contextmanager
def provided(
    request: Request, connection: Connection, traces: Traces, left: list[str], first: First
) -> Iterator[Tenants]:
    """Provide the tenants, and afterwards remove what was made, whatever happened meanwhile.

    :param left: is given a sentence for all that could not be removed
    :raises CloudError: the users that were given do not suffice, or none can be made
    """
    if uses_given(request, cloud.facts(connection)):
        users = given(request, connection)
        first(users.users[0], users.roles)
        yield users
        return
    with cloud.asked("Keystone could not list projects and roles", "its log says why"):
        known = [role.name for role in connection.identity.roles()]
        roles = tempest_conf.choose_roles(known, request.settings)
        tenancy = removal.Tenancy(
            prefix=traces.prefix,
            before=removal.project_ids(connection),
            class_names=request.class_names,
            roles=roles.all,
        )
    try:
        with resource_record.noted(traces.note, tenancy, traces.log):
            yield _made(request, connection, traces.prefix, roles, first)
    finally:
        try:
            left += resource_record.remove_noted(connection, traces.note, [traces.log]).stayed
        except KeyboardInterrupt:
            left.append(f"the removal was interrupted: what is called {traces.prefix}-… stays")


def uses_given(request: Request, facts: CloudFacts) -> bool:
    """Return whether the tests run as users that were given: no others can be made, or they are."""
    return request.accounts_file is not None or not facts.is_admin


def given(request: Request, connection: Connection) -> Tenants:
    """Return the users of the accounts file, each tried.

    :raises CloudError: there are none, or one cannot sign in
    """
    if request.accounts_file is None:
        facts = cloud.facts(connection)
        raise CloudError(
            f"{facts.user} is one tenant user (roles: {', '.join(facts.roles) or 'none'}); the "
            "tests need several",
            hint="list tenant users in a file and give it with --accounts "
            "(docs/credentials.rst), or use an admin credential, with which throwaway tenants "
            "are made and removed",
        )
    users = accounts_file.verify(accounts_file.read(request.accounts_file), connection)
    known = [role for user in users for role in user.roles]
    roles = tempest_conf.choose_roles(known, request.settings)
    if request.shard:
        users = accounts_file.deal(users, roles.reseller_admin, request.shard)
    return Tenants(plan.TenantKind.ACCOUNTS, users, roles)


def _made(
    request: Request, connection: Connection, prefix: str, roles: Roles, first: First
) -> Tenants:
    tested, workers = request.service_types, request.classes_at_a_time.count
    routed = "compute" in tested and request.needs_router
    users = make(
        connection,
        Need(
            prefix=prefix,
            projects=workers + min(workers, plan.classes_with_two_projects(request.programme)),
            roles=roles,
            resellers=(
                min(workers, plan.classes_with_reseller(request.programme))
                if roles.reseller_admin != roles.operator
                else 0
            ),
            networks="compute" in tested,
            external=cloud_resources.external_network(connection) if routed else "",
        ),
        lambda user: first(user, roles),
    )
    own = plan.own_tenants(request.programme)
    maker = removal.make_admin(connection, prefix) if own else None
    network = _network_name(prefix) if "compute" in tested else ""
    return Tenants(plan.TenantKind.THROWAWAY, users, roles, maker, network)


def _network_name(prefix: str) -> str:
    """Return the name of every tenant's network.

    Tempest is told of one name (compute.fixed_network_name), and asks Neutron for it only where
    servers are made. Networks in its accounts file it would ask for with every user it takes, and
    keep the user for good should Neutron not answer.
    """
    return f"{prefix}-network"


@dataclass(frozen=True)
class Need:
    """What a run needs of tenants.

    ``projects`` is how many have users that may do what a tenant may; ``resellers`` how many more
    users set account quotas; ``networks`` whether servers are made; ``external`` names the network
    that leads outside, "" where no router is needed.
    """

    prefix: str
    projects: int
    roles: Roles
    resellers: int = 0
    networks: bool = False
    external: str = ""


@dataclass(frozen=True)
class _Person:
    """A user to be made: roles in the cloud, and those by which Tempest may ask for one."""

    name: str
    granted: tuple[str, ...]
    listed: tuple[str, ...]


def make(
    connection: Connection, need: Need, first: Callable[[Account], None]
) -> tuple[Account, ...]:
    """Make projects with users and networks, all at once. Their names start with the prefix.

    What was made stays where this fails: it is removed by its names (:mod:`.throwaway`).

    :param first: is called with the first user as soon as that can sign in

    :return: members of different projects first, for Tempest takes the first that is free when it
        wants any
    :raises CloudError: the credential may not do that, or a quota is too small
    """
    with cloud.asked("Keystone could not list its roles and domains", "its log says why"):
        known = {role.name: role for role in connection.identity.roles()}
        access = connection.session.auth.get_access(connection.session)
        domain_id = access.project_domain_id or access.user_domain_id or "default"
        domain = connection.identity.get_domain(domain_id)
        maker = _Maker(connection, need, known, domain, first)
    granted = tuple(role for role in (MEMBER, need.roles.operator) if role in known)
    member = _Person("member", granted, granted)
    reader = _Person("reader", (READER,), (READER,))
    reseller = _Person(
        "reseller", (MEMBER, need.roles.reseller_admin), (need.roles.reseller_admin,)
    )
    pair = (member, *([reader] if READER in known else []))
    groups = [(pair, need.networks)] * need.projects
    groups += [((reseller,), False)] * need.resellers
    with cloud.asked(
        "this admin credential could not make tenants",
        "use a credential that may make projects, users and networks, or give tenant users with "
        "--accounts",
    ):
        made = maker.make(groups)
    ordered = itertools.zip_longest(*made)
    return tuple(each for rank in ordered for each in rank if each)


@dataclass(frozen=True)
class _Maker:
    connection: Connection
    need: Need
    known: dict[str, Any]
    domain: Any
    first: Callable[[Account], None]

    def make(self, groups: Sequence[tuple[tuple[_Person, ...], bool]]) -> list[list[Account]]:
        with ThreadPoolExecutor(max_workers=removal.AT_ONCE) as pool:
            return list(pool.map(self._project, range(1, len(groups) + 1), groups))

    def _project(self, number: int, group: tuple[tuple[_Person, ...], bool]) -> list[Account]:
        people, networked = group
        identity = self.connection.identity
        name = f"{self.need.prefix}-{number}"
        project = identity.create_project(
            name=name, domain_id=self.domain.id, description=removal.DESCRIPTION
        )
        users = [self._user(name, project, each) for each in people]
        if number == 1:
            self.first(users[0])
        if networked:
            self._network(name, project.id)
        return users

    def _user(self, project_name: str, project: Any, person: _Person) -> Account:
        identity = self.connection.identity
        name, password = f"{project_name}-{person.name}", removal.password()
        user = identity.create_user(
            name=name, password=password, domain_id=self.domain.id, default_project_id=project.id
        )
        for role in dict.fromkeys(person.granted):
            identity.assign_project_role_to_user(project, user, self.known[role])
        return Account(name, password, project_name, self.domain.name, person.listed)

    def _network(self, name: str, project_id: str) -> None:
        """Make what Tempest would: a network, a subnet, and, if wanted, a router to the outside."""
        neutron = self.connection.network
        network = neutron.create_network(
            name=_network_name(self.need.prefix), project_id=project_id
        )
        subnet = neutron.create_subnet(
            name=f"{name}-subnet",
            project_id=project_id,
            network_id=network.id,
            ip_version=4,
            cidr=_NETWORK,
        )
        if self.need.external:
            router = neutron.create_router(
                name=f"{name}-router",
                project_id=project_id,
                external_gateway_info={"network_id": self.need.external},
            )
            neutron.add_interface_to_router(router, subnet_id=subnet.id)
