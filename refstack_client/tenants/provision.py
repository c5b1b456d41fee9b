"""Provide the tenants as whom the tests run: created for one run, or from an accounts file.

Tempest by itself creates a project, two users and a network for each test class, which takes more
than half of a certification. Here a few of each are created at the same time before the run, and
every class borrows some. The few tests that only run with tenants that Tempest created get those,
in a second process.
"""

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from capabilities import tempest_id
from capabilities.guideline import Test
from refstack_client import interruption
from refstack_client.cloud.account import Account
from refstack_client.cloud.connection import Cloud
from refstack_client.cloud.failures import FAILURES, summary
from refstack_client.errors import ClientError, CloudError
from refstack_client.outcomes.cloud_facts import ADMIN_ROLE, CloudFacts
from refstack_client.planning import test_requirements, test_users
from refstack_client.planning.request import CertificationRequest
from refstack_client.planning.tenant_plan import TenantKind, TenantPlan
from refstack_client.planning.test_requirements import TENANTS_OF_TEMPEST
from refstack_client.tempest import cloud_resources, external_network, server_resources
from refstack_client.tempest.cloud_resources import Resources
from refstack_client.tempest.tenant_roles import (
    TenantRoles,
    check_roles,
    choose_roles,
    choose_roles_of_users,
)
from refstack_client.tenants import (
    accounts_file,
    creation,
    existing_users,
    removal,
    resource_record,
)
from refstack_client.tenants.creation import Directory, TenantSpec
from refstack_client.tenants.resource_record import ResourceRecord
from refstack_client.tenants.tenancy import Tenancy

_COMPUTE = "compute"
NETWORK_OPTIONS = ((_COMPUTE, "fixed_network_name"), ("validation", "network_for_ssh"))
"""Section and option of what names the network of every tenant in tempest.conf."""

_NOTICES = (
    "stopping: what this run created in the cloud is removed; press Ctrl-C again to leave it there",
    "leaving it in the cloud; press Ctrl-C again to end without listing it",
    "ending; press Ctrl-C again to end at once",
)


@dataclass(frozen=True)
class Tenants:
    """The tenants of a run.

    :param tempest_admin: the user with whom Tempest creates tenants itself; None if no test needs
        such tenants
    :param network: name of the network of each project; "" lets Tempest find one
    """

    kind: TenantKind
    users: tuple[Account, ...]
    roles: TenantRoles
    tempest_admin: Account | None = None
    network: str = ""

    def own(self, load_list: Iterable[str]) -> frozenset[str]:
        """Return the tests of ``load_list`` that run with tenants that Tempest creates itself.

        Classes stay whole: a class whose set-up fails has failed each of its tests once.
        """
        if not self.tempest_admin:
            return frozenset()
        tests = {full: test for full in load_list if (test := tempest_id.parse(full))}
        classes = {
            test.class_name
            for test in tests.values()
            if TENANTS_OF_TEMPEST in test_requirements.of_test(Test(test.name))
        }
        return frozenset(full for full, test in tests.items() if test.class_name in classes)

    @property
    def secrets(self) -> tuple[str, ...]:
        """Return the passwords of all users, each once."""
        admins = (self.tempest_admin,) if self.tempest_admin else ()
        return tuple(dict.fromkeys(account.password for account in (*self.users, *admins)))

    def planned(self) -> TenantPlan:
        """Return what a plan states about these tenants."""
        return planned_with(self.kind, self.roles, self.users)


def planned_with(kind: TenantKind, roles: TenantRoles, users: Iterable[Account] = ()) -> TenantPlan:
    """Return what a plan states about tenants with these roles.

    :param users: of an accounts file
    """
    of_users = tuple(account.roles for account in users)
    return TenantPlan(kind, of_users, roles.reseller_admin, roles.suit_tempest)


@dataclass(frozen=True)
class Keystone:
    """What Keystone holds before tenants are created.

    :param roles: that tenants get
    :param projects: ids of all projects
    """

    directory: Directory
    roles: TenantRoles
    projects: frozenset[str]


@contextlib.contextmanager
def provided(
    request: CertificationRequest,
    cloud: Cloud,
    record: ResourceRecord,
    leaked: list[str],
) -> Iterator[Tenants]:
    """Provide the tenants, and remove those that were created when the block ends.

    :param leaked: receives a sentence for each resource that could not be removed
    :raises CloudError: the users of the accounts file do not suffice, or none can be created
    """
    if uses_accounts(request, cloud.facts):
        yield from_accounts(request, cloud)
        return
    keystone = read_keystone(request, cloud)
    tenancy = Tenancy(
        prefix=record.prefix,
        before=keystone.projects,
        class_names=request.class_names,
        roles=keystone.roles.to_empty_projects,
    )
    # Until all is removed, whatever interrupts what follows.
    possible = f"projects and users whose names start with {record.prefix}-"
    leaked.append(possible)
    created: list[str] = []
    try:
        with interruption.announced(_NOTICES), resource_record.recorded(record, tenancy):
            yield _created(request, cloud, record.prefix, keystone, created.append)
    finally:
        with interruption.announced(_NOTICES):
            leaked[leaked.index(possible) :] = _remove(cloud, record, possible, created)


def _remove(
    cloud: Cloud, record: ResourceRecord, possible: str, created: Sequence[str]
) -> tuple[str, ...]:
    """Remove what was created for a run; return a sentence for each resource that remains.

    The second interrupt ends the removal, the third the listing of what remains.

    :param possible: a sentence for all that the run may create
    :param created: kind, name and ID of each resource, in case Keystone does not list them
    """
    logs = [record.log]
    try:
        if interruption.count() > 1:
            raise KeyboardInterrupt
        with interruption.on_first(lambda: None):
            done = resource_record.remove_recorded(cloud, record.path, logs, record.show)
    except (*FAILURES, ClientError, OSError) as error:
        # Tests have run: their verdict is not lost because of the removal.
        reason = summary(error) if isinstance(error, FAILURES) else str(error)
        return (f"the removal failed: {reason}", *created, possible)
    except KeyboardInterrupt:
        # Requests that were under way may have created more.
        try:
            return (*resource_record.remaining(cloud, record.path, logs), possible)
        except KeyboardInterrupt:
            return (*created, possible)
    nothing_listed = done.leaked and not done.removed
    # Keystone may have created more, whose responses were lost.
    return (*done.leaked, *created, possible) if nothing_listed else done.leaked


def uses_accounts(request: CertificationRequest, facts: CloudFacts) -> bool:
    """Return whether the tests run as users of an accounts file; without admin role they must."""
    return request.accounts_file is not None or not facts.is_admin


def from_accounts(request: CertificationRequest, cloud: Cloud) -> Tenants:
    """Return the users of the accounts file, after each has signed in.

    :raises CloudError: there is no accounts file, a user cannot sign in, or the users do not
        suffice
    """
    users = existing_users.sign_in(_accounts(request, cloud), cloud)
    roles = choose_roles_of_users([user.roles for user in users], request.settings)
    users = existing_users.arrange(users, roles.reseller_admin)
    if request.shard:
        users = existing_users.users_of_shard(users, roles.reseller_admin, request.shard)
    return Tenants(TenantKind.ACCOUNTS, users, roles)


def _accounts(request: CertificationRequest, cloud: Cloud) -> tuple[Account, ...]:
    """Return the users of the accounts file as they stand there.

    :raises CloudError: there is no accounts file
    """
    if request.accounts_file is None:
        facts = cloud.facts
        raise CloudError(
            f"{facts.user} is one tenant user (roles: {', '.join(facts.roles) or 'none'}); the "
            "tests need several",
            hint="list tenant users in a file and use --accounts FILE "
            "(docs/how-to/credentials.rst), or use an admin credential, with which throwaway "
            "tenants are created and removed",
        )
    return accounts_file.read(request.accounts_file)


def read_keystone(request: CertificationRequest, cloud: Cloud) -> Keystone:
    """Read from Keystone what must be known before tenants are created.

    :raises CloudError: Keystone does not list it, or a role that is needed does not exist
    """
    with ThreadPoolExecutor() as pool:
        projects = pool.submit(removal.project_ids, cloud)
        directory = pool.submit(creation.directory, cloud)
    known = directory.result()
    return Keystone(known, roles_of_cloud(request, known.roles), projects.result())


def roles_of_cloud(request: CertificationRequest, names: Iterable[str]) -> TenantRoles:
    """Return the names of the roles that tenants get.

    :param names: of all roles of the cloud
    :raises CloudError: a role that is needed does not exist
    """
    role_names = tuple(names)
    check_roles(role_names, request.settings)
    roles = choose_roles(role_names, request.settings)
    if tempest_creates(request, roles) and ADMIN_ROLE not in role_names:
        raise CloudError(
            f"Keystone lists no role {ADMIN_ROLE}, with which Tempest creates the tenants of some "
            "tests",
            hint="use a credential that sees this role: openstack role list",
        )
    return roles


def tempest_creates(request: CertificationRequest, roles: TenantRoles) -> bool:
    """Return whether Tempest creates the tenants of some tests itself."""
    return roles.suit_tempest and bool(request.class_names)


def choose_resources(request: CertificationRequest, cloud: Cloud) -> Resources:
    """Return the images, flavors and network that the tests use, as their users see them.

    :raises CloudError: the cloud lacks one that is needed, or a setting of the user names one that
        a user as whom the tests run cannot use
    """
    if not uses_accounts(request, cloud.facts):
        return cloud_resources.choose(cloud, request.service_types, request.settings)
    if cloud_resources.CHOSEN_FOR.isdisjoint(request.service_types):
        return Resources()
    first, *others = _accounts(request, cloud)
    seen_by_first = cloud.seen_by(first.as_auth())
    resources = cloud_resources.choose(seen_by_first, request.service_types, request.settings)
    if server_resources.is_named(request.settings):
        for account in others:
            seen = cloud.seen_by(account.as_auth())
            server_resources.check_named(seen, request.settings)
    return resources


def projects_without_network(request: CertificationRequest, cloud: Cloud) -> tuple[str, ...]:
    """Return the projects of the accounts file that have no network, if servers are tested.

    Servers have no port there. Networks of tenants are created for the run.

    :raises CloudError: a user cannot sign in, or Neutron does not list the networks
    """
    if not uses_accounts(request, cloud.facts) or not needs_networks(request):
        return ()
    by_project = {account.project_name: account for account in _accounts(request, cloud)}
    return tuple(
        name
        for name, account in by_project.items()
        if not external_network.has_internal(cloud.seen_by(account.as_auth()))
    )


def needs_networks(request: CertificationRequest) -> bool:
    """Return whether created projects get a network, because servers are created in them."""
    return _COMPUTE in request.service_types


def _created(
    request: CertificationRequest,
    cloud: Cloud,
    prefix: str,
    keystone: Keystone,
    on_created: creation.OnCreated,
) -> Tenants:
    spec = _spec(request, cloud, prefix, keystone.roles)
    created = creation.create(cloud, spec, keystone.directory, on_created)
    network = creation.network_name(prefix) if spec.networks else ""
    return Tenants(TenantKind.THROWAWAY, created.users, keystone.roles, created.admin, network)


def _spec(
    request: CertificationRequest, cloud: Cloud, prefix: str, roles: TenantRoles
) -> TenantSpec:
    workers = request.workers_or_default.count
    networks = needs_networks(request)
    routed = networks and request.needs_router
    classes = request.users_by_class(tempest_creates=roles.suit_tempest)
    if roles.reseller_admin == roles.operator:
        classes = tuple(users.without_resellers() for users in classes)
    users = test_users.at_a_time(classes, workers)
    return TenantSpec(
        prefix=prefix,
        projects=users.members,
        roles=roles,
        resellers=users.resellers,
        networks=networks,
        external=external_network.router_network(cloud, request.settings) if routed else "",
        admin=tempest_creates(request, roles),
    )
