"""Certify a cloud: check it, plan, run, judge, report."""

import contextlib
import dataclasses
import secrets
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from openstack.connection import Connection
from rich.console import Console

from refstack_client.cloud import connection as cloud
from refstack_client.cloud.facts import CloudFacts
from refstack_client.files import write_text
from refstack_client.outcomes import run_directory, stream_tools, subunit_stream
from refstack_client.planning import guideline_source, plan
from refstack_client.planning.request import Request
from refstack_client.running import image_provenance, resume, run_recorder, tempest_session
from refstack_client.running.tempest_session import Session
from refstack_client.tempest import conf as tempest_conf
from refstack_client.tempest import log as tempest_log
from refstack_client.tempest import stestr_runner
from refstack_client.tempest.concurrency import Workers
from refstack_client.tempest.workspace import reserve, workspace
from refstack_client.tenants import accounts_file, provision, removal, resource_record
from refstack_client.tenants.provision import Traces
from scoring.conformance.outcomes import Outcome
from scoring.conformance.verdict import Verdict, judge


@dataclass(frozen=True)
class Result:
    """What came of it. ``left`` are sentences about what could not be removed from the cloud.

    ``outcomes`` are those of the tests that were this run's to run; ``ended`` is None where every
    one had an outcome already.
    """

    run: run_directory.Run
    verdict: Verdict
    outcomes: tuple[Outcome, ...]
    ended: stestr_runner.Ended | None
    left: tuple[str, ...]


def preview(request: Request) -> plan.Plan:
    """Return the plan of ``request`` without changing anything; the cloud may be left out."""
    facts: CloudFacts | None = None
    as_whom = plan.Tenants(plan.TenantKind.UNKNOWN)
    with contextlib.suppress(cloud.NoCloudError):
        connection = cloud.connect(request.os_cloud)
        cloud.require_services(connection, request.projects)
        request = request.for_cloud(connection)
        facts = cloud.facts(connection)
        as_whom = _expected(request, connection)
    with workspace() as space:
        return tempest_session.make_plan(request, space, facts, as_whom)[0]


def _expected(request: Request, connection: Connection) -> plan.Tenants:
    """Return as whom a cloud would be tested."""
    if provision.uses_given(request, cloud.facts(connection)):
        return provision.given(request, connection).planned()
    return plan.Tenants(plan.TenantKind.THROWAWAY)


def configure(request: Request) -> tempest_conf.Conf:
    """Return the tempest.conf that would be used, secrets left out; what is made is removed."""
    connection = cloud.connect(request.os_cloud)
    cloud.require_services(connection, request.projects)
    prefix = f"refstack-{secrets.token_hex(3)}"
    few = dataclasses.replace(request.for_cloud(connection), workers=Workers(1))
    with workspace() as space:
        traces = Traces(prefix, space.log, space.directory / "note")
        with tempest_session.opened(few, connection, space, traces, []) as tempest:
            shown = tempest.shown
        # What lies in the workspace is gone in a moment.
        gone = str(space.directory)
        return {key: value for key, value in shown.items() if gone not in value.text}


def certify(
    request: Request, console: Console, show_plan: Callable[[plan.Plan, int], None]
) -> Result:
    """Run the tests of ``request`` and judge them.

    :param show_plan: is given the plan and how many of its tests are to run now
    :raises CloudError: the cloud or the credentials cannot be used; nothing has run then
    :raises InputError: a run to be resumed was of another guideline, Tempest or cloud
    """
    connection = cloud.connect(request.os_cloud)
    cloud.require_services(connection, request.projects)
    request = request.for_cloud(connection)
    facts = cloud.facts(connection)
    made = request.resumed or _begin(request, facts)
    left: list[str] = []
    try:
        with run_recorder.locked(made):
            if request.resumed:
                resume.check_same(made, request.programme.guideline, facts)
                left += clean(connection, made, request).stayed
                stream_tools.truncate_incomplete(made.stream)
            with _attempt(made, request, connection, left) as (number, tempest):
                made_plan, ended = _run(made, tempest, number, console, show_plan)
            outcomes = subunit_stream.read_appended(made.stream)
            verdict = judge(request.programme, outcomes, made_plan.matches_by_key())
            run_recorder.keep_verdict(made, verdict, made_plan.record())
    except BaseException:
        # Nothing was planned, let alone run, and nothing stays in the cloud.
        if not request.resumed and not made.plan.exists() and not left:
            shutil.rmtree(made.directory)
        raise
    last = (resume.last_outcome(each, outcomes) for each in made_plan.to_run)
    came_to = tuple(each or Outcome.NOT_RUN for each in last)
    if Outcome.NOT_RUN not in came_to and not left:
        resource_record.forget(made.tenancy)
    return Result(made, verdict, came_to, ended, tuple(left))


def _run(
    made: run_directory.Run,
    tempest: Session,
    number: int,
    console: Console,
    show_plan: Callable[[plan.Plan, int], None],
) -> tuple[plan.Plan, stestr_runner.Ended | None]:
    """Plan, and run what there is to be run; return how that ended, None where nothing was."""
    made_plan, listing = tempest.planned()
    if not made.plan.exists():
        run_recorder.keep_plan(made, made_plan.record(), listing.index.tests)
    before = subunit_stream.read_appended(made.stream)
    wanted = resume.wanted(made_plan.to_run, before, tempest.request.mode)
    show_plan(made_plan, len(wanted))
    run_recorder.keep_attempt(made, {"attempt": number, "asked": len(wanted)})
    ended = None
    while wanted:
        ended = tempest.run(made_plan, wanted, made, console)
        run_recorder.keep_attempt(made, _end(number, ended, tempest))
        if ended.interrupted or not _is_doubtful(made_plan, wanted, made):
            break
        known = set(made_plan.to_run)
        made_plan, listing = tempest.planned(fresh=True)
        run_recorder.keep_plan(made, made_plan.record(), listing.index.tests)
        wanted = tuple(each for each in made_plan.to_run if each not in known)
    return made_plan, ended


def _begin(request: Request, facts: CloudFacts) -> run_directory.Run:
    """Make the directory of a new run, with what is needed to go on with it."""
    made = run_recorder.create(request.output, run_recorder.new_id(datetime.now(UTC)))
    content = guideline_source.content(request.guideline_name)
    of_cloud = {"cloud": {"auth_url": facts.auth_url, "region": facts.region}}
    options = {**request.options(), **of_cloud}
    run_recorder.keep_request(made, options, request.programme.guideline, content)
    return made


@contextlib.contextmanager
def _attempt(
    made: run_directory.Run, request: Request, connection: Connection, left: list[str]
) -> Iterator[tuple[int, Session]]:
    """Write down that an attempt begins, before anything is made, and that it ended.

    :param left: is given a sentence for all that could not be removed from the cloud
    """
    number = len(run_directory.attempts(made)) + 1
    space = reserve()
    start: dict[str, Any] = {
        "attempt": number,
        "mode": request.mode,
        "started": datetime.now(UTC).isoformat(),
        "retry_budget": request.retry_budget,
        "workspace": str(space.directory),
    }
    if image := image_provenance.image():
        start["image"] = image
        image_provenance.keep_sbom(made)
    run_recorder.keep_attempt(made, start)
    traces = Traces(request.prefix(made), space.log, made.tenancy)
    try:
        with (
            workspace(space),
            tempest_session.opened(request, connection, space, traces, left) as tempest,
        ):
            write_text(made.tempest_conf, tempest_conf.render(tempest.shown))
            yield number, tempest
    finally:
        # On a full disk what happened before is what must be told.
        with contextlib.suppress(OSError):
            run_recorder.keep_attempt(
                made, {"attempt": number, "ended": datetime.now(UTC).isoformat()}
            )


def _end(number: int, ended: stestr_runner.Ended, tempest: Session) -> dict[str, Any]:
    maker = tempest.tenants.maker
    return {
        "attempt": number,
        "status": ended.status,
        "interrupted": ended.interrupted,
        "tokens": tempest_log.roles_in_tokens(tempest.space.log, maker.username if maker else None),
    }


def clean_run(request: Request) -> removal.Removal:
    """Remove what the run to be resumed left behind, without going on with it.

    :raises InputError: it was of another cloud, or its note names what is not its own
    """
    made = request.resumed
    if made is None:
        raise ValueError("no run is named")
    connection = cloud.connect(request.os_cloud)
    with run_recorder.locked(made):
        resume.check_same_cloud(made, cloud.facts(connection))
        return clean(connection, made, request)


def clean(connection: Connection, made: run_directory.Run, request: Request) -> removal.Removal:
    """Remove what earlier attempts left in the cloud and on this machine."""
    cut_off = [each for each in run_directory.attempts(made) if each.was_cut_off]
    file = request.accounts_file if cut_off else None
    users = accounts_file.read(file) if file else ()
    of_run = resource_record.Names(request.prefix(made), request.class_names)
    done = resource_record.remove(connection, made, of_run, users)
    if not done.stayed:
        for each in cut_off:
            run_recorder.keep_attempt(made, {"attempt": each.number, "ended": "cut off"})
    return done


def _is_doubtful(made_plan: plan.Plan, wanted: Sequence[str], made: run_directory.Run) -> bool:
    """Return whether tests may go by other ids than planned: some that were asked for never came.

    Only of a list that was made under another configuration.
    """
    outcomes = subunit_stream.read_appended(made.stream)
    return made_plan.assumed and bool(
        resume.wanted(wanted, outcomes, run_directory.Mode.NO_OUTCOME)
    )
