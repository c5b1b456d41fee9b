"""Certify a cloud: check it, plan, run, judge, report."""

import contextlib
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from rich.console import Console

from refstack_client import interruption
from refstack_client.cloud import service_catalog
from refstack_client.cloud.clouds_yaml import NoCloudError
from refstack_client.cloud.connection import Cloud
from refstack_client.files import write_bytes, write_text
from refstack_client.outcomes import run_attempts, run_directory, stream_tools, subunit_stream
from refstack_client.outcomes.challenge import SignedChallenge
from refstack_client.outcomes.cloud_facts import CloudFacts
from refstack_client.outcomes.run_attempts import Mode
from refstack_client.outcomes.run_directory import Run
from refstack_client.planning import guideline_source
from refstack_client.planning.plan import Plan
from refstack_client.planning.request import CertificationRequest
from refstack_client.planning.tenant_plan import TenantKind, TenantPlan
from refstack_client.running import (
    challenge_placement,
    cleanup,
    image_provenance,
    progress,
    resume,
    run_recorder,
    tempest_session,
)
from refstack_client.running.resume import Resumption
from refstack_client.running.tempest_session import Session, connect_for
from refstack_client.tempest import conf as tempest_conf
from refstack_client.tempest import inventory, package_digest
from refstack_client.tempest import log as tempest_log
from refstack_client.tempest.stestr_runner import Ended
from refstack_client.tempest.workspace import reserve, workspace
from refstack_client.tenants import provision, resource_record
from refstack_client.tenants.removal import Removal
from refstack_client.tenants.resource_record import ResourceRecord
from scoring.conformance.outcomes import Outcome
from scoring.conformance.verdict import Verdict, judge

ShowPlan = Callable[[Plan, int], None]
"""Receives the plan and the number of tests that run now."""


@dataclass(frozen=True)
class Result:
    """The result of a certification.

    :param outcomes: of the planned tests
    :param ended: how stestr ended; None if every test had an outcome already
    :param leaked: a sentence for each resource that could not be removed from the cloud
    """

    run: Run
    verdict: Verdict
    outcomes: tuple[Outcome, ...]
    ended: Ended | None
    leaked: tuple[str, ...]


@dataclass(frozen=True)
class _Attempt:
    """An attempt of a run, whose number starts at 1."""

    number: int
    tempest: Session
    start: Resumption


def preview(request: CertificationRequest) -> Plan:
    """Return the plan of a request without changing anything; a cloud need not be named."""
    facts: CloudFacts | None = None
    tenants = TenantPlan(TenantKind.UNKNOWN)
    try:
        cloud, request = connect_for(request)
        service_catalog.require_responses(cloud)
        facts = cloud.facts
        tenants = _expected_tenants(request, cloud)
        request = tempest_session.slowed(request, cloud)
    except NoCloudError:
        if request.accounts_file:  # its users can be checked in a cloud only
            raise
    with workspace() as space:
        return tempest_session.make_plan(request, space, facts, tenants)[0]


def _expected_tenants(request: CertificationRequest, cloud: Cloud) -> TenantPlan:
    """Return as whom a cloud would be tested."""
    if provision.uses_accounts(request, cloud.facts):
        return provision.from_accounts(request, cloud).planned()
    return TenantPlan(TenantKind.THROWAWAY)


def certify(
    request: CertificationRequest,
    console: Console,
    show_plan: ShowPlan,
    resumption: Resumption | None = None,
) -> Result:
    """Run the tests of a request and judge them.

    :param console: shows the progress
    :param resumption: the run to resume; None starts a new one
    :raises CloudError: the cloud or the credentials cannot be used; no test has run then
    :raises InputError: the run to resume is of another guideline, Tempest or cloud
    """
    cloud, request = connect_for(request)
    start = resumption or Resumption(_begin(request, cloud.facts), Mode.ALL)
    run = start.run
    leaked: list[str] = []
    interruption.set_last_words(lambda: cleanup.advice(run, leaked, request.clean_options))
    try:
        with run_recorder.locked(run):
            if resumption:
                resume.check_same(run, request.programme.guideline, cloud.facts)
                show = progress.RemovalProgress(console)
                leaked += cleanup.clean(cloud, run, request, show).leaked
                stream_tools.truncate_incomplete(run.stream)
            with _attempt(start, request, cloud, leaked, console) as attempt:
                planned, ended = _run(attempt, console, show_plan)
                if ended and ended.interrupted:
                    leaked += _empty_accounts(attempt, cloud).leaked
            outcomes = subunit_stream.read_appended(run.stream)
            verdict = judge(
                request.programme,
                outcomes,
                planned.matches_by_key(),
                max_retries=run_attempts.most_retries(run_directory.retries(run)),
            )
            run_recorder.keep_verdict(run, verdict, planned.record())
    except BaseException as error:
        for line in cleanup.advice(run, leaked, request.clean_options):
            error.add_note(line)
        # Without a plan no test has run; without leaked resources the directory is of no use.
        if not resumption and not run.plan.exists() and not leaked:
            shutil.rmtree(run.directory)
        raise
    last = (resume.last_outcome(full, outcomes) for full in planned.to_run)
    planned_outcomes = tuple(outcome or Outcome.NOT_RUN for outcome in last)
    if Outcome.NOT_RUN not in planned_outcomes and not leaked:
        resource_record.forget(run.tenancy)
    return Result(run, verdict, planned_outcomes, ended, tuple(leaked))


def _run(attempt: _Attempt, console: Console, show_plan: ShowPlan) -> tuple[Plan, Ended | None]:
    """Plan and run; return how stestr ended, None if no test remained to run."""
    tempest, run = attempt.tempest, attempt.start.run
    planned, listing = tempest.planned()
    if not run.plan.exists():
        run_recorder.keep_plan(run, planned.record(), listing.index.tests)
    before = subunit_stream.read_appended(run.stream)
    wanted = resume.wanted(planned.to_run, before, attempt.start.mode)
    show_plan(planned, len(wanted))
    run_recorder.keep_attempt(run, {"attempt": attempt.number, "asked": len(wanted)})
    ended = None
    while wanted:
        ended = tempest.run(planned, wanted, run, console)
        run_recorder.keep_attempt(run, _end(attempt, ended))
        if ended.interrupted or not _is_doubtful(planned, wanted, run):
            break
        known = set(planned.to_run)
        planned, listing = tempest.planned(fresh=True)
        run_recorder.keep_plan(run, planned.record(), listing.index.tests)
        wanted = tuple(full for full in planned.to_run if full not in known)
    return planned, ended


def _begin(request: CertificationRequest, facts: CloudFacts) -> Run:
    """Create the directory of a new run, with what is needed to resume it."""
    run = run_recorder.create(request.output, run_recorder.new_id(datetime.now(UTC)))
    content = guideline_source.content(request.guideline_name)
    options = {
        **request.options(),
        "cloud": {"auth_url": facts.auth_url, "region": facts.region},
    }
    run_recorder.keep_bases(run, request.programme)
    if request.challenge:
        write_bytes(run.challenge_file, request.challenge.file)
    run_recorder.keep_request(run, options, request.programme.guideline, content)
    return run


@contextlib.contextmanager
def _attempt(
    start: Resumption,
    request: CertificationRequest,
    cloud: Cloud,
    leaked: list[str],
    console: Console,
) -> Iterator[_Attempt]:
    """Record the start of an attempt before anything is created, and its end.

    :param leaked: receives a sentence for each resource that could not be removed
    """
    run = start.run
    number = len(run_directory.attempts(run)) + 1
    space = reserve()
    record: dict[str, object] = {
        "attempt": number,
        "mode": start.mode,
        "started": datetime.now(UTC).isoformat(),
        "retry_budget": start.retry_budget,
        "workspace": str(space.directory),
    }
    if image := image_provenance.image():
        record["image"] = image
        image_provenance.keep_sbom(run)
    run_recorder.keep_attempt(run, record)
    resources = ResourceRecord(
        prefix=run.name_prefix,
        log=space.log,
        path=run.tenancy,
        show=progress.RemovalProgress(console),
    )
    challenge = run.challenge
    try:
        with (
            challenge_placement.observed(cloud, challenge),
            workspace(space),
            tempest_session.opened(request, cloud, space, resources, leaked) as tempest,
        ):
            write_text(run.tempest_conf, tempest_conf.render(tempest.shown))
            attempt = _Attempt(number, tempest, start)
            if challenge:
                _place(challenge, attempt, cloud)
            yield attempt
    finally:
        # On a full disk the first error is the one to report.
        with contextlib.suppress(OSError):
            run_recorder.keep_attempt(
                run, {"attempt": number, "ended": datetime.now(UTC).isoformat()}
            )


def _place(challenge: SignedChallenge, attempt: _Attempt, cloud: Cloud) -> None:
    """Place a challenge in the cloud, and record that."""
    tempest = attempt.tempest
    placed = challenge_placement.place(
        cloud,
        tempest.tenants.users[0],
        challenge,
        projects=tempest.request.projects,
        prefix=tempest.choices.prefix,
    )
    record = {"attempt": attempt.number, "challenge": placed}
    run_recorder.keep_attempt(attempt.start.run, record)


def _empty_accounts(attempt: _Attempt, cloud: Cloud) -> Removal:
    """Remove what killed tests created in the projects of an accounts file."""
    tenants = attempt.tempest.tenants
    users = tenants.users if tenants.kind is TenantKind.ACCOUNTS else ()
    return cleanup.empty_projects(cloud, users, attempt.start.run.name_prefix)


def _end(attempt: _Attempt, ended: Ended) -> dict[str, object]:
    admin = attempt.tempest.tenants.tempest_admin
    log = attempt.tempest.space.log
    return {
        "attempt": attempt.number,
        "status": ended.status,
        "interrupted": ended.interrupted,
        "tokens": tempest_log.roles_in_tokens(log, admin.username if admin else None),
        "packages": {name: package_digest.of_installed(name) for name in inventory.versions()},
    }


def _is_doubtful(planned: Plan, wanted: Sequence[str], run: Run) -> bool:
    """Return whether tests may have other ids than planned, because some reported no outcome.

    That is possible only if the list of tests was made under another configuration.
    """
    outcomes = subunit_stream.read_appended(run.stream)
    return planned.assumed and bool(resume.wanted(wanted, outcomes, Mode.NO_OUTCOME))
