"""Resume a run: only with the same guideline, Tempest and cloud, and only the tests that remain."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from capabilities import catalogue, programme, tempest_id
from capabilities.guideline import Guideline
from refstack_client.cloud.selection import CloudSelection
from refstack_client.errors import InputError, UsageError
from refstack_client.outcomes.cloud_facts import CloudFacts
from refstack_client.outcomes.plan_record import Basis, cloud_differences, differences
from refstack_client.outcomes.redaction import HIDDEN
from refstack_client.outcomes.run_attempts import RETRY_BUDGET, Mode
from refstack_client.outcomes.run_directory import Run, read_plan, read_request, retries
from refstack_client.planning import guideline_source
from refstack_client.planning.request import CertificationRequest
from refstack_client.planning.selection import parse_shard
from refstack_client.planning.workers import Workers
from refstack_client.tempest import inventory
from refstack_client.tempest.settings import Setting, parse_settings
from scoring.conformance.outcomes import Outcome, Outcomes, deciding


@dataclass(frozen=True)
class Resumption:
    """A run that is resumed.

    :param mode: which of its tests run
    :param retry_budget: how often failed tests may be run again
    """

    run: Run
    mode: Mode = Mode.NO_OUTCOME
    retry_budget: int = RETRY_BUDGET


@dataclass(frozen=True)
class Options:
    """The options that are given again when a run is resumed; None and empty are the run's.

    :param guideline: ID, path or URL
    :param shard: of the form ``I/N``
    :param workers: None for a suitable number
    """

    output: Path
    guideline: str | None = None
    programme: str | None = None
    shard: str | None = None
    cloud: CloudSelection = field(default_factory=CloudSelection)
    accounts_file: Path | None = None
    workers: Workers | None = None
    settings: Sequence[Setting] | None = None


def check_same(run: Run, guideline: Guideline, cloud: CloudFacts) -> None:
    """Check that guideline, Tempest and cloud are those of the run.

    :raises InputError: they are others; the message names each difference
    """
    now = Basis(guideline.id, guideline.digest, inventory.versions(), cloud)
    check_same_cloud(run, cloud)
    _refuse(run, lambda planned: differences(planned, now))


def check_same_cloud(run: Run, cloud: CloudFacts) -> None:
    """Check that the cloud is that of the run, so that nothing of another cloud is removed.

    If the run was cut off before it had a plan, its request names the cloud.

    :raises InputError: it is another, or the run names none; the message names each difference
    """
    if not run.plan.exists():
        _check_requested_cloud(run, cloud)
    _refuse(run, lambda planned: cloud_differences(planned.cloud, cloud))


def _check_requested_cloud(run: Run, cloud: CloudFacts) -> None:
    recorded = read_request(run)[1].get("cloud")
    if not isinstance(recorded, Mapping):
        raise InputError(
            f"{run.request} does not name the cloud of the run (/cloud), and there is no plan.json",
            hint="start a new run; remove the leaked resources of this run by hand",
        )
    found = [
        f"the cloud's {key} was {recorded.get(key)}, now {value}"
        for key, value in (("auth_url", cloud.auth_url), ("region", cloud.region))
        if recorded.get(key) != value
    ]
    if found:
        raise InputError(
            f"cannot resume {run.directory}: {'; '.join(found)}",
            hint="use --os-cloud with the cloud of the run",
        )


def _refuse(run: Run, compare: Callable[[Basis], Iterable[str]]) -> None:
    if not run.plan.exists():  # the run was cut off before it had a plan
        return
    found = list(compare(read_plan(run)[1].basis))
    if found:
        raise InputError(
            f"cannot resume {run.directory}: {'; '.join(found)}",
            hint="start a new run (without --resume), or restore what is different",
        )


def wanted(load_list: Sequence[str], outcomes: Outcomes, mode: Mode) -> tuple[str, ...]:
    """Return the tests of ``load_list`` to run: all, those without outcome, or those that failed"""
    if mode is Mode.ALL:
        return tuple(load_list)
    chosen = {Mode.NO_OUTCOME: None, Mode.FAILED: Outcome.FAIL}[mode]
    return tuple(full for full in load_list if last_outcome(full, outcomes) is chosen)


def last_outcome(full: str, outcomes: Outcomes) -> Outcome | None:
    """Return the last outcome of a test; None if it has none."""
    test = tempest_id.parse(full)
    attempt = deciding(outcomes.history(full, test.class_name if test else ""))
    return attempt.outcome if attempt else None


def request_of(resumption: Resumption, options: Options) -> CertificationRequest:
    """Return the request with which a run was started, changed by the options given again.

    :raises InputError: it is not a run, or one of another guideline, programme or shard
    :raises UsageError: the retry budget is spent, or a secret setting is not given again
    """
    run = resumption.run
    guideline, recorded = read_request(run)
    _check_unchanged(run, options, guideline, recorded)
    _check_budget(resumption)
    accounts, shard = recorded.get("accounts"), recorded.get("shard")
    return CertificationRequest(
        programme=catalogue.with_bases(programme.find(guideline, recorded["programme"])),
        guideline_name=str(run.guideline),
        cloud=options.cloud.or_else(CloudSelection.recorded(recorded)),
        accounts_file=options.accounts_file or (Path(accounts) if accounts else None),
        workers=options.workers,
        settings=_recorded_settings(recorded.get("settings", []))
        if options.settings is None
        else options.settings,
        output=options.output,
        shard=parse_shard(shard) if shard else None,
        quick=recorded.get("quick", False),
    )


def _recorded_settings(texts: Sequence[str]) -> tuple[Setting, ...]:
    if any(HIDDEN in text for text in texts):
        names = ", ".join(text.partition("=")[0] for text in texts)
        raise UsageError(
            "the run was started with secret settings, which are not recorded",
            hint=f"give them again: --set {names}",
        )
    return parse_settings(texts)


def _check_budget(resumption: Resumption) -> None:
    used = retries(resumption.run).used
    if resumption.mode is Mode.FAILED and used >= resumption.retry_budget:
        times = "once" if used == 1 else f"{used} times"
        raise UsageError(
            f"failed tests were run again {times} and the retry budget is "
            f"{resumption.retry_budget}",
            hint="certify again, or raise --retry-budget, which the verdict then shows",
        )


def _check_unchanged(
    run: Run, options: Options, guideline: Guideline, recorded: Mapping[str, Any]
) -> None:
    """Check that the options given again name what the run was started with.

    :raises InputError: one does not
    """
    named = guideline_source.load(options.guideline)[0] if options.guideline else guideline
    if named.digest != guideline.digest:
        raise InputError(
            f"{run.directory} is a run of guideline {guideline.id} "
            f"({guideline.digest[:12]}), not of {options.guideline}",
            hint="leave out --guideline, or start a new run",
        )
    if options.programme and options.programme.lower() != recorded["programme"]:
        raise InputError(
            f"{run.directory} is a run of {recorded['programme']}, not of {options.programme}",
            hint="leave out --programme, or start a new run",
        )
    if options.shard and options.shard != recorded.get("shard"):
        part = f"shard {recorded['shard']}" if recorded.get("shard") else "all tests"
        raise InputError(
            f"{run.directory} is a run of {part}, not of shard {options.shard}",
            hint="leave out --shard, or start a new run",
        )
