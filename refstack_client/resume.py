"""Going on with a run: only with the same guideline, Tempest and cloud, and only what is wanted."""

from collections.abc import Iterator, Sequence

from capabilities import testid
from capabilities.guideline import Guideline
from capabilities.testid import class_of
from refstack_client import tempest_index
from refstack_client.cloud_facts import CloudFacts
from refstack_client.errors import InputError
from refstack_client.run import Mode, Run, read_plan
from scoring.outcome import Outcome, Outcomes


def check_same(run: Run, guideline: Guideline, cloud: CloudFacts) -> None:
    """Check that a run goes on where it stopped.

    :raises InputError: guideline, Tempest or cloud are others; says what differs
    """
    if not run.plan.exists():  # it was cut off before it had one
        return
    _, document = read_plan(run)
    differences = list(_differences(document, guideline, cloud))
    if differences:
        raise InputError(
            f"{run.directory} cannot go on: {'; '.join(differences)}",
            hint="certify anew (without --resume), or go back to what it was started with",
        )


def _differences(document: dict, guideline: Guideline, cloud: CloudFacts) -> Iterator[str]:
    planned = document["guideline"]
    if planned["sha256"] != guideline.digest:
        yield (
            f"the guideline was {planned['id']} ({planned['sha256'][:12]}), "
            f"now {guideline.id} ({guideline.digest[:12]})"
        )
    then, now = document["versions"], tempest_index.versions()
    for name in dict.fromkeys((*then, *now)):
        if then.get(name) != now.get(name):
            yield f"{name} was {then.get(name, 'absent')}, now {now.get(name, 'absent')}"
    known = document["cloud"]
    for what, before, after in (
        ("auth_url", known["auth_url"], cloud.auth_url),
        ("region", known["region"], cloud.region),
        ("services", sorted(known["endpoints"]), sorted(cloud.endpoints)),
    ):
        if before != after:
            yield f"the cloud's {what} was {_shown(before)}, now {_shown(after)}"


def _shown(value: str | list[str]) -> str:
    return value if isinstance(value, str) else ", ".join(value)


def wanted(load_list: Sequence[str], outcomes: Outcomes, mode: Mode) -> tuple[str, ...]:
    """Return what of ``load_list`` is to run: all, what has no outcome, or what failed last."""
    if mode is Mode.ALL:
        return tuple(load_list)
    last = _last(outcomes)
    chosen = {Mode.NO_OUTCOME: None, Mode.FAILED: Outcome.FAIL}[mode]
    return tuple(full for full in load_list if _outcome(full, last) is chosen)


def _last(outcomes: Outcomes) -> dict[str, tuple[int, Outcome]]:
    """Return place in the stream and outcome of the last attempt, by full id or class name."""
    tests = ((each.test.full, each.order, each.outcome) for each in outcomes.attempts)
    classes = ((each.class_name, each.order, each.outcome) for each in outcomes.classes)
    last: dict[str, tuple[int, Outcome]] = {}
    for key, order, outcome in (*tests, *classes):
        if order >= last.get(key, (0, outcome))[0]:
            last[key] = (order, outcome)
    return last


def _outcome(full: str, last: dict[str, tuple[int, Outcome]]) -> Outcome | None:
    test = testid.parse(full)
    keys = (full, class_of(test.name)) if test else (full,)
    found = [last[key] for key in keys if key in last]
    return max(found)[1] if found else None
