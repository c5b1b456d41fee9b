"""Check whether a cloud can be certified with the credentials.

Nothing is changed, unless tests log in to guests: then one test does so.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from urllib.parse import urlsplit

import keystoneauth1.exceptions
from rich.console import Console

from capabilities.guideline import Rule, Status, Test
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
from refstack_client.planning.test_requirements import GUESTS
from refstack_client.running import guest_login, quotas
from refstack_client.running.check_result import Check, Level
from refstack_client.running.tempest_session import KEYSTONE, adapted
from refstack_client.tempest import discovery
from refstack_client.tempest.discovery import Offer
from refstack_client.tenants import provision

SECONDS_OFF_WARNING = 30
SECONDS_OFF_PROBLEM = 300
"""Tokens and signed URLs expire after minutes."""
DAYS_OF_CERTIFICATE = 14
_GUEST = "guest login"


def check(request: CertificationRequest, console: Console) -> Iterator[Check]:
    """Yield the results of all :data:`CHECKS`, each as soon as it is known.

    If the user cannot sign in no further check is done. Where tests log in to guests and no other
    check found a problem, one test creates a server and logs in to it.

    :param console: shows the progress of that test
    """
    try:
        cloud = connect(request.cloud, request.projects)
    except CloudError as error:
        yield Check("sign in", Level.PROBLEM, str(error), error.hint)
        return
    facts = cloud.facts
    yield Check("sign in", Level.OK, f"{facts.user} in project {facts.project} at {facts.auth_url}")
    adapted_request = adapted(request, cloud)
    found: list[Check] = []
    for name, look in CHECKS.items():
        for result in _guarded(name, look, cloud, adapted_request):
            # What a whole check needs of an earlier one fails with the same words.
            if result.name != name or result.found not in _problems(found):
                found.append(result)
                yield result
    if adapted_request.logs_in_to_guests and (test := guest_login.test_of(request)):
        if _problems(found):
            yield Check(_GUEST, Level.WARNING, "not tried", "solve the problems above")
        else:
            login = partial(_guest_login, request, test, console)
            for result in _guarded(_GUEST, login, cloud, adapted_request):
                found.append(result)
                yield result
    yield _capabilities(request, _problems(found))


def _problems(found: Iterable[Check]) -> dict[str, Check]:
    """Return the checks that found a problem, by what they found."""
    return {check.found: check for check in found if check.level is Level.PROBLEM}


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


def _capabilities(request: CertificationRequest, problems: Mapping[str, Check]) -> Check:
    """Name the required capabilities that have a test which cannot pass."""
    affected = {test for problem in problems.values() for test in problem.tests}
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
    if problems:
        found = "no other problem found with a required capability"
        return Check("capabilities", Level.WARNING, found, "solve the problems above")
    return Check("capabilities", Level.OK, "no problem found with a required capability")


def _roles(cloud: Cloud, request: CertificationRequest) -> Iterator[Check]:
    if provision.uses_accounts(request, cloud.facts):
        tenants = provision.from_accounts(request, cloud)
        planned = tenants.planned()
        found = f"{len(tenants.users)} users of the accounts file can sign in"
    else:
        keystone = provision.read_keystone(request, cloud)
        planned = provision.planned_with(TenantKind.THROWAWAY, keystone.roles)
        found = f"{', '.join(cloud.facts.roles)}: tenants are created for the run, and removed"
    yield Check("roles", Level.OK, found)
    for limit in limits.users(request, planned):
        found = f"{limit.test.name}: {limit.why}"
        yield Check("roles", _skipped(request), found, limit.remedy, (limit.test.name,))


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
    try:
        sent = parsedate_to_datetime(response.headers.get("Date", ""))
    except (ValueError, OverflowError):
        return None
    return abs((sent.replace(tzinfo=sent.tzinfo or UTC) - now).total_seconds())


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
    if found := tuple(limits.guests(request)):
        tests = tuple(limit.test.name for limit in found)
        yield Check(
            "guests",
            _skipped(request),
            f"{len(tests)} tests log in to a guest, which is off: {', '.join(tests)}",
            found[0].remedy,
            tests,
        )


def _guest_login(
    unadapted: CertificationRequest,
    test: Test,
    console: Console,
    cloud: Cloud,
    request: CertificationRequest,
) -> Iterator[Check]:
    """Log in to the guest of one server, by one test."""
    login = guest_login.log_in(unadapted, test, console)
    others = test_requirements.requiring(GUESTS, request.programme.wanted_tests())
    level = Level.WARNING if login.passed else Level.PROBLEM
    yield Check(
        _GUEST,
        level if login.remedy else Level.OK,
        login.found,
        login.remedy,
        () if login.passed else tuple(other.name for other in others),
    )


def _resources(cloud: Cloud, request: CertificationRequest) -> Iterator[Check]:
    """Name the image, flavors and network that the tests use."""
    resources = provision.choose_resources(request, cloud)
    for setting in resources.settings:
        name = f"{setting.section}.{setting.option}"
        yield Check(name, Level.OK, f"{setting.value} (--set {name}=… for another)")
    for remark in resources.remarks:
        yield Check(remark.option, Level.WARNING, remark.message, remark.hint)
    if names := provision.projects_without_network(request, cloud):
        yield Check(
            "tenant networks",
            Level.WARNING,
            f"no network, so that servers have no port, in: {', '.join(names)}",
            "create one with a subnet: openstack network create, openstack subnet create",
        )


Look = Callable[[Cloud, CertificationRequest], Iterator[Check]]

CHECKS: Mapping[str, Look] = {
    "clock": _clock,
    "TLS": _tls,
    "roles": _roles,
    "services": _services,
    "guests": _guests,
    "resources": _resources,
    "quotas": quotas.check,
}
"""All checks after signing in, in their order, by name."""
