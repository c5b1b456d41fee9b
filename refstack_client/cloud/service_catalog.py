"""Check that the services a programme requires are in the service catalog and respond."""

from collections.abc import Iterable
from urllib.parse import urlsplit

import keystoneauth1.exceptions

from refstack_client.cloud.connection import Cloud
from refstack_client.cloud.service_types import service_of
from refstack_client.errors import CloudError


def require_services(cloud: Cloud, projects: Iterable[str]) -> None:
    """Check that the services of ``projects`` (``swift``, …) are in the catalog and respond.

    :raises CloudError: on the first service that is not in it or does not respond
    """
    for project in projects:
        _require(cloud, *service_of(project))


def _require(cloud: Cloud, service_type: str, name: str) -> None:
    session = cloud.connection.session
    try:
        endpoint = session.get_endpoint(
            service_type=service_type, interface=cloud.interface, region_name=cloud.region
        )
    except keystoneauth1.exceptions.CatalogException:
        endpoint = None
    if not endpoint:
        raise CloudError(
            f"the service catalog of {cloud.connection.config.name} has no {service_type} service "
            f"({name}), which the programme requires",
            hint="check region_name and interface in clouds.yaml, or use --programme with one that "
            "this cloud offers",
        )
    parts = urlsplit(endpoint)
    try:
        session.get(
            f"{parts.scheme}://{parts.netloc}/",
            authenticated=False,
            raise_exc=False,
            redirect=False,
            connect_retries=0,
        )
    except keystoneauth1.exceptions.ConnectFailure as error:
        raise CloudError(
            f"{name} ({service_type}) does not respond at {parts.scheme}://{parts.netloc}",
            hint="check that the service runs and that its endpoint can be reached from here",
        ) from error
