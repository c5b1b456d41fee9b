"""Certify a cloud: check it, plan, run, judge, report."""

import contextlib
import functools
import secrets
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml
from openstack.connection import Connection
from rich.console import Console

from capabilities.guideline import Status
from capabilities.matching import Kind
from capabilities.programme import Programme
from capabilities.testid import class_of
from refstack_client import (
    accounts,
    cloud,
    guideline_source,
    leftovers,
    plan,
    progress,
    provenance,
    report,
    resources,
    resume,
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
from refstack_client.redaction import HIDDEN
from refstack_client.shard import Shard
from refstack_client.workspace import Workspace, reserve, workspace
from scoring.outcome import Outcome
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
    resumed: run.Run | None = None
    mode: run.Mode = run.Mode.ALL
    retry_budget: int = run.RETRY_BUDGET
    shard: Shard | None = None

    @property
    def secrets(self) -> tuple[str, ...]:
        """The values of settings that must not be shown."""
        return tuple(
            value for _, option, value in self.settings if tempest_conf.is_secret(option) and value
        )

    def options(self) -> dict[str, Any]:
        """Return what must be given again to go on with the run; values of secrets are left out."""
        return {
            "guideline": {"id": self.programme.guideline.id},
            "programme": self.programme.key,
            "os_cloud": self.os_cloud,
            "accounts": str(self.accounts_file.resolve()) if self.accounts_file else None,
            "concurrency": self.concurrency,
            "shard": str(self.shard) if self.shard else None,
            "settings": [
                f"{section}.{option}={HIDDEN if tempest_conf.is_secret(option) else value}"
                for section, option, value in self.settings
            ],
        }

    def prefix(self, made: run.Run) -> str:
        """Return what names of throwaway resources start with; short, for some limit them."""
        return f"refstack-{made.id[-6:]}"


@dataclass(frozen=True)
class Result:
    """What came of it. ``left`` are sentences about what could not be removed from the cloud.

    ``outcomes`` are those of the tests that were this run's to run; ``ended`` is None where every
    one had an outcome already.
    """

    run: run.Run
    verdict: Verdict
    outcomes: tuple[Outcome, ...]
    ended: runner.Ended | None
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
        return _plan(request, space, facts, tenants)[0]


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


def configure(request: Request) -> bytes:
    """Return the tempest.conf that would be used, secrets left out; what is made is removed."""
    connection = cloud.connect(request.os_cloud)
    cloud.require_services(connection, _projects(request.programme))
    prefix = f"refstack-{secrets.token_hex(3)}"
    left: list[str] = []
    with (
        workspace() as space,
        _tenants(request, connection, space.log, prefix, space.directory / "note", left) as tenants,
    ):
        shown = space.directory / "shown.conf"
        _configure(request, connection, space, tenants, prefix, shown)
        # What lies in the workspace is gone in a moment.
        lines = shown.read_text(encoding="utf-8").splitlines(keepends=True)
        return "".join(each for each in lines if str(space.directory) not in each).encode()


def certify(
    request: Request, console: Console, show_plan: Callable[[plan.Plan, int], None]
) -> Result:
    """Run the tests of ``request`` and judge them.

    :param show_plan: is given the plan and how many of its tests are to run now
    :raises CloudError: the cloud or the credentials cannot be used; nothing has run then
    :raises InputError: a run to be resumed was of another guideline, Tempest or cloud
    """
    connection = cloud.connect(request.os_cloud)
    cloud.require_services(connection, _projects(request.programme))
    made = request.resumed or _begin(request)
    left: list[str] = []
    try:
        with run.locked(made):
            if request.resumed:
                resume.check_same(made, request.programme.guideline, cloud.facts(connection))
                left += clean(connection, made, request).stayed
                stream.mend(made.stream)
            with (
                _attempt(made, request) as (number, reserved),
                workspace(reserved) as space,
                _tenants(
                    request, connection, space.log, request.prefix(made), made.tenancy, left
                ) as tenants,
            ):
                _configure(
                    request, connection, space, tenants, request.prefix(made), made.tempest_conf
                )
                prepare = functools.partial(
                    _prepare, request, space, cloud.facts(connection), tenants.planned(), made
                )
                made_plan = prepare()
                before = stream.read_appended(made.stream)
                wanted = resume.wanted(made_plan.to_run, before, request.mode)
                show_plan(made_plan, len(wanted))
                run.keep_attempt(made, {"attempt": number, "asked": len(wanted)})
                hidden = (*tenants.secrets, *request.secrets)
                ended = None
                while wanted:
                    capabilities = plan.by_capability(made_plan, wanted)
                    ended = runner.run(
                        space,
                        runner.Job(wanted, made_plan.concurrency, hidden),
                        made,
                        progress.RunProgress(console, capabilities),
                    )
                    run.keep_attempt(made, _end(number, ended, space, tenants))
                    if ended.interrupted or not _is_doubtful(made_plan, wanted, made):
                        break
                    known = set(made_plan.to_run)
                    made_plan = prepare(fresh=True)
                    wanted = tuple(each for each in made_plan.to_run if each not in known)
            outcomes = stream.read_appended(made.stream)
            verdict = judge(request.programme, outcomes, made_plan.matches_by_key())
            report.keep(made, verdict, made_plan.as_json())
    except BaseException:
        # Nothing was planned, let alone run, and nothing stays in the cloud.
        if not request.resumed and not made.plan.exists() and not made.tenancy.exists():
            shutil.rmtree(made.directory)
        raise
    last = (resume.last_outcome(each, outcomes) for each in made_plan.to_run)
    came_to = tuple(each or Outcome.NOT_RUN for each in last)
    return Result(made, verdict, came_to, ended, tuple(left))


def _begin(request: Request) -> run.Run:
    """Make the directory of a new run, with what is needed to go on with it."""
    made = run.create(request.output, run.new_id(datetime.now(UTC)))
    content = guideline_source.content(request.guideline_name)
    run.keep_request(made, request.options(), request.programme.guideline, content)
    return made


@contextlib.contextmanager
def _attempt(made: run.Run, request: Request) -> Iterator[tuple[int, Workspace]]:
    """Write down that an attempt begins, before anything is made, and that it ended."""
    number = len(run.attempts(made)) + 1
    space = reserve()
    start: dict[str, Any] = {
        "attempt": number,
        "mode": request.mode,
        "started": datetime.now(UTC).isoformat(),
        "retry_budget": request.retry_budget,
        "workspace": str(space.directory),
    }
    if image := provenance.image():
        start["image"] = image
        provenance.keep_sbom(made)
    run.keep_attempt(made, start)
    try:
        yield number, space
    finally:
        # On a full disk what happened before is what must be told.
        with contextlib.suppress(OSError):
            run.keep_attempt(made, {"attempt": number, "ended": datetime.now(UTC).isoformat()})


def _end(number: int, ended: runner.Ended, space: Workspace, tenants: _Tenants) -> dict[str, Any]:
    return {
        "attempt": number,
        "status": ended.status,
        "interrupted": ended.interrupted,
        "tokens": tempest_log.roles_in_tokens(space.log, tenants.maker),
    }


def clean_run(request: Request) -> throwaway.Removal:
    """Remove what the run to be resumed left behind, without going on with it.

    :raises InputError: it was of another cloud
    """
    made = request.resumed
    if made is None:
        raise ValueError("no run is named")
    connection = cloud.connect(request.os_cloud)
    with run.locked(made):
        resume.check_same_cloud(made, cloud.facts(connection))
        return clean(connection, made, request)


def clean(connection: Connection, made: run.Run, request: Request) -> throwaway.Removal:
    """Remove what earlier attempts left in the cloud and on this machine."""
    cut_off = [each for each in run.attempts(made) if each.was_cut_off]
    file = request.accounts_file if cut_off else None
    users = accounts.read(file) if file else ()
    done = leftovers.remove(connection, made, request.prefix(made), users)
    if not done.stayed:
        for each in cut_off:
            run.keep_attempt(made, {"attempt": each.number, "ended": "cut off"})
    return done


def _prepare(
    request: Request,
    space: Workspace,
    facts: CloudFacts,
    tenants: plan.Tenants,
    made: run.Run,
    *,
    fresh: bool = False,
) -> plan.Plan:
    """Find the wanted tests in Tempest, and keep the plan; ``fresh`` replaces one before."""
    made_plan, listing = _plan(request, space, facts, tenants, fresh=fresh)
    if fresh or not made.plan.exists():
        run.keep_plan(made, made_plan, listing.index.tests)
    return made_plan


def _is_doubtful(made_plan: plan.Plan, wanted: Sequence[str], made: run.Run) -> bool:
    """Return whether tests may go by other ids than planned: some that were asked for never came.

    Only of a list that was made under another configuration.
    """
    outcomes = stream.read_appended(made.stream)
    return made_plan.assumed and bool(resume.wanted(wanted, outcomes, run.Mode.NO_OUTCOME))


def _configure(
    request: Request,
    connection: Connection,
    space: Workspace,
    tenants: _Tenants,
    prefix: str,
    shown: Path,
) -> None:
    """Write what Tempest reads, and to ``shown`` the same without secrets."""
    if tenants.users:
        users = [account.for_tempest() for account in tenants.users]
        write_private(space.accounts, yaml.safe_dump(users, allow_unicode=True))
    choices = tempest_conf.Choices(
        cloud=cloud.facts(connection),
        credentials=tenants.credentials,
        roles=tenants.roles,
        overrides=request.settings,
        prefix=prefix,
        tls=_tls(connection),
        resources=resources.choose(connection, _service_types(request), request.settings),
    )
    tempest_conf.write(space, choices, shown=shown)


def _plan(
    request: Request,
    space: Workspace,
    facts: CloudFacts | None,
    tenants: plan.Tenants,
    *,
    fresh: bool = False,
) -> tuple[plan.Plan, Listing]:
    listing = tempest_index.load(space, fresh=fresh)
    made = plan.make(request.programme, listing, facts, tenants, request.concurrency, request.shard)
    if listing.assumed and made.count(Kind.MISSING):
        return _plan(request, space, facts, tenants, fresh=True)
    return made, listing


@contextlib.contextmanager
def _tenants(
    request: Request, connection: Connection, log: Path, prefix: str, note: Path, left: list[str]
) -> Iterator[_Tenants]:
    """Provide the tenants, and afterwards remove what was made, whatever happened meanwhile.

    :param log: Tempest's
    :param note: where to write down what must be removed
    :param left: is given a sentence for all that could not be
    """
    if _uses_accounts(request, cloud.facts(connection)):
        yield _given_tenants(request, connection)
        return
    known = [role.name for role in connection.identity.roles()]
    roles = tempest_conf.choose_roles(known, request.settings)
    tenancy = throwaway.Tenancy(
        prefix=prefix,
        before=throwaway.project_ids(connection),
        class_names=_class_names(request.programme),
        roles=roles.all,
    )
    try:
        with leftovers.noted(note, tenancy, log):
            yield _Tenants(throwaway.make_admin(connection, prefix), roles)
    finally:
        try:
            left += leftovers.remove_noted(connection, note, [log]).stayed
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
    roles = tempest_conf.choose_roles(known, request.settings)
    if request.shard:
        users = accounts.deal(users, roles.reseller_admin, request.shard)
    return _Tenants(users, roles)


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


def _service_types(request: Request) -> Iterator[str]:
    return (
        cloud.SERVICES[each][0] for each in _projects(request.programme) if each in cloud.SERVICES
    )


def _tls(connection: Connection) -> dict[str, str | bool | None]:
    config = connection.config.config
    return {"verify": bool(config.get("verify", True)), "cacert": config.get("cacert")}
