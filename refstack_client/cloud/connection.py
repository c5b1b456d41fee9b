"""The cloud to be certified: reach it with openstacksdk and say what it is.

Credentials come from ``--os-cloud``, clouds.yaml and ``OS_*`` variables through openstacksdk's own
loader, so every kind of authentication it knows works here.
"""

import contextlib
import getpass
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import keystoneauth1.exceptions
import openstack.config
import openstack.exceptions
import yaml
from openstack.config.cloud_region import CloudRegion
from openstack.connection import Connection

from refstack_client.cloud.facts import CloudFacts
from refstack_client.errors import CloudError

SECONDS_TO_CONNECT = 10
_FILES = ("cacert", "cert", "key")
"""What of a cloud's configuration are paths."""

# Which service serves a capability's project, by service type and the name people know.
SERVICES = {
    "cinder": ("block-storage", "Cinder"),
    "designate": ("dns", "Designate"),
    "glance": ("image", "Glance"),
    "heat": ("orchestration", "Heat"),
    "keystone": ("identity", "Keystone"),
    "neutron": ("network", "Neutron"),
    "nova": ("compute", "Nova"),
    "swift": ("object-store", "Swift"),
}


FAILURES = (
    openstack.exceptions.SDKException,
    keystoneauth1.exceptions.ClientException,
    AttributeError,
    KeyError,
    TypeError,
    ValueError,
)
"""How a call to a cloud fails; the last are what openstacksdk makes of answers of another kind."""


def brief(error: Exception) -> str:
    """Return what went wrong with a call, in one line."""
    said = " ".join(str(error).split())[:200]
    known = isinstance(error, FAILURES[:2])
    return said if known else f"an answer that is none ({type(error).__name__}: {said})"


@contextlib.contextmanager
def asked(what: str, hint: str) -> Iterator[None]:
    """Make an error of the user's cloud of whatever a call to it fails with.

    :param what: could not be done; starts the message
    :raises CloudError: it could not
    """
    try:
        yield
    except FAILURES as error:
        raise CloudError(f"{what}: {brief(error)}", hint=hint) from error


class NoCloudError(CloudError):
    """No cloud was named, by option, variable or file."""


def connect(os_cloud: str | None) -> Connection:
    """Return an authenticated connection.

    :raises CloudError: there are no credentials, they are refused, or nothing answers
    """
    region = _region(os_cloud)
    region.config.setdefault("api_timeout", SECONDS_TO_CONNECT)
    auth_url = (region.get_auth_args() or {}).get("auth_url", "")
    try:
        connection = Connection(config=region)
        connection.session.auth.get_access(connection.session)
    except FAILURES as error:
        raise _explained(error, region.name, auth_url) from error
    return connection


def as_tenant(connection: Connection, auth: Mapping[str, str]) -> Connection:
    """Return a connection to the same cloud as another user; ``auth`` is openstacksdk's."""
    region = connection.config
    return openstack.connect(
        load_envvars=False,
        load_yaml_config=False,
        auth={"auth_url": region.get_auth_args()["auth_url"], **auth},
        region_name=region.get_region_name(),
        interface=region.get_interface(),
        verify=region.config.get("verify", True),
        cacert=region.config.get("cacert"),
        api_timeout=SECONDS_TO_CONNECT,
    )


def portable(os_cloud: str | None, place: str) -> tuple[str, dict[str, Any], dict[str, Path]]:
    """Return the name of a cloud, a clouds.yaml of it alone, and the files it names, by name.

    It comes from where :func:`connect` takes it; secrets are in it.

    :param place: the directory in which the files will be
    :raises CloudError: as for :func:`connect`, but for what only the cloud itself can tell
    """
    region = _region(os_cloud)
    name = region.name or "environment"
    kept = (str, bool, int, float, dict, list)
    config = {key: value for key, value in region.config.items() if isinstance(value, kept)}
    given = {key: Path(str(config[key])).expanduser() for key in _FILES if config.get(key)}
    config.update({key: f"{place}/{key}.pem" for key in given})
    return (
        name,
        {"clouds": {name: config}},
        {f"{key}.pem": path for key, path in given.items()},
    )


def facts(connection: Connection) -> CloudFacts:
    """Return what the connection's token says."""
    access = connection.session.auth.get_access(connection.session)
    interface = connection.config.get_interface() or "public"
    region = connection.config.get_region_name() or ""
    endpoints = {}
    for service_type in access.service_catalog.get_endpoints():
        url = access.service_catalog.url_for(
            service_type=service_type, interface=interface, region_name=region or None
        )
        endpoints[service_type] = url
    return CloudFacts(
        name=connection.config.name or "environment",
        auth_url=connection.config.get_auth_args().get("auth_url", ""),
        region=region,
        user=access.username or access.user_id,
        project=access.project_name or access.project_id or "",
        roles=tuple(sorted(access.role_names)),
        endpoints=endpoints,
        identity_service=next(
            (
                service.get("id", "")
                for service in access.service_catalog.catalog
                if service.get("type") == "identity"
            ),
            "",
        ),
    )


def require_services(connection: Connection, projects: Iterable[str]) -> None:
    """Check that the services of ``projects`` (``swift``, …) are in the catalogue and answer.

    :raises CloudError: the first that is not, or does not
    """
    for project in projects:
        service_type, name = SERVICES.get(project, (project, project.capitalize()))
        try:
            endpoint = connection.session.get_endpoint(
                service_type=service_type,
                interface=connection.config.get_interface() or "public",
                region_name=connection.config.get_region_name() or None,
            )
        except keystoneauth1.exceptions.CatalogException:
            endpoint = None
        if not endpoint:
            raise CloudError(
                f"the catalogue of {connection.config.name} has no {service_type} service "
                f"({name}), which the programme requires",
                hint="check the region and interface in use, choose a programme this cloud offers, "
                "or have the endpoint registered",
            )
        parts = urlsplit(endpoint)
        try:
            connection.session.get(
                f"{parts.scheme}://{parts.netloc}/",
                authenticated=False,
                raise_exc=False,
                redirect=False,
                connect_retries=0,
            )
        except keystoneauth1.exceptions.ConnectFailure as error:
            raise CloudError(
                f"{name} ({service_type}) does not answer at {parts.scheme}://{parts.netloc}",
                hint="check that the service runs and that its endpoint is reachable from here",
            ) from error


def _region(os_cloud: str | None) -> CloudRegion:
    try:
        config = openstack.config.OpenStackConfig(pw_func=_ask if sys.stdin.isatty() else None)
        known = sorted(set(config.get_cloud_names()) - {"defaults", "envvars"})
        named = os_cloud or os.environ.get("OS_CLOUD")
        hint = (
            f"use --os-cloud with one of {', '.join(known)}"
            if known
            else "source an openrc file, or use --os-cloud with a clouds.yaml "
            "(~/.config/openstack/clouds.yaml or $OS_CLIENT_CONFIG_FILE)"
        )
        if named and named not in (*known, "envvars"):
            raise CloudError(f"there is no cloud called {named} in clouds.yaml", hint=hint)
        if not named and "OS_AUTH_URL" not in os.environ:
            raise NoCloudError("no cloud was named, and OS_AUTH_URL is not set", hint=hint)
        return _with_password(config.get_one(cloud=os_cloud))
    except yaml.YAMLError as error:
        raise CloudError(
            f"clouds.yaml is not valid YAML: {' '.join(str(error).split())}",
            hint="correct the file at that line and column",
        ) from error
    except (
        openstack.exceptions.ConfigException,
        keystoneauth1.exceptions.ClientException,
    ) as error:
        raise CloudError(
            " ".join(str(error).split()).rstrip("."),
            hint="openstack --os-cloud NAME token issue shows whether the credentials are whole",
        ) from error


def _with_password(region: CloudRegion) -> CloudRegion:
    """Check that there is a password where one is needed: keystoneauth says so in no usable way."""
    if "password" in region.config.get("auth_type", "") and not region.get_auth_args().get(
        "password"
    ):
        raise CloudError(
            f"the credentials of {region.name} have no password",
            hint="put it into clouds.yaml or OS_PASSWORD, or run this on a terminal and be asked",
        )
    return region


def _ask(prompt: str | None = None) -> str:
    """Ask for what the credentials lack: a password, a passcode."""
    try:
        return getpass.getpass(f"{(prompt or 'Password').rstrip(': ')}: ")
    except EOFError as error:
        raise CloudError(
            "no password was given", hint="type it, or put it into clouds.yaml or OS_PASSWORD"
        ) from error


def _explained(error: Exception, name: str, auth_url: str) -> CloudError:
    where = auth_url or f"the cloud {name}"
    if isinstance(error, keystoneauth1.exceptions.Unauthorized):
        return CloudError(
            f"{where} refused the credentials of {name}",
            hint="check user, password, project and domains (or id and secret of the application "
            "credential)",
        )
    if isinstance(error, keystoneauth1.exceptions.SSLError):
        return CloudError(
            f"the TLS certificate of {where} cannot be verified",
            hint="give the certificate authority as cacert in clouds.yaml or as OS_CACERT",
        )
    if isinstance(error, keystoneauth1.exceptions.ConnectFailure):
        return CloudError(
            f"nothing answers at {where}",
            hint="check auth_url, the network, and whether a proxy stands between",
        )
    if isinstance(
        error, keystoneauth1.exceptions.DiscoveryFailure | keystoneauth1.exceptions.NotFound
    ):
        return CloudError(
            f"what answers at {where} is not an OpenStack identity service",
            hint="auth_url usually ends in /v3",
        )
    return CloudError(
        f"{where} could not be used: {brief(error)}",
        hint="openstack token issue shows whether the credentials work",
    )
