"""The accounts file of a tempest.conf, completed for the Tempest that is installed.

Today's Tempest requests users by their roles. Accounts files for the original refstack-client often
list none, so the roles in the tokens are added to a copy. A file with roles is used as it is.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from refstack_client.cloud.account import Account
from refstack_client.cloud.failures import FAILURES
from refstack_client.errors import CloudError, InputError
from refstack_client.files import read_bytes, write_private
from refstack_client.running import legacy_identity
from refstack_client.running.legacy_identity import Identity
from refstack_client.tempest import worker_accounts
from refstack_client.tempest.workspace import Workspace
from refstack_client.tenants import accounts_file, existing_users


def write(space: Workspace, identity: Identity, concurrency: int) -> None:
    """Copy the accounts file into the workspace, with roles if it has none.

    :param concurrency: how many test classes run at a time
    :raises InputError: the file cannot be read
    """
    path = identity.accounts_file
    if path is None:
        return
    write_private(space.accounts, read_bytes(path).decode("utf-8", errors="replace"))
    if users := _with_roles(path, identity):
        worker_accounts.write(space.directory, users, concurrency)


def users(path: Path) -> int:
    """Return how many users an accounts file lists; errors as for :func:`write`."""
    return len(legacy_identity.entries(path))


def secrets(path: Path) -> tuple[str, ...]:
    """Return the passwords in an accounts file; errors as for :func:`write`."""
    found = legacy_identity.entries(path)
    return tuple(str(user["password"]) for user in found if user.get("password"))


def _with_roles(path: Path, identity: Identity) -> tuple[Account, ...]:
    """Return the users with the roles in their tokens; none if the file is to be used as it is."""
    if any(user.get("roles") or user.get("types") for user in legacy_identity.entries(path)):
        return ()
    try:
        listed = accounts_file.entries(path)
    except InputError:
        return ()  # Tempest reports what it cannot use.
    try:
        with ThreadPoolExecutor(max_workers=8) as pool:
            found = tuple(pool.map(lambda account: _signed_in(account, identity), listed))
    except FAILURES:
        return ()
    try:
        return existing_users.arrange(found, identity.reseller_role)
    except CloudError:
        return found


def _signed_in(account: Account, identity: Identity) -> Account:
    access = identity.sign_in(account.as_auth())
    return replace(account, roles=tuple(sorted(access.role_names or ())))
