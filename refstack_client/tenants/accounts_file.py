"""Tenant users from an accounts file of Tempest.

Every user signs in before the run. Tempest receives the roles in their tokens; the roles in the
file are ignored.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import keystoneauth1.exceptions
import yaml

from refstack_client.cloud.account import Account
from refstack_client.cloud.connection import Cloud
from refstack_client.errors import CloudError, InputError
from refstack_client.outcomes.cloud_facts import ADMIN_ROLE
from refstack_client.planning.selection import Shard

FEWEST = 2
"""Users that a test class may need at a time: a primary and an alternate."""
_HINT = (
    "list at least two tenant users in it, each with username, password, project_name and "
    "domain_name (docs/how-to/credentials.rst shows one)"
)


def read(path: Path) -> tuple[Account, ...]:
    """Read an accounts file (a YAML list, as ``tempest account-generator`` writes it).

    :raises InputError: the file cannot be read or is not such a list
    :raises CloudError: the file lists fewer than two users
    """
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}", hint=_HINT) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{path} is not valid YAML: {reason}", hint=_HINT) from error
    entries = document or []
    if not isinstance(entries, list):
        raise InputError(f"{path}: expected a list of users", hint=_HINT)
    accounts = tuple(_account(path, number, entry) for number, entry in enumerate(entries))
    if len(accounts) < FEWEST:
        count = "no user" if not accounts else "one user"
        raise CloudError(
            f"the accounts file {path} has {count}; the tests need at least two at a time",
            hint=_HINT,
        )
    return accounts


def _account(path: Path, number: int, entry: Any) -> Account:
    if not isinstance(entry, Mapping):
        raise InputError(f"{path}: /{number}: expected a user", hint=_HINT)
    domain = entry.get("domain_name") or entry.get("user_domain_name") or "Default"
    project = entry.get("project_name") or entry.get("tenant_name")
    for key, value in (
        ("username", entry.get("username")),
        ("password", entry.get("password")),
        ("project_name", project),
    ):
        if not value:
            raise InputError(f"{path}: /{number}: {key} is missing", hint=_HINT)
    resources = entry.get("resources")
    network = resources.get("network", "") if isinstance(resources, Mapping) else ""
    return Account(
        str(entry["username"]),
        str(entry["password"]),
        str(project),
        str(domain),
        network=str(network),
    )


def users_of_shard(
    users: Sequence[Account], reseller_role: str, shard: Shard
) -> tuple[Account, ...]:
    """Return the users of one shard; no user belongs to two.

    :param reseller_role: the role of users who may set account quotas
    :raises CloudError: there are too few users for that many shards
    """
    resellers = [user for user in users if reseller_role in user.roles]
    others = [user for user in users if reseller_role not in user.roles]
    wanted = f"{FEWEST * shard.count} users"
    if resellers:
        wanted += f" and {shard.count} with the role {reseller_role}"
    if len(others) < FEWEST * shard.count or 0 < len(resellers) < shard.count:
        raise CloudError(
            f"{shard.count} shards need {wanted}; the accounts file has {len(others)} and "
            f"{len(resellers)}",
            hint="add users to the accounts file, or use fewer shards",
        )
    chosen = slice(shard.number - 1, None, shard.count)
    return (*others[chosen], *resellers[chosen])


def verify(accounts: Sequence[Account], cloud: Cloud) -> tuple[Account, ...]:
    """Sign in as each account; return the accounts with the roles in their tokens.

    :raises CloudError: an account cannot sign in, or has the admin role
    """
    with ThreadPoolExecutor(max_workers=8) as pool:
        return tuple(pool.map(lambda account: _verify(account, cloud), accounts))


def _verify(account: Account, cloud: Cloud) -> Account:
    try:
        roles = tuple(sorted(cloud.sign_in_as(account.as_auth()).role_names or ()))
    except keystoneauth1.exceptions.ClientException as error:
        raise CloudError(
            f"the user {account.username} of the accounts file cannot sign in to the project "
            f"{account.project_name}: {' '.join(str(error).split())}",
            hint="correct its password, project or domain in the accounts file",
        ) from error
    if ADMIN_ROLE in roles:
        raise CloudError(
            f"the user {account.username} of the accounts file has the role {ADMIN_ROLE}",
            hint="tests must not run as an admin: list users without that role",
        )
    return replace(account, roles=roles)
