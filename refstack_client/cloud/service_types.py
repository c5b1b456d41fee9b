"""The services of OpenStack projects: known without a cloud."""

import functools

from os_service_types import ServiceTypes

BLOCK_STORAGE = "block-storage"
COMPUTE = "compute"
IDENTITY = "identity"
IMAGE = "image"
NETWORK = "network"
OBJECT_STORE = "object-store"


@functools.cache
def service_of(project: str) -> tuple[str, str]:
    """Return service type and name of a project's service; an unknown project names its own."""
    known = ServiceTypes().get_service_data_for_project(project)
    return (known["service_type"] if known else project), project.capitalize()
