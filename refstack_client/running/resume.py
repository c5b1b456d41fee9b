"""Going on with a run: only with the same guideline, Tempest and cloud, and only what is wanted."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from capabilities import catalogue, programme, tempest_id
from capabilities.guideline import Guideline
from refstack_client.cloud.facts import CloudFacts
from refstack_client.errors import InputError, UsageError
from refstack_client.outcomes import run_directory
from refstack_client.outcomes.plan_record import Basis, cloud_differences, differences
from refstack_client.outcomes.redaction import HIDDEN
from refstack_client.outcomes.run_directory import Mode, Run, read_plan, read_request
from refstack_client.planning import guideline_source, shard
from refstack_client.planning.request import Request
from refstack_client.tempest import conf as tempest_conf
from refstack_client.tempest import inventory
from refstack_client.tempest.concurrency import Workers
from scoring.conformance.outcomes import Outcome, Outcomes, deciding


def check_same(run: Run, guideline: Guideline, cloud: CloudFacts) -> None:
    """Check that a run goes on where it stopped.

    :raises InputError: guideline, Tempest or cloud are others; says what differs
    """
    now = Basis(guideline.id, guideline.digest, inventory.versions(), cloud)
    check_same_cloud(run, cloud)
    _refuse(run, lambda planned: differences(planned, now))


def check_same_cloud(run: Run, cloud: CloudFacts) -> None:
    """Check that what a run left is looked for in its own cloud.

    A run that was cut off before it had a plan has the cloud with its request.

    :raises InputError: it is another, or none is known; says what differs
    """
    if not run.plan.exists():
        _check_requested_cloud(run, cloud)
    _refuse(run, lambda planned: cloud_differences(planned.cloud, cloud))


def _check_requested_cloud(run: Run, cloud: CloudFacts) -> None:
    recorded = read_request(run)[1].get("cloud")
    if not isinstance(recorded, Mapping):
        raise InputError(
            f"{run.request} does not name the cloud of the run (/cloud), and there is no plan.json",
            hint="certify anew; remove by hand what the run left",
        )
    now = cloud.as_json()
    found = [
        f"the cloud's {what} was {recorded.get(what)}, now {now[what]}"
        for what in ("auth_url", "region")
        if recorded.get(what) != now[what]
    ]
    if found:
        raise InputError(
            f"{run.directory} cannot go on: {'; '.join(found)}",
            hint="name the cloud that the run was started with (--os-cloud)",
        )


def _refuse(run: Run, compare: Callable[[Basis], Iterable[str]]) -> None:
    if not run.plan.exists():  # it was cut off before it had one
        return
    found = list(compare(read_plan(run)[1].basis))
    if found:
        raise InputError(
            f"{run.directory} cannot go on: {'; '.join(found)}",
            hint="certify anew (without --resume), or go back to what it was started with",
        )


def wanted(load_list: Sequence[str], outcomes: Outcomes, mode: Mode) -> tuple[str, ...]:
    """Return what of ``load_list`` is to run: all, what has no outcome, or what failed last."""
    if mode is Mode.ALL:
        return tuple(load_list)
    chosen = {Mode.NO_OUTCOME: None, Mode.FAILED: Outcome.FAIL}[mode]
    return tuple(full for full in load_list if last_outcome(full, outcomes) is chosen)


def last_outcome(full: str, outcomes: Outcomes) -> Outcome | None:
    """Return what a test came to last; None where it came to no end."""
    test = tempest_id.parse(full)
    decides = deciding(outcomes.history(full, test.class_name if test else ""))
    return decides.outcome if decides else None


@dataclass(frozen=True)
class Resumption:
    """Hold the run to resume, and the options that are given again; None and empty are the run's.

    :param guideline: ID, path or URL
    :param shard: as ``I/N``
    :param settings: each as ``section.option=value``
    """

    run: Run
    output: Path
    mode: Mode = Mode.NO_OUTCOME
    retry_budget: int = run_directory.RETRY_BUDGET
    guideline: str | None = None
    programme: str | None = None
    shard: str | None = None
    os_cloud: str | None = None
    accounts_file: Path | None = None
    workers: Workers | None = None
    settings: Sequence[str] = ()


def resumption(asked: Resumption) -> Request:
    """Return the request that a run was started with, with the options that are given again.

    :raises InputError: it is not a run, or one of another guideline, programme or part
    :raises UsageError: the retry budget is spent, or a secret setting is not given again
    """
    run = asked.run
    guideline, options = read_request(run)
    _check_unchanged(asked, guideline, options)
    used = run_directory.retries(run).used
    if asked.mode is Mode.FAILED and used >= asked.retry_budget:
        times = "once" if used == 1 else f"{used} times"
        raise UsageError(
            f"failed tests were run again {times} and the retry budget is {asked.retry_budget}",
            hint="certify again, or raise --retry-budget, which the verdict then shows",
        )
    settings = asked.settings or options.get("settings", [])
    if any(HIDDEN in setting for setting in settings):
        names = ", ".join(setting.partition("=")[0] for setting in settings)
        raise UsageError(
            "the run was started with secret settings, which are not recorded",
            hint=f"give them again: --set {names}",
        )
    accounts, part = options.get("accounts"), options.get("shard")
    return Request(
        programme=catalogue.with_bases(programme.find(guideline, options["programme"])),
        guideline_name=str(run.guideline),
        os_cloud=asked.os_cloud or options.get("os_cloud"),
        accounts_file=asked.accounts_file or (Path(accounts) if accounts else None),
        workers=asked.workers,
        settings=tempest_conf.parse_settings(settings),
        output=asked.output,
        resumed=run,
        mode=asked.mode,
        retry_budget=asked.retry_budget,
        shard=shard.parse(part) if part else None,
        quick=options.get("quick", False),
    )


def _check_unchanged(asked: Resumption, guideline: Guideline, options: Mapping[str, Any]) -> None:
    """Check that the options given again name what the run was started with.

    :raises InputError: one does not
    """
    named = guideline_source.load(asked.guideline)[0] if asked.guideline else guideline
    if named.digest != guideline.digest:
        raise InputError(
            f"{asked.run.directory} is a run of guideline {guideline.id} "
            f"({guideline.digest[:12]}), not of {asked.guideline}",
            hint="leave out --guideline, or start a new run",
        )
    if asked.programme not in (None, options["programme"]):
        raise InputError(
            f"{asked.run.directory} is a run of {options['programme']}, not of {asked.programme}",
            hint="leave out --programme, or start a new run",
        )
    if asked.shard and asked.shard != options.get("shard"):
        part = f"shard {options['shard']}" if options.get("shard") else "all tests"
        raise InputError(
            f"{asked.run.directory} is a run of {part}, not of shard {asked.shard}",
            hint="leave out --shard, or start a new run",
        )
