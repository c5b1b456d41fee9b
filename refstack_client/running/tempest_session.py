"""Tempest configured for one cloud: plan and run tests in one workspace with one set of tenants."""

import contextlib
import dataclasses
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import testtools
from rich.console import Console

from capabilities import tempest_id
from capabilities.matching import MatchKind
from refstack_client.cloud import latency, service_catalog
from refstack_client.cloud.access import proxies_of
from refstack_client.cloud.connection import Cloud, connect
from refstack_client.cloud.service_catalog import Endpoint
from refstack_client.errors import MachineError
from refstack_client.outcomes.cloud_facts import CloudFacts
from refstack_client.outcomes.run_directory import Run
from refstack_client.planning import durations, plan
from refstack_client.planning.plan import Plan
from refstack_client.planning.request import CertificationRequest
from refstack_client.planning.tenant_plan import TenantPlan
from refstack_client.planning.workers import Workers
from refstack_client.running import progress
from refstack_client.tempest import conf as tempest_conf
from refstack_client.tempest import (
    discovery,
    inventory,
    relay,
    service_settings,
    stestr_runner,
    worker_accounts,
)
from refstack_client.tempest.conf import Choices, Conf
from refstack_client.tempest.listing import Listing
from refstack_client.tempest.service_settings import Group
from refstack_client.tempest.settings import Setting
from refstack_client.tempest.stestr_runner import Ended, Job, Output
from refstack_client.tempest.workspace import Workspace, beside
from refstack_client.tenants import provision
from refstack_client.tenants.provision import Tenants
from refstack_client.tenants.resource_record import ResourceRecord

KEYSTONE = "keystone"


@dataclass(frozen=True)
class Session:
    """Tempest, configured for a request.

    :param conf: the tempest.conf without credentials
    :param shown: the complete tempest.conf of most tests, secrets hidden
    """

    request: CertificationRequest
    facts: CloudFacts
    space: Workspace
    tenants: Tenants
    choices: Choices
    conf: Conf
    shown: Conf

    def planned(self, *, fresh: bool = False) -> tuple[Plan, Listing]:
        """Return the plan and the tests of Tempest; ``fresh`` lists the tests again."""
        tenants = self.tenants.planned()
        return make_plan(self.request, self.space, self.facts, tenants, fresh=fresh)

    def run(self, planned: Plan, wanted: Sequence[str], run: Run, console: Console) -> Ended:
        """Run the tests ``wanted``; those that need tenants of Tempest in a second process.

        :param wanted: full ids of tests
        :param run: receives the stream and the log of stestr
        :raises MachineError: the run directory cannot be written
        """
        own = self.tenants.own(wanted)
        jobs = []
        if borrowing := [full for full in wanted if full not in own]:
            tempest_conf.write(self.space, self.conf, self.choices)
            worker_accounts.write(self.space.directory, self.choices.users, planned.concurrency)
            jobs.append(job(self.space, borrowing, planned.workers))
        if creating := [full for full in wanted if full in own]:
            second = beside(self.space)
            tempest_conf.write(second, self.conf, self.choices, self.tenants.tempest_admin)
            one = dataclasses.replace(planned.workers, count=1)
            jobs.append(job(second, creating, one))
        listener = progress.RunProgress(
            console, plan.by_capability(planned, wanted), planned.workers
        )
        return run_jobs(jobs, (*self.tenants.secrets, *self.request.secrets), run, listener)


def connect_for(request: CertificationRequest) -> tuple[Cloud, CertificationRequest]:
    """Connect to the cloud of a request; return it and the request with what depends on it.

    :raises CloudError: the cloud cannot be used, or lacks a service that the programme requires
    :raises UsageError: a setting for the cloud in clouds.yaml has another form
    """
    cloud = connect(request.cloud, request.projects)
    tested_endpoints(request, cloud)
    return cloud, adapted(request, cloud)


def tested_endpoints(request: CertificationRequest, cloud: Cloud) -> tuple[Endpoint, ...]:
    """Return the endpoints of the identity service and of the services that the tests need.

    :raises CloudError: the catalog has no endpoint of one, in this region and for this interface
    """
    return service_catalog.endpoints(cloud, (KEYSTONE, *request.projects))


def adapted(request: CertificationRequest, cloud: Cloud) -> CertificationRequest:
    """Return the request with the settings and the workers for a cloud."""
    return request.for_cloud(cloud.tempest_settings, latency.measure(cloud), guests=cloud.guests)


def job(space: Workspace, load_list: Sequence[str], workers: Workers) -> Job:
    """Return the job that runs ``load_list``, with the estimated durations of its tests."""
    tests = (tempest_id.parse(full) for full in load_list)
    names = (test.name for test in tests if test)
    return Job(space, load_list, workers.count, durations.by_test(names, workers.latency))


def run_jobs(
    jobs: Sequence[Job], secrets: Sequence[str], run: Run, listener: testtools.StreamResult
) -> Ended:
    """Run jobs at the same time and append their stream and log to those of ``run``.

    :raises MachineError: the run directory cannot be written
    """
    try:
        with run.stream.open("ab") as stream, run.log.open("ab") as log:
            return stestr_runner.run(jobs, secrets, Output(stream, log), listener)
    except OSError as error:
        raise MachineError(
            f"the run directory {run.directory} cannot be written: {error.strerror}",
            hint="free some space, then continue with: "
            f"refstack-client certify --resume {run.directory}",
        ) from error


@contextlib.contextmanager
def opened(
    request: CertificationRequest,
    cloud: Cloud,
    space: Workspace,
    record: ResourceRecord,
    leaked: list[str],
) -> Iterator[Session]:
    """Provide tenants and configure Tempest; remove the created tenants when the block ends.

    :param leaked: receives a sentence for each resource that could not be removed
    :raises CloudError: the cloud or the credentials cannot be used
    """
    # Far from the cloud, one after the other would take twice as long.
    with ThreadPoolExecutor() as pool:
        discovered = pool.submit(service_groups, request, cloud)
        chosen = pool.submit(provision.choose_resources, request, cloud)
    services, resources = discovered.result(), chosen.result().settings
    with (
        provision.provided(request, cloud, record, leaked) as tenants,
        _relayed(request, cloud) as relayed,
    ):
        request = slowed(request, cloud)
        if tenants.network:
            named = (Setting(*option, tenants.network) for option in provision.NETWORK_OPTIONS)
            resources = (*resources, *named)
        choices = Choices(
            services=services,
            relay=relayed,
            users=tenants.users,
            roles=tenants.roles,
            overrides=request.settings,
            prefix=record.prefix,
            resources=resources,
        )
        conf = tempest_conf.compose(space, choices)
        shown = tempest_conf.write(space, conf, choices)
        yield Session(request, cloud.facts, space, tenants, choices, conf, shown)


@contextlib.contextmanager
def _relayed(request: CertificationRequest, cloud: Cloud) -> Iterator[tuple[Setting, ...]]:
    """Relay requests where Tempest needs it, and yield the settings for it.

    That is where a proxy is used, or where the cloud limits the rate of requests.
    """
    endpoints = tested_endpoints(request, cloud)
    urls = (cloud.identity_url, *(endpoint.url for endpoint in endpoints))
    if proxies_of(urls) or cloud.access.throttling.seen:
        with relay.listening(urls, cloud.access) as relay_url:
            yield service_settings.of_relay(cloud, relay_url)
    else:
        yield ()


def slowed(request: CertificationRequest, cloud: Cloud) -> CertificationRequest:
    """Return the request for one worker if the cloud limits the rate of requests.

    Each class of tests requests tokens, which the relay repeats; to wait less is to test sooner.
    """
    if not cloud.access.throttling.seen or request.workers_or_default.count == 1:
        return request
    workers = dataclasses.replace(
        request.workers_or_default, count=1, why="the cloud limits the rate of requests"
    )
    return dataclasses.replace(request, workers=workers)


def service_groups(request: CertificationRequest, cloud: Cloud) -> tuple[Group, ...]:
    """Return the options of tempest.conf about the services, each group after its origin.

    :raises CloudError: a service does not respond, or its response is wrong
    """
    offers = discovery.offers(cloud, tested_endpoints(request, cloud))
    return (*service_settings.of_access(cloud, offers), *service_settings.of_offers(offers))


def make_plan(
    request: CertificationRequest,
    space: Workspace,
    facts: CloudFacts | None,
    tenants: TenantPlan,
    *,
    fresh: bool = False,
) -> tuple[Plan, Listing]:
    """Return the plan of a request and the tests of Tempest; ``fresh`` lists the tests again.

    They are listed again too if a wanted test is missing from a list of another configuration.
    """
    listing = inventory.load(space, fresh=fresh)
    planned = plan.make(request, listing, facts, tenants)
    if listing.assumed and planned.count(MatchKind.MISSING):
        return make_plan(request, space, facts, tenants, fresh=True)
    return planned, listing
