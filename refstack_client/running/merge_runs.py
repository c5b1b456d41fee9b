"""Merge runs of one certification, its shards or repetitions, into one run with one verdict."""

import io
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import subunit

from capabilities import catalogue, programme
from refstack_client.bundle import open_results
from refstack_client.errors import InputError
from refstack_client.files import write_bytes, write_json, write_text
from refstack_client.outcomes import run_attempts, run_directory, stream_tools, subunit_stream
from refstack_client.outcomes.plan_record import MergedPart, PlanRecord
from refstack_client.outcomes.run_directory import Run
from refstack_client.running import image_provenance, run_recorder
from scoring.conformance.verdict import Verdict

Plans = Mapping[Run, PlanRecord]


def merge(runs: Sequence[Run], output: Path, run_id: str) -> tuple[Run, Verdict]:
    """Merge runs, with every attempt of every test, and judge the result.

    A test without outcome in any of them is not-run. ``certify --resume`` runs it.

    :raises InputError: one is not a run, is in use, is damaged or is named twice; or they are not
        of the same guideline, programme, Tempest, cloud and plan
    """
    plans = {run: run_directory.read_plan(run)[1] for run in runs}
    _check(runs, plans)
    streams = [_stream(run) for run in runs]
    merged = run_recorder.create(output, run_id)
    try:
        _write(merged, plans, streams)
        guideline, plan = run_directory.read_plan(merged)
        chosen = catalogue.with_bases(programme.find(guideline, plan.programme))
        verdict = open_results.read(merged.directory).judge(chosen)
        run_recorder.keep_verdict(merged, verdict, plan)
    except BaseException:
        shutil.rmtree(merged.directory)
        raise
    return merged, verdict


def missing_shards(runs: Sequence[Run]) -> tuple[str, ...]:
    """Return the shards that are missing from ``runs``, if all are shards of the same number."""
    present = {run_directory.read_plan(run)[1].shard for run in runs}
    counts = {int(shard.partition("/")[2]) for shard in present if shard}
    if None in present or len(counts) != 1:
        return ()
    (count,) = counts
    wanted = (f"{number}/{count}" for number in range(1, count + 1))
    return tuple(shard for shard in wanted if shard not in present)


def _check(runs: Sequence[Run], plans: Plans) -> None:
    if len({run.directory.resolve() for run in runs}) < len(runs):
        raise InputError("a run is named twice", hint="name each run once")
    first, *others = runs
    for run in runs:
        if run_recorder.is_in_use(run):
            raise InputError(
                f"another process uses the run {run.directory}", hint="wait for it, or stop it"
            )
    for other in others:
        found = list(plans[first].differences(plans[other]))
        if found:
            raise InputError(
                f"{first.directory} and {other.directory} cannot be merged: {'; '.join(found)}",
                hint="merge only runs of the same guideline, programme, Tempest and cloud",
            )
    if len({answered and answered.file for run in runs for answered in [run.challenge]}) > 1:
        raise InputError(
            "the runs answer different challenges",
            hint="merge only runs of one challenge; an answer is worth nothing beside runs without",
        )


def _stream(run: Run) -> bytes:
    """Return the complete packets of a run's stream, without one that a kill cut off."""
    content = run.stream.read_bytes() if run.stream.exists() else b""
    whole = content[: stream_tools.length_of_complete_packets(io.BytesIO(content), len(content))]
    if subunit_stream.parse_appended(io.BytesIO(whole)).damage:
        raise InputError(
            f"{run.stream} is damaged", hint="leave this run out, and run its shard again"
        )
    return whole


def _write(target: Run, plans: Plans, streams: Sequence[bytes]) -> None:
    runs = list(plans)
    first = runs[0]
    write_bytes(target.directory / first.guideline.name, first.guideline.read_bytes())
    guideline, plan = run_directory.read_plan(first)
    run_recorder.keep_bases(target, programme.find(guideline, plan.programme))
    write_bytes(target.tests, first.tests.read_bytes())
    if first.challenge:
        write_bytes(target.challenge_file, first.challenge.file)
    write_json(target.request, {**run_directory.read_request(first)[1], "shard": None})
    limits = {limit.name: limit for plan in plans.values() for limit in plan.limits}
    merged = replace(
        plans[first],
        shard=None,
        limits=tuple(limits.values()),
        merged=tuple(MergedPart(run.id, plan.shard) for run, plan in plans.items()),
    )
    write_json(target.plan, merged.as_json())
    with target.stream.open("wb") as stream:
        stream_tools.join(list(map(io.BytesIO, streams)), subunit.StreamResultToBytes(stream))
    for record in _attempts(plans):
        run_recorder.keep_attempt(target, record)
    write_text(target.tempest_conf, _concatenated(runs, "tempest_conf"))
    write_text(target.log, _concatenated(runs, "log"))
    image_provenance.keep_first_sbom(runs, target)


def _attempts(plans: Plans) -> Iterator[dict[str, object]]:
    """Yield the record of every attempt in order, with the largest retry budget of a run."""
    records = [
        {"run": run.id, "shard": plan.shard, **record.object()}
        for run, plan in plans.items()
        for record in run_directory.records(run)
    ]
    budget = max(run_directory.retries(run).budget for run in plans)
    for number, record in enumerate(
        sorted(records, key=lambda record: str(record["started"])), start=1
    ):
        # The merged run must not remove the resources of another run.
        ended = record.get("ended", run_attempts.CUT_OFF)
        yield {**record, "attempt": number, "ended": ended, "retry_budget": budget}


def _concatenated(runs: Sequence[Run], name: str) -> str:
    paths = ((run, getattr(run, name)) for run in runs)
    return "".join(
        f"# run {run.id}\n{path.read_text(encoding='utf-8', errors='replace')}\n"
        for run, path in paths
        if path.exists()
    )
