"""The services of OpenStack projects: a table without a cloud."""

BLOCK_STORAGE = "block-storage"
COMPUTE = "compute"
IDENTITY = "identity"
IMAGE = "image"
NETWORK = "network"
OBJECT_STORE = "object-store"
SERVICES = {
    "cinder": (BLOCK_STORAGE, "Cinder"),
    "designate": ("dns", "Designate"),
    "glance": (IMAGE, "Glance"),
    "heat": ("orchestration", "Heat"),
    "keystone": (IDENTITY, "Keystone"),
    "neutron": (NETWORK, "Neutron"),
    "nova": (COMPUTE, "Nova"),
    "swift": (OBJECT_STORE, "Swift"),
}
"""Service type and name of the service, by the project of a capability."""


def service_of(project: str) -> tuple[str, str]:
    """Return service type and name of a project's service; an unknown project names its own."""
    return SERVICES.get(project, (project, project.capitalize()))
