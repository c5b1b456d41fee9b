"""Tenant users for Tempest, as its accounts file lists them.

Every user is tried before the run, and the roles its token carries are what Tempest is told; what
the file says of roles is not believed.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import keystoneauth1.exceptions
import yaml
from keystoneauth1 import session
from keystoneauth1.identity import v3
from openstack.connection import Connection

from refstack_client.cloud.connection import SECONDS_TO_CONNECT
from refstack_client.cloud.facts import ADMIN_ROLE
from refstack_client.errors import CloudError, InputError
from refstack_client.planning.shard import Shard

FEWEST = 2
_HINT = (
    "list at least two tenant users in it, each with username, password, project_name and "
    "domain_name (docs/credentials.rst shows one)"
)


@dataclass(frozen=True)
class Account:
    """A tenant user.

    ``roles`` are those by which Tempest may ask for it; ``network`` is what its project's network
    is called, "" where Tempest is to find one.
    """

    username: str
    password: str = field(repr=False)
    project_name: str
    domain_name: str
    roles: tuple[str, ...] = ()
    network: str = ""

    def as_auth(self) -> dict[str, str]:
        """Return what openstacksdk signs in with."""
        return {
            "username": self.username,
            "password": self.password,
            "project_name": self.project_name,
            "user_domain_name": self.domain_name,
            "project_domain_name": self.domain_name,
        }

    def for_tempest(self) -> dict[str, Any]:
        return {
            "username": self.username,
            "password": self.password,
            "project_name": self.project_name,
            "domain_name": self.domain_name,
            "roles": list(self.roles),
            **({"resources": {"network": self.network}} if self.network else {}),
        }


def read(path: Path) -> tuple[Account, ...]:
    """Read an accounts file (a YAML list, as ``tempest account-generator`` writes it).

    :raises InputError: it cannot be read or is not such a list
    :raises CloudError: it lists fewer than two users
    """
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}", hint=_HINT) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        brief = " ".join(str(error).split())
        raise InputError(f"{path} is not valid YAML: {brief}", hint=_HINT) from error
    entries = document or []
    if not isinstance(entries, list):
        raise InputError(f"{path}: expected a list of users", hint=_HINT)
    accounts = tuple(_account(path, number, entry) for number, entry in enumerate(entries))
    if len(accounts) < FEWEST:
        count = "no user" if not accounts else "one user"
        raise CloudError(
            f"the accounts file {path} has {count}; the tests need two at a time, a primary and an "
            "alternate",
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


def deal(users: Sequence[Account], reseller_role: str, shard: Shard) -> tuple[Account, ...]:
    """Return the users of one part of a certification; no user belongs to two.

    :param reseller_role: the role of users who set account quotas
    :raises CloudError: there are too few for so many parts
    """
    resellers = [each for each in users if reseller_role in each.roles]
    others = [each for each in users if reseller_role not in each.roles]
    wanted = f"{FEWEST * shard.count} users"
    if resellers:
        wanted += f" and {shard.count} with the role {reseller_role}"
    if len(others) < FEWEST * shard.count or 0 < len(resellers) < shard.count:
        raise CloudError(
            f"{shard.count} parts need {wanted}; the accounts file has {len(others)} and "
            f"{len(resellers)}",
            hint="list more users, or certify in fewer parts",
        )
    chosen = slice(shard.number - 1, None, shard.count)
    return (*others[chosen], *resellers[chosen])


def verify(accounts: Sequence[Account], connection: Connection) -> tuple[Account, ...]:
    """Return ``accounts`` with the roles in their tokens, each taken from the cloud now.

    :raises CloudError: one cannot sign in, or is an admin
    """
    with ThreadPoolExecutor(max_workers=8) as pool:
        return tuple(pool.map(lambda account: _verify(account, connection), accounts))


def _verify(account: Account, connection: Connection) -> Account:
    auth = v3.Password(
        auth_url=connection.config.get_auth_args()["auth_url"],
        username=account.username,
        password=account.password,
        project_name=account.project_name,
        user_domain_name=account.domain_name,
        project_domain_name=account.domain_name,
    )
    verified, certificate = connection.config.get_requests_verify_args()
    one_session = session.Session(
        auth=auth, verify=verified, cert=certificate, timeout=SECONDS_TO_CONNECT
    )
    try:
        roles = tuple(sorted(auth.get_access(one_session).role_names or ()))
    except keystoneauth1.exceptions.ClientException as error:
        raise CloudError(
            f"the user {account.username} of the accounts file cannot sign in to the project "
            f"{account.project_name}: {' '.join(str(error).split())}",
            hint="correct its password, project or domain in the accounts file",
        ) from error
    if ADMIN_ROLE in roles:
        raise CloudError(
            f"the user {account.username} of the accounts file has the role {ADMIN_ROLE}",
            hint="tests run as tenants: list users without admin rights",
        )
    return replace(account, roles=roles)
