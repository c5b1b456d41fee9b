"""The credentials of a sandbox, and the files that hand them to clients."""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import yaml

from refstack_client.sandbox.state import Secrets

REGION = "RegionOne"
TENANT = "sandbox-tenant"
# Per Tempest worker: a primary and an alternate user, and one who may set account quotas.
OPERATORS = tuple(f"operator-{number}" for number in range(1, 5))
RESELLERS = tuple(f"reseller-{number}" for number in range(1, 3))


@dataclass(frozen=True)
class Access:
    """The URL of a sandbox's Keystone as this machine reaches it directly, and the passwords."""

    auth_url: str
    secrets: Secrets


def admin_cloud(access: Access, auth_url: str) -> dict[str, object]:
    """Return the entry for clouds.yaml with which the admin user signs in at ``auth_url``."""
    return _cloud("admin", access.secrets.admin_password, auth_url)


def clouds_yaml(
    access: Access,
    auth_url: str,
    tempest: Sequence[str] = (),
    changes: Mapping[str, str | None] = MappingProxyType({}),
) -> str:
    """Return a clouds.yaml with the clouds "sandbox" (admin) and "sandbox-tenant".

    :param auth_url: the URL of the identity service for clients
    :param tempest: settings for Tempest, ``SECTION.OPTION=VALUE``
    :param changes: values by key, "auth.project_name" for a nested one; None removes the key
    """
    settings = {"tempest": list(tempest)} if tempest else {}
    clouds = {
        "sandbox": admin_cloud(access, auth_url),
        TENANT: _cloud(TENANT, access.secrets.tenant_password, auth_url),
    }
    return _yaml(
        {
            "clouds": {
                name: {**_changed(cloud, changes), **settings} for name, cloud in clouds.items()
            }
        }
    )


def _changed(cloud: dict[str, Any], changes: Mapping[str, str | None]) -> dict[str, Any]:
    changed = copy.deepcopy(cloud)
    for key, value in changes.items():
        parent, _, name = key.rpartition(".")
        entries = changed[parent] if parent else changed
        entries.pop(name, None)
        if value is not None:
            entries[name] = value
    return changed


def accounts_yaml(access: Access) -> str:
    """Return an accounts file for Tempest, without roles: the tokens show those."""
    return _yaml(
        [
            {
                "username": name,
                "project_name": name,
                "password": access.secrets.tenant_password,
                "domain_name": "Default",
            }
            for name in (*OPERATORS, *RESELLERS)
        ]
    )


def _cloud(name: str, password: str, auth_url: str) -> dict[str, object]:
    """Return an entry for clouds.yaml; ``name`` is of the user and of its project."""
    auth = {
        "auth_url": auth_url,
        "username": name,
        "password": password,
        "project_name": name,
        "user_domain_name": "Default",
        "project_domain_name": "Default",
    }
    return {"auth": auth, "region_name": REGION, "identity_api_version": 3}


def _yaml(document: object) -> str:
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True)
