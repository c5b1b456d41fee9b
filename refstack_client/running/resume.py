"""Going on with a run: only with the same guideline, Tempest and cloud, and only what is wanted."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from capabilities import tempest_id
from capabilities.guideline import Guideline
from refstack_client.cloud.facts import CloudFacts
from refstack_client.errors import InputError
from refstack_client.outcomes.plan_record import Basis, cloud_differences, differences
from refstack_client.outcomes.run_directory import Mode, Run, read_plan, read_request
from refstack_client.tempest import inventory
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
