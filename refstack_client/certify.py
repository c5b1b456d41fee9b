"""Certify a cloud: check it, plan, run, judge, report."""

import contextlib
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import yaml
from openstack.connection import Connection
from rich.console import Console

from capabilities.guideline import Status
from capabilities.programme import Programme
from capabilities.testid import class_of
from refstack_client import (
    accounts,
    cloud,
    guideline_source,
    plan,
    progress,
    report,
    run,
    runner,
    stream,
    tempest_conf,
    tempest_index,
    tempest_log,
    throwaway,
)
from refstack_client.cloud_facts import CloudFacts
from refstack_client.errors import CloudError
from refstack_client.files import write_private
from refstack_client.listing import Listing
from refstack_client.workspace import Workspace, workspace
from scoring.verdict import Verdict, judge


@dataclass(frozen=True)
class Request:
    """What the user asked for."""

    programme: Programme
    guideline_name: str
    os_cloud: str | None
    accounts_file: Path | None
    concurrency: int
    settings: Sequence[tempest_conf.Setting]
    output: Path


@dataclass(frozen=True)
class Result:
    """What came of it. ``left`` are sentences about what could not be removed from the cloud."""

    run: run.Run
    verdict: Verdict
    ended: runner.Ended
    left: tuple[str, ...]


@dataclass(frozen=True)
class _Tenants:
    """As whom the tests run: a throwaway admin for Tempest to make tenants with, or given users."""

    credentials: throwaway.User | tuple[accounts.Account, ...]
    roles: tempest_conf.Roles

    @property
    def maker(self) -> str | None:
        """The name of the user that only makes and removes tenants."""
        user = self.credentials
        return user.username if isinstance(user, throwaway.User) else None

    @property
    def users(self) -> tuple[accounts.Account, ...]:
        return () if isinstance(self.credentials, throwaway.User) else self.credentials

    @property
    def secrets(self) -> tuple[str, ...]:
        user = self.credentials
        if isinstance(user, throwaway.User):
            return (user.password,)
        return tuple(dict.fromkeys(each.password for each in user))

    def planned(self) -> plan.Tenants:
        if self.maker:
            return plan.Tenants(plan.TenantKind.THROWAWAY)
        roles = tuple(each.roles for each in self.users)
        return plan.Tenants(plan.TenantKind.ACCOUNTS, roles, self.roles.reseller_admin)


def preview(request: Request) -> plan.Plan:
    """Return the plan of ``request`` without changing anything; the cloud may be left out."""
    facts, tenants = _expected(request)
    with workspace() as space:
        return _plan(request, tempest_index.load(space), facts, tenants)


def _expected(request: Request) -> tuple[CloudFacts | None, plan.Tenants]:
    """Return which cloud would be tested as whom."""
    try:
        connection = cloud.connect(request.os_cloud)
    except cloud.NoCloudError:
        return None, plan.Tenants(plan.TenantKind.UNKNOWN)
    cloud.require_services(connection, _projects(request.programme))
    facts = cloud.facts(connection)
    if _uses_accounts(request, facts):
        return facts, _given_tenants(request, connection).planned()
    return facts, plan.Tenants(plan.TenantKind.THROWAWAY)


def certify(request: Request, console: Console, show_plan: Callable[[plan.Plan], None]) -> Result:
    """Run the tests of ``request`` and judge them.

    :raises CloudError: the cloud or the credentials cannot be used; nothing has run then
    """
    connection = cloud.connect(request.os_cloud)
    cloud.require_services(connection, _projects(request.programme))
    made = run.create(request.output, run.new_id(datetime.now(UTC)))
    # The names of throwaway resources start with this; short, because some services limit them.
    prefix = f"refstack-{made.id[-6:]}"
    left: list[str] = []
    try:
        with (
            workspace() as space,
            _tenants(request, connection, space, prefix, left) as tenants,
        ):
            made_plan = _prepare(request, connection, space, tenants, prefix, made)
            show_plan(made_plan)
            ended = _run(space, tenants, made_plan, made, console)
    except BaseException:
        if not made.plan.exists():  # nothing was planned, let alone run
            shutil.rmtree(made.directory)
        raise
    outcomes = stream.read_appended(made.stream)
    verdict = judge(request.programme, outcomes, made_plan.matches_by_key())
    report.keep(made, verdict, made_plan)
    return Result(made, verdict, ended, tuple(left))


def _prepare(
    request: Request,
    connection: Connection,
    space: Workspace,
    tenants: _Tenants,
    prefix: str,
    made: run.Run,
) -> plan.Plan:
    """Write what Tempest reads, find the wanted tests in it, and keep the plan."""
    facts = cloud.facts(connection)
    if tenants.users:
        users = [account.for_tempest() for account in tenants.users]
        write_private(space.accounts, yaml.safe_dump(users, allow_unicode=True))
    choices = tempest_conf.Choices(
        cloud=facts,
        credentials=tenants.credentials,
        roles=tenants.roles,
        overrides=request.settings,
        prefix=prefix,
        tls=_tls(connection),
    )
    tempest_conf.write(space, choices, shown=made.tempest_conf)
    made_plan = _plan(request, tempest_index.load(space), facts, tenants.planned())
    run.keep_plan(made, made_plan, guideline_source.content(request.guideline_name))
    return made_plan


def _run(
    space: Workspace, tenants: _Tenants, made_plan: plan.Plan, made: run.Run, console: Console
) -> runner.Ended:
    started = datetime.now(UTC)
    ended = runner.run(
        space,
        made_plan.load_list,
        made_plan.concurrency,
        made,
        tenants.secrets,
        progress.RunProgress(console, plan.by_capability(made_plan)),
    )
    attempt = {
        "started": started.isoformat(),
        "ended": datetime.now(UTC).isoformat(),
        "asked": len(made_plan.load_list),
        "status": ended.status,
        "interrupted": ended.interrupted,
        "tokens": tempest_log.roles_in_tokens(space.log, tenants.maker),
    }
    run.keep_attempt(made, attempt)
    return ended


def _plan(
    request: Request, listing: Listing, facts: CloudFacts | None, tenants: plan.Tenants
) -> plan.Plan:
    return plan.make(request.programme, listing, facts, tenants, request.concurrency)


@contextlib.contextmanager
def _tenants(
    request: Request, connection: Connection, space: Workspace, prefix: str, left: list[str]
) -> Iterator[_Tenants]:
    """Provide the tenants, and afterwards remove what was made, whatever happened meanwhile."""
    if _uses_accounts(request, cloud.facts(connection)):
        yield _given_tenants(request, connection)
        return
    known = [role.name for role in connection.identity.roles()]
    roles = tempest_conf.choose_roles(known, request.settings)
    tenancy = throwaway.Tenancy(
        before=throwaway.project_ids(connection),
        class_names=_class_names(request.programme),
        roles=roles.all,
    )
    admin = throwaway.make_admin(connection, prefix)
    try:
        yield _Tenants(admin, roles)
    finally:
        try:
            left += throwaway.remove_tenants(connection, tenancy, tempest_log.made(space.log))
            left += throwaway.remove_admin(connection, prefix)
        except KeyboardInterrupt:
            left.append(f"the removal was interrupted: {prefix}-admin and tenants of Tempest stay")


def _uses_accounts(request: Request, facts: CloudFacts) -> bool:
    return request.accounts_file is not None or not facts.is_admin


def _given_tenants(request: Request, connection: Connection) -> _Tenants:
    if request.accounts_file is None:
        facts = cloud.facts(connection)
        raise CloudError(
            f"{facts.user} is one tenant user (roles: {', '.join(facts.roles) or 'none'}); the "
            "tests need several",
            hint="list tenant users in a file and give it with --accounts "
            "(docs/credentials.rst), or use an admin credential, with which throwaway tenants "
            "are made and removed",
        )
    users = accounts.verify(accounts.read(request.accounts_file), connection)
    known = [role for user in users for role in user.roles]
    return _Tenants(users, tempest_conf.choose_roles(known, request.settings))


def _class_names(programme: Programme) -> frozenset[str]:
    """Return the bare names of the test classes, which Tempest names its tenants for."""
    names = (name for test in programme.wanted_tests() for name in test.names)
    return frozenset(class_of(name).rpartition(".")[2] for name in names)


def _projects(programme: Programme) -> tuple[str, ...]:
    required = (
        capability
        for each in programme.with_bases()
        for capability in each.capabilities(Status.REQUIRED)
    )
    return tuple(sorted({capability.project for capability in required} - {"keystone", ""}))


def _tls(connection: Connection) -> dict[str, str | bool | None]:
    config = connection.config.config
    return {"verify": bool(config.get("verify", True)), "cacert": config.get("cacert")}
