"""The accounts files of Tempest, one for each worker.

Tempest returns the users of a class one by one, first the member. Another worker may borrow that
member while the reader of the same project is still in use, and then reports "Insufficient number
of users provided". So that no worker waits for the reader of another one, each has locks of its own
for readers. Tempest names the lock of a user by a digest of the entry in which the order of the
keys counts: members are listed with the same order in all files, readers are not.
"""

import fcntl
import itertools
import os
from collections.abc import Iterator, MutableMapping, Sequence
from pathlib import Path

import yaml

from refstack_client.cloud.account import Account
from refstack_client.files import write_private
from refstack_client.tempest.tenant_roles import MEMBER, READER

Entry = dict[str, object]
_OPTION = "OS_AUTH__TEST_ACCOUNTS_FILE"
"""The variable from which oslo.config reads ``auth.test_accounts_file``."""
_MEMBER_KEYS = ("username", "password", "project_name")
_READER_KEYS = tuple(itertools.permutations((*_MEMBER_KEYS, "tenant_name")))
"""Orders of keys for the readers of each worker. ``tenant_name`` is an older name of the project's
name, by which Tempest distinguishes a member from the same user listed as a reader."""


def entry(account: Account, roles: Sequence[str], keys: Sequence[str] = _MEMBER_KEYS) -> Entry:
    """Return a user as an accounts file of Tempest lists it.

    :param roles: the roles by which Tempest may request the user
    :param keys: of the values by which Tempest distinguishes entries, in their order
    """
    values = {
        "username": account.username,
        "password": account.password,
        "project_name": account.project_name,
        "tenant_name": account.project_name,
    }
    return {
        **{key: values[key] for key in keys},
        "domain_name": account.domain_name,
        "user_domain_name": account.domain_name,
        "project_domain_name": account.project_domain_name,
        "roles": list(roles),
        **({"resources": {"network": account.network}} if account.network else {}),
    }


def of_worker(users: Sequence[Account], worker: int) -> Iterator[Entry]:
    """Yield the entries of a worker's file: members, resellers, then a reader of each project.

    Tempest borrows an alternate user in this order. A member whose project has no user that only
    reads is its own reader: the role ``member`` implies ``reader``.

    :param users: with the roles by which Tempest may request them
    :param worker: number of the worker, from 0
    """
    members = [user for user in users if MEMBER in user.roles]
    only_readers = [user for user in users if set(user.roles) == {READER}]
    readers = {_project(user): user for user in only_readers}
    for user in members:
        yield entry(user, tuple(role for role in user.roles if role != READER))
    for user in users:
        if user not in members and user not in only_readers:
            yield entry(user, user.roles)
    for user in members:
        reader = readers.get(_project(user), user)
        yield entry(reader, (READER,), _READER_KEYS[worker % len(_READER_KEYS)])


def _project(account: Account) -> tuple[str, str]:
    return account.project_domain_name, account.project_name


def write(directory: Path, users: Sequence[Account], workers: int) -> None:
    """Write the files of all workers into Tempest's workspace; they replace earlier ones."""
    for path in _files(directory):
        path.unlink()
    for worker in range(workers):
        entries = list(of_worker(users, worker))
        text = yaml.safe_dump(entries, allow_unicode=True, sort_keys=False)
        write_private(directory / f"worker-{worker:03}-accounts.yaml", text)


def claim(directory: Path, environ: MutableMapping[str, str]) -> None:
    """Let Tempest in this process use the first file that no other process uses.

    The file stays locked until the process ends. Where there is none, Tempest uses the file that
    tempest.conf names.
    """
    for path in _files(directory):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
        else:
            environ[_OPTION] = str(path)
            return


def _files(directory: Path) -> list[Path]:
    return sorted(directory.glob("worker-*-accounts.yaml"))
