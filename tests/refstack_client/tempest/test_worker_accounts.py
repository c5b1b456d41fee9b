"""The accounts files of Tempest's workers, borrowed by Tempest's own code."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from oslo_concurrency import lockutils
from tempest.lib import auth
from tempest.lib import exceptions as lib_exc
from tempest.lib.common import cred_provider, preprov_creds

from refstack_client.cloud.account import Account
from refstack_client.planning import test_users
from refstack_client.planning.test_users import Users
from refstack_client.tempest import worker_accounts
from refstack_client.tempest.tenant_roles import TenantRoles

OWN_ROLES = TenantRoles("SwiftOperator", "ResellerAdmin")
ONE_ROLE = TenantRoles("member", "member")
KINDS = {
    "plain": (["primary", "project_reader"], Users(1)),
    "only": (["primary"], Users(1)),
    "two": (["primary", "alt"], Users(2)),
    "three": (["primary", "alt", "project_reader"], Users(2)),
    "swift": (["operator"], Users(1)),
    "access": (["operator", "operator"], Users(2)),
    "quotas": (["operator", "reseller"], Users(1, 1)),
}


def account(name: str, project: int, roles: tuple[str, ...]) -> Account:
    return Account(f"{name}{project}", "secret", f"project{project}", "Default", roles)


def users_of(pool: Users, roles: TenantRoles, *, readers: bool) -> list[Account]:
    """Return the users of a number, as they are created or as an accounts file has them."""
    member = ("member", roles.operator) if readers else ("member", roles.operator, "reader")
    found = [account("member", number, member) for number in range(pool.members)]
    found += [
        account("reseller", 100 + number, (roles.reseller_admin,))
        for number in range(pool.resellers)
    ]
    if readers:
        found += [account("reader", number, ("reader",)) for number in range(pool.members)]
    return found


@pytest.fixture(autouse=True)
def _without_cloud(monkeypatch, tmp_path):
    """Let Tempest's provider borrow and return users without asking a network service."""

    def wrap(self, key):
        entry = self._extend_credentials(dict(self.hash_dict["creds"][key]))
        found = auth.get_credentials(
            auth_url=None, fill_in=False, identity_version=self.identity_version, **entry
        )
        return cred_provider.TestResources(found)

    provider = preprov_creds.PreProvisionedCredentialProvider
    monkeypatch.setattr(provider, "_wrap_creds_with_network", wrap)
    lockutils.set_defaults(str(tmp_path))


class Worker:
    """A worker of Tempest that borrows the users of one class after the other, step by step."""

    def __init__(self, path: Path, locks: Path, roles: TenantRoles, classes: list[str]):
        self.path, self.locks, self.roles = path, locks, roles
        self.steps = self._steps(classes)

    def _steps(self, classes: list[str]) -> Iterator[None]:
        for kind in classes:
            provider = preprov_creds.PreProvisionedCredentialProvider(
                identity_version="v3",
                test_accounts_file=str(self.path),
                accounts_lock_dir=str(self.locks),
                name=kind,
                admin_role="admin",
                object_storage_operator_role=self.roles.operator,
                object_storage_reseller_admin_role=self.roles.reseller_admin,
            )
            held = []
            for name in KINDS[kind][0]:
                held.append(self._borrow(provider, name))
                yield
            names = {(each.username, each.project_name) for each in held}
            reader_is_member = len(names) < len(held)
            assert not reader_is_member or "project_reader" in KINDS[kind][0]
            if KINDS[kind][0][-1] == "project_reader":
                assert held[-1].project_name == held[0].project_name
            for credentials in provider._creds.values():
                provider.remove_credentials(credentials)
                yield
            provider._creds.clear()

    def _borrow(self, provider, name: str):
        role = {"operator": self.roles.operator, "reseller": self.roles.reseller_admin}.get(name)
        if role:
            return provider.get_creds_by_roles([role], force_new=True)
        return getattr(provider, f"get_{name}_creds")()


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    st.lists(st.sampled_from(sorted(KINDS)), min_size=1, max_size=10),
    st.integers(1, 6),
    st.booleans(),
    st.booleans(),
    st.randoms(use_true_random=False),
)
def test_there_are_enough_users_in_any_order_of_borrowing_and_returning(
    tmp_path_factory, classes, workers, own_roles, readers, random
):
    directory = tmp_path_factory.mktemp("accounts")
    roles = OWN_ROLES if own_roles else ONE_ROLE
    needs = [KINDS[kind][1] for kind in classes]
    needs = needs if own_roles else [users.without_resellers() for users in needs]
    pool = test_users.at_a_time(needs, workers)
    worker_accounts.write(directory, users_of(pool, roles, readers=readers), workers)
    files = sorted(directory.glob("*.yaml"))
    assert len(files) == workers
    running = [
        Worker(path, directory / "locks", roles, classes[number :: len(files)])
        for number, path in enumerate(files)
    ]
    while running:
        worker = random.choice(running)
        if next(worker.steps, "ended") == "ended":
            running.remove(worker)
    assert not (directory / "locks").exists() or not list((directory / "locks").iterdir())


@pytest.mark.parametrize("own_files", [True, False])
def test_a_member_may_be_borrowed_before_the_reader_of_its_project_is_returned(tmp_path, own_files):
    users = users_of(Users(1), OWN_ROLES, readers=True)
    worker_accounts.write(tmp_path, users, 2)
    first, second = sorted(tmp_path.glob("*.yaml"))
    one = Worker(first, tmp_path / "locks", OWN_ROLES, ["plain"]).steps
    other = Worker(second if own_files else first, tmp_path / "locks", OWN_ROLES, ["plain"]).steps
    for _ in ("member borrowed", "reader borrowed", "member returned"):
        next(one)
    next(other)
    if own_files:
        next(other)
    else:
        with pytest.raises(lib_exc.InvalidCredentials, match="Insufficient number of users"):
            next(other)


def test_each_process_uses_a_file_of_its_own_until_it_ends(tmp_path):
    users = users_of(Users(2), OWN_ROLES, readers=True)
    worker_accounts.write(tmp_path, users, 2)
    code = (
        "import os, sys; from pathlib import Path;"
        "from refstack_client.tempest import worker_accounts;"
        f"worker_accounts.claim(Path({str(tmp_path)!r}), os.environ);"
        "print(os.environ.get('OS_AUTH__TEST_ACCOUNTS_FILE'), flush=True); sys.stdin.read()"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(3)
    ]
    claimed = sorted(process.stdout.readline().strip() for process in processes)
    assert [Path(text).name for text in claimed] == [
        "worker-000-accounts.yaml",
        "worker-001-accounts.yaml",
        "None",
    ]
    for process in processes:
        process.communicate("")
    environ: dict[str, str] = {}
    worker_accounts.claim(tmp_path, environ)
    assert set(environ) == {"OS_AUTH__TEST_ACCOUNTS_FILE"}


def test_tempest_reads_the_file_that_a_worker_claimed(tmp_path):
    (tmp_path / "tempest.conf").write_text("[auth]\ntest_accounts_file = /all.yaml\n")
    code = "from tempest import config; print(config.CONF.auth.test_accounts_file)"
    environ = {
        **os.environ,
        "TEMPEST_CONFIG_DIR": str(tmp_path),
        "OS_AUTH__TEST_ACCOUNTS_FILE": "/own.yaml",
    }
    done = subprocess.run(
        [sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "/own.yaml"


def test_the_files_can_be_read_by_their_owner_only_and_replace_earlier_ones(tmp_path):
    users = users_of(Users(3), OWN_ROLES, readers=True)
    worker_accounts.write(tmp_path, users, 3)
    worker_accounts.write(tmp_path, users, 1)
    (path,) = tmp_path.iterdir()
    assert path.stat().st_mode & 0o777 == 0o600
    entries = yaml.safe_load(path.read_text())
    names = [entry["username"] for entry in entries]
    assert names == [*("member0", "member1", "member2"), *("reader0", "reader1", "reader2")]
    assert [entry["roles"] for entry in entries][-1] == ["reader"]


def test_users_are_listed_by_the_roles_by_which_tempest_may_request_them():
    users = (
        account("alice", 1, ("member", "reader")),
        account("bob", 2, ("member",)),
        account("carol", 2, ("reader",)),
        account("dave", 2, ("reader",)),
        account("erin", 3, ("ResellerAdmin",)),
    )
    files = [list(worker_accounts.of_worker(users, worker)) for worker in range(2)]
    for entries in files:
        assert [(entry["username"], entry["roles"]) for entry in entries] == [
            ("alice1", ["member"]),
            ("bob2", ["member"]),
            ("erin3", ["ResellerAdmin"]),
            ("alice1", ["reader"]),
            ("dave2", ["reader"]),
        ]
    one, other = files
    assert [list(entry) for entry in one[:3]] == [list(entry) for entry in other[:3]]
    assert all(list(a) != list(b) for a, b in zip(one[3:], other[3:], strict=True))
