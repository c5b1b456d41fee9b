"""The tenants of a run, by the names that the run and its Tempest give them."""

import re
from dataclasses import dataclass

TENANT_NAME = re.compile(r"tempest-(?P<class_name>\w+)-\d+(?P<user>-[\w-]+)?")
"""Names that Tempest gives to projects and users of a test class."""


@dataclass(frozen=True)
class Tenancy:
    """What must be known to remove the tenants of a run.

    :param prefix: start of the names of what is created for the run
    :param before: ids of the projects that existed before the run
    :param class_names: test classes for which Tempest creates tenants
    :param roles: roles that a user needs to delete what is in a project
    """

    prefix: str
    before: frozenset[str]
    class_names: frozenset[str]
    roles: tuple[str, ...]


def admin_name(prefix: str) -> str:
    """Return the name of the admin with whom Tempest creates tenants, and of its project."""
    return f"{prefix}-admin"


def cleaner_name(prefix: str) -> str:
    """Return the name of the user who empties the projects of a run."""
    return f"{prefix}-cleaner"


def is_of_run(name: str, tenancy: Tenancy) -> bool:
    """Return whether a project or user has a name of the run, or one that its Tempest gives."""
    tenant = TENANT_NAME.fullmatch(name)
    is_of_tempest = tenant is not None and tenant["class_name"] in tenancy.class_names
    return is_of_tempest or has_prefix(name, tenancy.prefix)


def has_prefix(name: str, prefix: str) -> bool:
    """Return whether a name is that of a tenant of the run, not of its admin or cleaner."""
    return name.startswith(f"{prefix}-") and name not in (admin_name(prefix), cleaner_name(prefix))
