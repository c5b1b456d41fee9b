"""Run the parts of a certification in containers at the same time, and end them in order."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from pathlib import Path

from refstack_client.container import launch
from refstack_client.container.engine import Engine, explained
from refstack_client.container.launch import ContainerLimits, ContainerResult, Print
from refstack_client.container.payload import PRIVATE, RESULTS, Payload
from refstack_client.errors import ClientError, MachineError
from refstack_client.outcomes.run_directory import Run
from refstack_client.running import image_provenance

MOST_WORKERS = 4
ALL = ""
"""The name of the part of a certification that has only one."""


@dataclass(frozen=True)
class Job:
    """Hold what to run: the payload of each part by its name, within which limits, and where to."""

    engine: Engine
    limits: ContainerLimits
    payloads: Mapping[str, Payload]
    output: Path


@dataclass(frozen=True)
class Finished:
    """Hold how each part ended, by its name: a result, or the error."""

    results: Mapping[str, ContainerResult | ClientError]
    interrupted: bool

    def only(self) -> ContainerResult:
        """Return the result of the certification that has only one part.

        :raises ClientError: there is no result
        :raises MachineError: the container was killed
        """
        result = self.results[ALL]
        if isinstance(result, ClientError):
            raise result
        if result.was_killed:
            raise killed(result)
        return result

    def planned_runs(self) -> list[Run]:
        """Return the runs of all parts that have a plan: those that can be merged.

        :raises MachineError: no part has any
        """
        runs = [
            run
            for result in self.results.values()
            if isinstance(result, ContainerResult)
            for run in result.runs
            if run.plan.exists()
        ]
        if not runs:
            raise MachineError("no part has results", hint="the lines above give the reason")
        return runs


def parts(engine: Engine, common: Payload, shards: int, image_id: str) -> dict[str, Payload]:
    """Return the payload of each part by its name, I/N; :data:`ALL` where there is only one.

    Parts share the processors of the engine, unless the user chose the number of workers.

    :raises MachineError: the engine does not report its processors
    """
    environ = {**common.environ, image_provenance.VARIABLE: image_id}
    if shards == 1:
        return {ALL: replace(common, environ=environ)}
    arguments = list(common.arguments)
    if "--concurrency" not in arguments:
        with explained("report its number of processors"):
            processors = engine.client.info().get("NCPU") or 1
        arguments += ["--concurrency", str(max(1, min(MOST_WORKERS, processors // shards)))]
    names = [f"{number}/{shards}" for number in range(1, shards + 1)]
    return {
        name: replace(common, arguments=[*arguments, "--shard", name], environ=environ)
        for name in names
    }


def run(job: Job, print_line: Print, report: Print) -> Finished:
    """Run every part in a container of its own; on Ctrl-C end them all.

    :param print_line: takes the standard output of a certification with one part
    :param report: prints every other line
    """
    names = {part: launch.new_name() for part in job.payloads}

    def start(part: str) -> ContainerResult:
        on_the_host = _on_the_host(job.output, f"{part} | " if part else "")
        streams = (report if part else print_line, report)
        return launch.certify(
            job.engine,
            names[part],
            job.limits,
            job.payloads[part],
            streams=(
                lambda line: streams[0](on_the_host(line)),
                lambda line: streams[1](on_the_host(line)),
            ),
            output=job.output,
        )

    interrupted = False
    with ThreadPoolExecutor(len(names)) as pool:
        futures = {part: pool.submit(start, part) for part in names}
        try:
            wait(futures.values())
        except KeyboardInterrupt:
            interrupted = True
            report("stopping the containers; results so far are kept")
            _end(job.engine, list(names.values()), list(futures.values()))
    return Finished({part: _result(future) for part, future in futures.items()}, interrupted)


def killed(result: ContainerResult) -> MachineError:
    """Return the error with the reason why a container was killed and the command to resume."""
    why = (
        "the container was killed: it ran out of memory"
        if result.out_of_memory
        else "the container was killed by another process, or its machine stopped"
    )
    resume = "".join(
        f"resume: refstack-client container run --resume {run.directory}" for run in result.runs[:1]
    )
    return MachineError(why, hint=resume or "start again")


def _on_the_host(output: Path, prefix: str) -> Callable[[str], str]:
    """Return a function that names paths in a line as they are on the host."""
    shown = str(output).rstrip("/")

    def convert(line: str) -> str:
        return prefix + line.replace(f"{RESULTS}/", f"{shown}/").replace(f"{PRIVATE}/", "")

    return convert


def _result(future: "Future[ContainerResult]") -> ContainerResult | ClientError:
    """Return how a part ended; a bug is raised."""
    try:
        return future.result()
    except ClientError as error:
        return error


def _end(
    engine: Engine, names: Sequence[str], futures: Sequence["Future[ContainerResult]"]
) -> None:
    """End containers, also those about to start; kill them when they do not end in time."""
    asked: set[str] = set()
    for _ in range(launch.SECONDS_TO_END):
        asked |= {name for name in names if name not in asked and launch.interrupt(engine, name)}
        if not wait(futures, timeout=1).not_done:
            return
    for name in names:
        launch.interrupt(engine, name, "SIGKILL")
