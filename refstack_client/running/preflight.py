"""Check whether a cloud can be certified with the credentials; nothing is changed."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from urllib.parse import urlsplit

import keystoneauth1.exceptions
from openstack.resource import Resource

from capabilities.guideline import Rule, Status
from refstack_client.cloud import certificate, service_catalog
from refstack_client.cloud.access import by_proxy, proxy_of
from refstack_client.cloud.connection import Cloud, connect
from refstack_client.cloud.failures import FAILURES, summary
from refstack_client.cloud.service_types import (
    BLOCK_STORAGE,
    IDENTITY,
    NETWORK,
    OBJECT_STORE,
    service_of,
)
from refstack_client.errors import CloudError
from refstack_client.planning import limits, test_requirements
from refstack_client.planning.request import CertificationRequest
from refstack_client.planning.tenant_plan import TenantKind
from refstack_client.running.tempest_session import KEYSTONE, adapted
from refstack_client.tempest import discovery
from refstack_client.tempest.discovery import Offer
from refstack_client.tenants import provision, removal

SECONDS_OFF_WARNING = 30
SECONDS_OFF_PROBLEM = 300
"""Tokens and signed URLs expire after minutes."""
DAYS_OF_CERTIFICATE = 14
MOST_OF_A_TENANT: Mapping[str, Mapping[str, int]] = {
    "compute": {"instances": 4, "cores": 4, "key_pairs": 3},
    "block-storage": {"volumes": 5, "snapshots": 4, "gigabytes": 12},
    "network": {"networks": 5, "subnets": 6, "ports": 12, "routers": 3, "security_groups": 6},
}
"""The most that test classes have at a time in one project, by service type."""
_ROLE_REMEDY = "use an admin credential, or add a user with that role to the accounts file"


class Level(StrEnum):
    """The outcome of a check; a problem keeps tests from passing."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True)
class Check:
    """The result of a check.

    :param found: the finding, for people
    :param remedy: what to do about a warning or problem; "" otherwise
    :param tests: names of the tests that a problem keeps from passing
    """

    name: str
    level: Level
    found: str
    remedy: str = ""
    tests: tuple[str, ...] = ()


def check(request: CertificationRequest) -> Iterator[Check]:
    """Yield the results of all :data:`CHECKS`, each as soon as it is known.

    If the user cannot sign in no further check is done.
    """
    try:
        cloud = connect(request.cloud, request.projects)
    except CloudError as error:
        yield Check("sign in", Level.PROBLEM, str(error), error.hint)
        return
    facts = cloud.facts
    yield Check("sign in", Level.OK, f"{facts.user} in project {facts.project} at {facts.auth_url}")
    request = adapted(request, cloud)
    affected: set[str] = set()
    for name, look in CHECKS.items():
        for result in _guarded(name, look, cloud, request):
            affected.update(result.tests if result.level is Level.PROBLEM else ())
            yield result
    yield _capabilities(request, affected)


def _guarded(
    name: str, look: "Look", cloud: Cloud, request: CertificationRequest
) -> Iterator[Check]:
    """Yield the results of a check; its first error is a problem and its last result."""
    try:
        yield from look(cloud, request)
    except CloudError as error:
        yield Check(name, Level.PROBLEM, str(error), error.hint)
    except (*FAILURES, OSError) as error:
        yield Check(name, Level.PROBLEM, summary(error), "see the log of the service")


def _capabilities(request: CertificationRequest, affected: Collection[str]) -> Check:
    """Name the required capabilities that have a test which cannot pass."""
    names = [
        capability.id
        for programme in request.programme.with_bases()
        for capability in programme.capabilities(Status.REQUIRED)
        if any(test.flag is None and test.name in affected for test in capability.tests)
    ]
    if names:
        number = f"{len(names)} required capabilit{'y' if len(names) == 1 else 'ies'}"
        found = f"{number} cannot pass: {', '.join(names)}"
        return Check("capabilities", Level.PROBLEM, found, "solve the problems above")
    return Check("capabilities", Level.OK, "no problem found with a required capability")


def _roles(cloud: Cloud, request: CertificationRequest) -> Iterator[Check]:
    if provision.uses_accounts(request, cloud.facts):
        tenants = provision.from_accounts(request, cloud)
        planned, remedy = tenants.planned(), _ROLE_REMEDY
        found = f"{len(tenants.users)} users of the accounts file can sign in"
    else:
        of_cloud = provision.roles_of_cloud(request, cloud)
        removal.project_ids(cloud)
        planned = provision.planned_with(TenantKind.THROWAWAY, of_cloud)
        remedy = "openstack role create member"
        found = f"{', '.join(cloud.facts.roles)}: tenants are created for the run, and removed"
    yield Check("roles", Level.OK, found)
    for limit in limits.users(request, planned):
        found = f"{limit.test.name}: {limit.why}"
        yield Check("roles", _skipped(request), found, remedy, (limit.test.name,))


def _skipped(request: CertificationRequest) -> Level:
    """Return the level of what makes tests skip, which the rule of a list allows."""
    return Level.WARNING if request.programme.rule is Rule.NONE_FAILED else Level.PROBLEM


def _clock(cloud: Cloud, request: CertificationRequest) -> Iterator[Check]:
    tested = (cloud.facts.endpoints.get(kind) for kind in request.service_types)
    for url in filter(None, (cloud.auth_url, *tested)):
        if (seconds := _seconds_off(cloud, url)) is not None:
            break
    else:
        yield Check("clock", Level.WARNING, "no tested service sends the time")
        return
    level = Level.OK if seconds < SECONDS_OFF_WARNING else Level.WARNING
    if seconds >= SECONDS_OFF_PROBLEM:
        level = Level.PROBLEM
    remedy = "" if level is Level.OK else "set both clocks by NTP: tokens and signed URLs expire"
    yield Check("clock", level, f"{seconds:.0f} s difference", remedy)


def _seconds_off(cloud: Cloud, url: str) -> float | None:
    """Return the difference of the clocks in seconds; None if the response has no time."""
    try:
        response = cloud.connection.session.get(url, authenticated=False, raise_exc=False)
    except keystoneauth1.exceptions.ClientException:
        return None
    now = datetime.now(UTC)
    date = response.headers.get("Date", "")
    return abs((parsedate_to_datetime(date) - now).total_seconds()) if date else None


def _tls(cloud: Cloud, request: CertificationRequest) -> Iterator[Check]:
    parts = urlsplit(cloud.auth_url)
    if parts.scheme != "https":
        yield Check(
            "TLS",
            Level.WARNING,
            f"{parts.netloc} does not use TLS: passwords and tokens are sent unencrypted",
            "use the https URL if there is one",
        )
        return
    if not cloud.access.tls.verify:
        yield Check(
            "TLS",
            Level.WARNING,
            "certificates are not verified",
            "set cacert in clouds.yaml to the certificate authority, and remove verify: false",
        )
        return
    if proxy_of(cloud.auth_url):
        yield Check("TLS", Level.OK, f"the certificate of {parts.netloc} is valid")
        return
    days = certificate.days_valid(
        str(parts.hostname), parts.port or 443, cloud.access.tls.verification
    )
    short = days < DAYS_OF_CERTIFICATE
    yield Check(
        "TLS",
        Level.WARNING if short else Level.OK,
        f"the certificate of {parts.netloc} is valid for {days} more days",
        "renew the certificate" if short else "",
    )


def _services(cloud: Cloud, request: CertificationRequest) -> Iterator[Check]:
    for project in (KEYSTONE, *request.projects):
        service_type, _ = service_of(project)
        name = f"service {service_type}"
        try:
            offer = discovery.offer(cloud, service_catalog.endpoint(cloud, project))
        except CloudError as error:
            tests = request.tests_of(project)
            yield Check(name, Level.PROBLEM, str(error), error.hint, tests)
            continue
        yield Check(name, Level.OK, _offered(offer))
        yield from _extensions(offer, request)


def _offered(offer: Offer) -> str:
    """Return the version that a service reports, where it is, and how it is reached."""
    endpoint = offer.endpoint
    version = f" {offer.version}" if offer.version else ""
    newest = f", microversions up to {offer.max_microversion}" if offer.max_microversion else ""
    where = f", region {endpoint.region}" if endpoint.region else ""
    by = by_proxy(endpoint.url)
    return f"{endpoint.service_name}{version} at {endpoint.root.rstrip('/')}{where}{by}{newest}"


def _extensions(offer: Offer, request: CertificationRequest) -> Iterator[Check]:
    """Compare the extensions that wanted tests require with those that a service lists."""
    service, section = _NAMES_IN_TEMPEST.get(offer.endpoint.service_type, ("", ""))
    if offer.extensions is None:
        return
    required = test_requirements.of(request.programme.wanted_tests())
    for requirement, tests in sorted(required.items()):
        extension = requirement.item
        if not extension or requirement.section != section:
            continue
        is_enabled = extension in offer.extensions
        example = "" if is_enabled else f", such as {tests[0]}"
        yield Check(
            f"{service} extension {extension}",
            Level.OK if is_enabled else _skipped(request),
            f"tests that require it: {len(tests)}{example}",
            "" if is_enabled else "enable it: tests that require it skip, and do not pass then",
            tests,
        )


_NAMES_IN_TEMPEST = {
    BLOCK_STORAGE: ("volume", "volume-feature-enabled"),
    IDENTITY: ("identity", "identity-feature-enabled"),
    NETWORK: ("network", "network-feature-enabled"),
    OBJECT_STORE: ("object", "object-storage-feature-enabled"),
}
"""Name of a service in tests, and the section with its extensions, by service type."""


def _guests(cloud: Cloud, request: CertificationRequest) -> Iterator[Check]:
    if tests := tuple(limit.test.name for limit in limits.guests(request)):
        yield Check(
            "guests",
            _skipped(request),
            f"{len(tests)} tests log in to a guest, which is off: {', '.join(tests)}",
            "if guests can be reached from here: --guests, and --set "
            "validation.image_ssh_user=NAME for the user of the image",
            tests,
        )


def _resources(cloud: Cloud, request: CertificationRequest) -> Iterator[Check]:
    """Name the image, flavors and network that the tests use."""
    resources = provision.choose_resources(request, cloud)
    for setting in resources.settings:
        name = f"{setting.section}.{setting.option}"
        yield Check(name, Level.OK, f"{setting.value} (--set {name}=… for another)")
    for remark in resources.remarks:
        yield Check(remark.option, Level.WARNING, remark.message, remark.hint)


def _quotas(cloud: Cloud, request: CertificationRequest) -> Iterator[Check]:
    """Compare the quotas of a tenant with what a test class creates."""
    account = None
    if provision.uses_accounts(request, cloud.facts):
        account = provision.from_accounts(request, cloud).users[0]
    quota_of = _own_quota if account else _default_quota
    tested = cloud.seen_by(account.as_auth()) if account else cloud
    for service_type, most in MOST_OF_A_TENANT.items():
        if service_type not in request.service_types:
            continue
        quota = quota_of(tested, service_type)
        short = {
            name: (limit, number)
            for name, number in most.items()
            if (limit := getattr(quota, name, None)) is not None and 0 <= limit < number
        }
        shortage = ", ".join(
            f"{limit} {name}, {number} needed" for name, (limit, number) in short.items()
        )
        yield Check(
            f"quota {service_type}",
            Level.PROBLEM if short else Level.OK,
            f"a tenant may have {shortage}" if short else "suffices for what a test class creates",
            f"raise it: openstack quota set --{next(iter(short))} NUMBER …" if short else "",
        )


def _default_quota(cloud: Cloud, service_type: str) -> Resource:
    """Return the quota of a new project."""
    connection = cloud.connection
    project = connection.current_project_id
    if service_type == "network":
        return connection.network.get_quota_default(project)
    service = connection.compute if service_type == "compute" else connection.block_storage
    return service.get_quota_set_defaults(project)


def _own_quota(cloud: Cloud, service_type: str) -> Resource:
    """Return the quota of the connection's own project."""
    connection = cloud.connection
    project = connection.current_project_id
    if service_type == "network":
        return connection.network.get_quota(project)
    service = connection.compute if service_type == "compute" else connection.block_storage
    return service.get_quota_set(project)


Look = Callable[[Cloud, CertificationRequest], Iterator[Check]]

CHECKS: Mapping[str, Look] = {
    "clock": _clock,
    "TLS": _tls,
    "roles": _roles,
    "services": _services,
    "guests": _guests,
    "resources": _resources,
    "quotas": _quotas,
}
"""All checks after signing in, in their order, by name."""
