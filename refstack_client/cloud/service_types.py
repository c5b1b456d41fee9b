"""The services of OpenStack projects: a table without a cloud."""

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
"""Service type and name of the service, by the project of a capability."""


def service_of(project: str) -> tuple[str, str]:
    """Return service type and name of a project's service; an unknown project names its own."""
    return SERVICES.get(project, (project, project.capitalize()))
