"""Join runs of one certification, its parts or the whole of it, into one run with one verdict."""

import io
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import subunit

from capabilities import catalogue, programme
from refstack_client.bundle import open_results
from refstack_client.errors import InputError
from refstack_client.files import write_bytes, write_json, write_text
from refstack_client.outcomes import run_directory, stream_tools, subunit_stream
from refstack_client.outcomes.plan_record import MergedPart, PlanRecord
from refstack_client.outcomes.run_directory import Run
from refstack_client.running import image_provenance, run_recorder
from scoring.conformance.verdict import Verdict

Plans = Mapping[Run, PlanRecord]


def merge(runs: Sequence[Run], output: Path, run_id: str) -> tuple[Run, Verdict]:
    """Make a run of what ``runs`` did, each attempt of a test kept, and judge it.

    What no run did is not-run, and ``certify --resume`` goes on with it.

    :raises InputError: one is no run, is in use, is damaged or given twice; or they are not of the
        same guideline, programme, Tempest, cloud and plan
    """
    plans = {each: run_directory.read_plan(each)[1] for each in runs}
    _check(runs, plans)
    streams = [_stream(each) for each in runs]
    made = run_recorder.create(output, run_id)
    try:
        _write(made, plans, streams)
        guideline, plan = run_directory.read_plan(made)
        chosen = catalogue.with_bases(programme.find(guideline, plan.programme))
        verdict = open_results.read(made.directory).judge(chosen)
        run_recorder.keep_verdict(made, verdict, plan)
    except BaseException:
        shutil.rmtree(made.directory)
        raise
    return made, verdict


def missing_shards(runs: Sequence[Run]) -> tuple[str, ...]:
    """Return the parts that none of ``runs`` is, where they are parts of the same number."""
    present = {run_directory.read_plan(each)[1].shard for each in runs}
    counts = {int(each.partition("/")[2]) for each in present if each}
    if None in present or len(counts) != 1:
        return ()
    (count,) = counts
    wanted = (f"{number}/{count}" for number in range(1, count + 1))
    return tuple(each for each in wanted if each not in present)


def _check(runs: Sequence[Run], plans: Plans) -> None:
    if len({each.directory.resolve() for each in runs}) < len(runs):
        raise InputError("a run is given twice", hint="give each run once")
    first, *others = runs
    for each in runs:
        if run_recorder.is_in_use(each):
            raise InputError(
                f"another process is in the run {each.directory}", hint="wait for it, or stop it"
            )
    for other in others:
        found = list(plans[first].differences(plans[other]))
        if found:
            raise InputError(
                f"{first.directory} and {other.directory} cannot be merged: {'; '.join(found)}",
                hint="only runs of one guideline, programme, Tempest and cloud make one verdict",
            )


def _stream(made: Run) -> bytes:
    """Return the whole packets of a run's stream: what a kill left half-written is dropped."""
    content = made.stream.read_bytes() if made.stream.exists() else b""
    whole = content[: stream_tools.length_of_complete_packets(io.BytesIO(content), len(content))]
    if subunit_stream.parse_appended(io.BytesIO(whole)).damage:
        raise InputError(
            f"{made.stream} is damaged", hint="leave this run out and run its part again"
        )
    return whole


def _write(made: Run, plans: Plans, streams: Sequence[bytes]) -> None:
    runs = list(plans)
    first = runs[0]
    write_bytes(made.directory / first.guideline.name, first.guideline.read_bytes())
    write_bytes(made.tests, first.tests.read_bytes())
    write_json(made.request, {**run_directory.read_request(first)[1], "shard": None})
    limits = {limit.name: limit for plan in plans.values() for limit in plan.limits}
    merged = replace(
        plans[first],
        shard=None,
        limits=tuple(limits.values()),
        merged=tuple(MergedPart(run.id, plan.shard) for run, plan in plans.items()),
    )
    write_json(made.plan, merged.as_json())
    with made.stream.open("wb") as kept:
        stream_tools.join([io.BytesIO(each) for each in streams], subunit.StreamResultToBytes(kept))
    for record in _attempts(plans):
        run_recorder.keep_attempt(made, record)
    write_text(made.tempest_conf, _one_after_the_other(runs, "tempest_conf"))
    write_text(made.log, _one_after_the_other(runs, "log"))
    image_provenance.keep_first_sbom(runs, made)


def _attempts(plans: Plans) -> Iterator[dict[str, Any]]:
    """Yield every attempt in order; the budget is that of all runs together."""
    records = [
        {"run": run.id, "shard": plan.shard, **record.object()}
        for run, plan in plans.items()
        for record in run_directory.records(run)
    ]
    budget = sum(run_directory.retries(each).budget for each in plans)
    for number, record in enumerate(
        sorted(records, key=lambda each: str(each["started"])), start=1
    ):
        # What a run left behind is its own to remove, not the merged one's.
        ended = record.get("ended", "cut off")
        yield {**record, "attempt": number, "ended": ended, "retry_budget": budget}


def _one_after_the_other(runs: Sequence[Run], name: str) -> str:
    paths = ((each, getattr(each, name)) for each in runs)
    return "".join(
        f"# run {each.id}\n{path.read_text(encoding='utf-8', errors='replace')}\n"
        for each, path in paths
        if path.exists()
    )
