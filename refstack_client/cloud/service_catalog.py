"""Find the endpoints of services in the service catalog of a cloud."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from urllib.parse import urlsplit

import keystoneauth1.exceptions
from keystoneauth1.discover import EndpointData

from refstack_client.cloud.access import by_proxy, without_user
from refstack_client.cloud.clouds_yaml import several_regions
from refstack_client.cloud.connection import Cloud
from refstack_client.cloud.service_types import IDENTITY, service_of
from refstack_client.errors import CloudError


@dataclass(frozen=True)
class Endpoint:
    """The endpoint through which a service is tested.

    :param service_type: the official one, such as ``block-storage``
    :param listed_type: the one in the catalog, such as ``volumev3``
    :param service_name: name of the project, such as ``Cinder``
    :param region: as the catalog has it; "" if it has none
    """

    service_type: str
    listed_type: str
    service_name: str
    url: str
    region: str
    interface: str

    @property
    def title(self) -> str:
        """Return the service as messages name it: ``Cinder (block-storage)``."""
        return f"{self.service_name} ({self.service_type})"

    @property
    def root(self) -> str:
        """Return the URL of the server, without a path."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}/"


def endpoints(cloud: Cloud, projects: Iterable[str]) -> tuple[Endpoint, ...]:
    """Return the endpoints of the services of ``projects`` (``swift``, …), without a request.

    :raises CloudError: a service has none, or several regions have it and none is chosen
    """
    return tuple(endpoint(cloud, project) for project in projects)


def endpoint(cloud: Cloud, project: str) -> Endpoint:
    """Return the endpoint of the service of one project.

    :raises CloudError: it has none, or several regions have it and none is chosen
    """
    service_type, name = service_of(project)
    title = f"{name} ({service_type})"
    config = cloud.connection.config
    interface = cloud.access.interface
    region = config.get_region_name(service_type) or cloud.access.region
    found = _listed(cloud, service_type)
    wanted = [item for item in found if item.interface == interface]
    if region:
        # Some clouds list one identity service for all regions: "*", or none.
        wanted = [item for item in wanted if item.region_name == region] or (
            wanted if service_type == IDENTITY else []
        )
    elif len(regions := sorted({item.region_name or "" for item in wanted})) > 1:
        raise several_regions(cloud.name, filter(None, regions))
    if not wanted:
        raise _missing(cloud, service_type, title, found)
    _check_override(cloud, service_type, title)
    chosen = wanted[0]
    return Endpoint(
        service_type=service_type,
        listed_type=chosen.service_type or service_type,
        service_name=name,
        url=chosen.url or "",
        region=chosen.region_name or "",
        interface=interface,
    )


def require_response(cloud: Cloud, endpoint: Endpoint) -> None:
    """Check that the server of an endpoint responds, whatever the response is.

    :raises CloudError: it does not
    """
    try:
        cloud.connection.session.get(
            endpoint.root, authenticated=False, raise_exc=False, redirect=False, connect_retries=0
        )
    except keystoneauth1.exceptions.ClientException as error:
        raise no_response(endpoint) from error


def require_responses(cloud: Cloud) -> None:
    """Check that the servers of all tested services respond.

    :raises CloudError: one does not, or is no longer in the catalog
    """
    tested = endpoints(cloud, cloud.tested)
    with ThreadPoolExecutor() as pool:
        list(pool.map(partial(require_response, cloud), tested))


def no_response(endpoint: Endpoint) -> CloudError:
    """Return the error that the server of an endpoint does not respond."""
    return CloudError(
        f"{endpoint.title} does not respond at {endpoint.root.rstrip('/')}{by_proxy(endpoint.url)}",
        hint="check that the service runs and that its endpoint can be reached from here",
    )


def _listed(cloud: Cloud, service_type: str) -> list[EndpointData]:
    """Return all endpoints of a service, by its official type or the first alias in the catalog."""
    session = cloud.connection.session
    catalog = session.auth.get_access(session).service_catalog
    return list(catalog.get_endpoint_data_list(service_type=service_type, interface=None))


def _missing(
    cloud: Cloud, service_type: str, title: str, found: Iterable[EndpointData]
) -> CloudError:
    """Return the error that the catalog has no suitable endpoint; it lists those it has."""
    access = cloud.access
    if service_type in cloud.invalid_urls:
        url = cloud.invalid_urls[service_type]
        return CloudError(
            f"the service catalog of {cloud.name} has no valid URL of {title}: {url!r}",
            hint="have the endpoint corrected: openstack endpoint list",
        )
    others = sorted({f"{item.interface} in {item.region_name or 'no region'}" for item in found})
    if not others:
        return CloudError(
            f"the service catalog of {cloud.name} has no service {title}, which the programme "
            "requires",
            hint="use --programme with one that this cloud offers",
        )
    where = f" in the region {access.region}" if access.region else ""
    return CloudError(
        f"the service catalog of {cloud.name} has no {access.interface} endpoint of {title}{where},"
        f" which the programme requires; it has {', '.join(others)}",
        hint="choose with --os-interface and --os-region-name, or in clouds.yaml",
    )


def _check_override(cloud: Cloud, service_type: str, title: str) -> None:
    """Check that clouds.yaml names no URL for a service: Tempest uses the catalog.

    :raises CloudError: it names one
    """
    override = cloud.connection.config.get_endpoint(service_type)
    if override and service_type != IDENTITY:
        raise CloudError(
            f"clouds.yaml overrides the endpoint of {title}, which Tempest cannot: "
            f"{without_user(override)}",
            hint="remove it, and have the URL in the service catalog",
        )
