"""What a sandbox's Keystone holds beyond its bootstrap: catalogue, roles, users."""

from dataclasses import dataclass
from typing import Any

import openstack

REGION = "RegionOne"
TENANT = "sandbox-tenant"
# Per Tempest worker: a primary and an alternate user, and one who may set account quotas.
OPERATORS = tuple(f"operator-{number}" for number in range(1, 5))
RESELLERS = tuple(f"reseller-{number}" for number in range(1, 3))
OPERATOR_ROLES = ("member", "SwiftOperator")
RESELLER_ROLES = ("member", "ResellerAdmin")


@dataclass(frozen=True)
class Access:
    """How to reach a sandbox's Keystone, and the passwords in it."""

    auth_url: str
    admin_password: str
    service_password: str
    tenant_password: str


@dataclass(frozen=True)
class CatalogueEntry:
    name: str
    service_type: str
    url: str
    roles: tuple[str, ...]


def clouds(access: Access) -> dict[str, Any]:
    """Return a clouds.yaml document with an admin's cloud and a tenant's."""

    def cloud(user: str, project: str, password: str) -> dict[str, Any]:
        auth = {
            "auth_url": access.auth_url,
            "username": user,
            "password": password,
            "project_name": project,
            "user_domain_name": "Default",
            "project_domain_name": "Default",
        }
        return {"auth": auth, "region_name": REGION, "identity_api_version": 3}

    return {
        "clouds": {
            "sandbox": cloud("admin", "admin", access.admin_password),
            TENANT: cloud(TENANT, TENANT, access.tenant_password),
        }
    }


def accounts(access: Access) -> list[dict[str, Any]]:
    """Return an accounts file as Tempest reads it, without roles: those are seen in the tokens."""
    return [
        {
            "username": name,
            "project_name": name,
            "password": access.tenant_password,
            "domain_name": "Default",
        }
        for name in (*OPERATORS, *RESELLERS)
    ]


def populate(access: Access, catalogue: tuple[CatalogueEntry, ...]) -> None:
    """Make what is missing; nothing is made twice."""
    admin = openstack.connection.Connection(
        config=openstack.config.OpenStackConfig(load_envvars=False, load_yaml_config=False).get_one(
            **clouds(access)["clouds"]["sandbox"]
        )
    )
    identity = admin.identity
    roles = {role.name: role for role in identity.roles()}
    for entry in catalogue:
        for name in entry.roles:
            if name not in roles:
                roles[name] = identity.create_role(name=name)
    project = _project(identity, "service")
    for entry in catalogue:
        if entry.service_type != "identity":  # Keystone's own is made by its bootstrap
            _endpoint(identity, entry)
            user = _user(identity, entry.name, access.service_password, project)
            for name in ("admin", "service"):
                identity.assign_project_role_to_user(project, user, roles[name])
    tenants = dict.fromkeys((TENANT, *OPERATORS), OPERATOR_ROLES)
    tenants |= dict.fromkeys(RESELLERS, RESELLER_ROLES)
    for name, wanted in tenants.items():
        project = _project(identity, name)
        user = _user(identity, name, access.tenant_password, project)
        for role in wanted:
            if role in roles:
                identity.assign_project_role_to_user(project, user, roles[role])


def _project(identity, name: str):
    return identity.find_project(name) or identity.create_project(name=name, domain_id="default")


def _user(identity, name: str, password: str, project):
    return identity.find_user(name) or identity.create_user(
        name=name, password=password, domain_id="default", default_project_id=project.id
    )


def _endpoint(identity, entry: CatalogueEntry) -> None:
    service = identity.find_service(entry.name) or identity.create_service(
        name=entry.name, type=entry.service_type
    )
    existing = list(identity.endpoints(service_id=service.id))
    for interface in ("public", "internal"):
        endpoint = next((each for each in existing if each.interface == interface), None)
        if endpoint is None:
            identity.create_endpoint(
                service_id=service.id, interface=interface, region_id=REGION, url=entry.url
            )
        elif endpoint.url != entry.url:
            identity.update_endpoint(endpoint, url=entry.url)
