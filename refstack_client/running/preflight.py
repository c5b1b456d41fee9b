"""Whether a cloud can be certified with given credentials; nothing of it is changed."""

import contextlib
import socket
import ssl
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

import keystoneauth1.exceptions
from openstack.connection import Connection

from capabilities.guideline import Status
from refstack_client.cloud import connection as cloud
from refstack_client.errors import CloudError
from refstack_client.planning import plan, test_requirements
from refstack_client.planning.request import Request
from refstack_client.planning.test_requirements import Need
from refstack_client.tempest import cloud_resources
from refstack_client.tenants import provision

SECONDS_OFF_TOLD = 30
SECONDS_OFF_REFUSED = 300
"""Tokens and signed addresses are good for minutes."""
DAYS_OF_CERTIFICATE = 14


class Level(StrEnum):
    """How a check came out; a problem keeps tests from passing."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True)
class Check:
    """What was looked at, what was found, and what to do about it where something is wrong.

    ``tests`` are the names of those that a problem keeps from passing.
    """

    name: str
    level: Level
    found: str
    remedy: str = ""
    tests: tuple[str, ...] = ()


def check(request: Request) -> Iterator[Check]:
    """Yield the checks as they are done; the first problem of a service is its last check.

    Nothing is made or changed. It ends early where nobody can sign in.
    """
    try:
        connection = cloud.connect(request.os_cloud)
    except CloudError as error:
        yield Check("sign in", Level.PROBLEM, str(error), error.hint)
        return
    facts = cloud.facts(connection)
    yield Check("sign in", Level.OK, f"{facts.user} in project {facts.project} at {facts.auth_url}")
    with contextlib.suppress(CloudError):
        request = request.for_cloud(connection)
    hindered: set[str] = set()
    for look in _CHECKS:
        name = look.__name__.strip("_")
        try:
            for each in look(connection, request):
                hindered.update(each.tests if each.level is Level.PROBLEM else ())
                yield each
        except CloudError as error:
            yield Check(name, Level.PROBLEM, str(error), error.hint)
        except (*cloud.FAILURES, OSError) as error:
            yield Check(name, Level.PROBLEM, cloud.brief(error), "what the service logs says why")

    yield _capabilities(request, hindered)


def _capabilities(request: Request, hindered: Collection[str]) -> Check:
    """Tell which required capabilities have a test that cannot pass."""
    affected = [
        capability.id
        for each in request.programme.with_bases()
        for capability in each.capabilities(Status.REQUIRED)
        if any(test.flag is None and test.name in hindered for test in capability.tests)
    ]
    if affected:
        told = f"{len(affected)} cannot be shown as it is: {', '.join(affected)}"
        return Check("capabilities", Level.PROBLEM, told, "mend what is named above")
    return Check("capabilities", Level.OK, "nothing was found that keeps one from being shown")


def _roles(connection: Connection, request: Request) -> Iterator[Check]:
    facts = cloud.facts(connection)
    held = ", ".join(facts.roles) or "none"
    if not provision.uses_given(request, facts):
        yield Check("roles", Level.OK, f"{held}: tenants are made for the run, and removed")
        return
    given = provision.given(request, connection)
    users = len(given.users)
    yield Check("roles", Level.OK, f"{users} users of the accounts file sign in")
    for limit in plan.limits(request.programme.wanted_tests(), given.planned()):
        told = f"{limit.test.name}: {limit.why}"
        yield Check("roles", Level.PROBLEM, told, _ADMIN, (limit.test.name,))


_ADMIN = "use an admin credential, or list a user with that role in the accounts file"


def _clock(connection: Connection, request: Request) -> Iterator[Check]:
    told = ""
    for url in (_auth_url(connection), *cloud.facts(connection).endpoints.values()):
        with contextlib.suppress(keystoneauth1.exceptions.ClientException):
            answer = connection.session.get(url, authenticated=False, raise_exc=False)
            told = told or answer.headers.get("Date", "")
            now = datetime.now(UTC)
        if told:
            break
    else:
        yield Check("clock", Level.WARNING, "the cloud does not say what time it is")
        return
    off = abs((parsedate_to_datetime(told) - now).total_seconds())
    level = Level.OK if off < SECONDS_OFF_TOLD else Level.WARNING
    if off >= SECONDS_OFF_REFUSED:
        level = Level.PROBLEM
    remedy = "" if level is Level.OK else "set both by NTP: tokens and signed addresses expire"
    yield Check("clock", level, f"{off:.0f} s apart", remedy)


def _tls(connection: Connection, request: Request) -> Iterator[Check]:
    parts = urlsplit(_auth_url(connection))
    if parts.scheme != "https":
        yield Check(
            "TLS",
            Level.WARNING,
            f"{parts.netloc} is reached without: passwords and tokens travel in the open",
            "use the https address, where there is one",
        )
        return
    verify, _ = connection.config.get_requests_verify_args()
    if not verify:
        yield Check(
            "TLS",
            Level.WARNING,
            "certificates are not verified",
            "give the authority as cacert in clouds.yaml, and leave verify out",
        )
        return
    days = _days_of_certificate(str(parts.hostname), parts.port or 443, verify)
    short = days < DAYS_OF_CERTIFICATE
    yield Check(
        "TLS",
        Level.WARNING if short else Level.OK,
        f"the certificate of {parts.netloc} is good for {days} days",
        "renew it" if short else "",
    )


def _days_of_certificate(host: str, port: int, authority: str | bool) -> int:
    """Return how long a certificate is good for; that it is was seen when signing in."""
    context = ssl.create_default_context(cafile=authority if isinstance(authority, str) else None)
    with (
        socket.create_connection((host, port), timeout=cloud.SECONDS_TO_CONNECT) as plain,
        context.wrap_socket(plain, server_hostname=host) as secured,
    ):
        certificate: Mapping[str, Any] = secured.getpeercert() or {}
    ends = datetime.fromtimestamp(ssl.cert_time_to_seconds(certificate["notAfter"]), UTC)
    return (ends - datetime.now(UTC)).days


def _services(connection: Connection, request: Request) -> Iterator[Check]:
    for project in ("keystone", *request.projects):
        service_type, name = cloud.SERVICES.get(project, (project, project.capitalize()))
        try:
            cloud.require_services(connection, [project])
        except CloudError as error:
            name = f"service {service_type}"
            tests = _tests_of(request, project)
            yield Check(name, Level.PROBLEM, str(error), error.hint, tests)
            continue
        if service_type == "object-store":  # it has no list of versions
            yield Check(f"service {service_type}", Level.OK, f"{name} answers")
            continue
        yield _version(connection, service_type, name)


def _tests_of(request: Request, project: str) -> tuple[str, ...]:
    return tuple(
        test.name
        for each in request.programme.with_bases()
        for capability in each.capabilities(Status.REQUIRED)
        if capability.project == project
        for test in capability.tests
    )


def _version(connection: Connection, service_type: str, name: str) -> Check:
    data = connection.session.get_endpoint_data(
        service_type=service_type,
        interface=connection.config.get_interface() or "public",
        region_name=connection.config.get_region_name() or None,
        discover_versions=True,
    )
    version = ".".join(map(str, data.api_version)) if data and data.api_version else ""
    if not version:
        return Check(
            f"service {service_type}",
            Level.PROBLEM,
            f"{name} does not say which version of its API it has",
            f"see that what the catalogue calls {service_type} is {name}",
        )
    newest = data.max_microversion
    more = f", microversions to {'.'.join(map(str, newest))}" if newest else ""
    return Check(f"service {service_type}", Level.OK, f"{name} {version}{more}")


def _extensions(connection: Connection, request: Request) -> Iterator[Check]:
    """Compare what wanted tests ask for with what is there."""
    wanted = test_requirements.of([test.name for test in request.programme.wanted_tests()])
    listed: dict[str, set[str]] = {}
    for need, tests in sorted(
        wanted.items(), key=lambda each: (each[0].service, each[0].extension)
    ):
        if need.service not in _LISTS:
            continue
        if need.service not in listed:
            listed[need.service] = _LISTS[need.service](connection)
        there = need.extension in listed[need.service]
        yield Check(
            f"{need.service} extension {need.extension}",
            Level.OK if there else Level.PROBLEM,
            f"tests that ask for it: {len(tests)}" + ("" if there else f", such as {tests[0]}"),
            "" if there else "enable it: tests that ask for it skip, and a skip is no pass",
            tests,
        )


def _network_extensions(connection: Connection) -> set[str]:
    return {each.alias for each in connection.network.extensions()}


def _object_features(connection: Connection) -> set[str]:
    parts = urlsplit(connection.object_store.get_endpoint())
    info = f"{parts.scheme}://{parts.netloc}/info"
    return set(connection.session.get(info, authenticated=False).json())


_LISTS: Mapping[str, Callable[[Connection], set[str]]] = {
    "network": _network_extensions,
    "object": _object_features,
}


def _guests(connection: Connection, request: Request) -> Iterator[Check]:
    tests = test_requirements.of([test.name for test in request.programme.wanted_tests()]).get(
        Need(test_requirements.VALIDATION), ()
    )
    given = {(section, option): value for section, option, value in request.settings}
    if tests and given.get(("validation", "run_validation"), "").lower() != "true":
        yield Check(
            "guests",
            Level.PROBLEM,
            f"{len(tests)} tests log in to a guest, which is off: {', '.join(tests)}",
            "where guests can be reached: --set validation.run_validation=true, and "
            "--set validation.image_ssh_user=USER for the image's user",
            tests,
        )


def _used(connection: Connection, request: Request) -> Iterator[Check]:
    """Tell what of the cloud's is used."""
    for section, option, value in cloud_resources.choose(
        connection, request.service_types, request.settings
    ):
        yield Check(
            f"{section}.{option}", Level.OK, f"{value} (--set {section}.{option}=… for another)"
        )


MOST_OF_A_TENANT: Mapping[str, Mapping[str, int]] = {
    "compute": {"instances": 4, "cores": 4, "key_pairs": 3},
    "block-storage": {"volumes": 5, "snapshots": 4, "gigabytes": 12},
    "network": {"networks": 5, "subnets": 6, "ports": 12, "routers": 3, "security_groups": 6},
}
"""What test classes have at a time in a project of their own."""


def _quotas(connection: Connection, request: Request) -> Iterator[Check]:
    """Compare what a tenant may have with what a test class makes."""
    user = None
    if provision.uses_given(request, cloud.facts(connection)):
        user = cloud.as_tenant(connection, provision.given(request, connection).users[0].as_auth())
    for service_type, most in MOST_OF_A_TENANT.items():
        if service_type not in request.service_types:
            continue
        allowed = _quota(user or connection, service_type, is_own=user is not None)
        short = {
            name: (limit, number)
            for name, number in most.items()
            if (limit := getattr(allowed, name, None)) is not None and 0 <= limit < number
        }
        told = ", ".join(
            f"{limit} {name}, {number} needed" for name, (limit, number) in short.items()
        )
        yield Check(
            f"quota {service_type}",
            Level.PROBLEM if short else Level.OK,
            f"a tenant may have {told}" if short else "suffices for what a test class makes",
            f"raise it: openstack quota set --{next(iter(short))} NUMBER …" if short else "",
        )


def _quota(connection: Connection, service_type: str, *, is_own: bool) -> Any:
    """Return the quota of a tenant: a new one's, or one's own."""
    project = connection.current_project_id
    if service_type == "network":
        network = connection.network
        return network.get_quota(project) if is_own else network.get_quota_default(project)
    service = connection.compute if service_type == "compute" else connection.block_storage
    return service.get_quota_set(project) if is_own else service.get_quota_set_defaults(project)


_CHECKS = (_clock, _tls, _roles, _services, _extensions, _guests, _used, _quotas)


def _auth_url(connection: Connection) -> str:
    return str(connection.config.get_auth_args()["auth_url"])
