"""Run one certification in one container, and remove everything of it but its results.

Results are written to a volume of the container and copied out when it has ended, so the engine may
be on another machine, and the files belong to the user who started it. The volume is removed once
they are copied.
"""

import codecs
import contextlib
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import docker.errors
import psutil
import requests
from docker.models.containers import Container
from docker.types import Mount, Ulimit

from refstack_client.container import payload, safe_untar
from refstack_client.container.engine import Engine, explained
from refstack_client.container.payload import Payload
from refstack_client.errors import MachineError
from refstack_client.outcomes.run_directory import Run

LABEL = "refstack-client.launcher"
"""On every container and volume of a launcher: its host, process ID and start time."""
IMAGE = "refstack-client.image"
"""On every volume: the image whose container writes to it."""
SECONDS_TO_END = 30
_STATUS_OF_SIGKILL = 137
_RESULTS_KEPT = "fetch the results, which are kept: refstack-client container clean"
_ENTRYPOINT = ("python", "-m", "refstack_client.cli.container_entrypoint")
_WATCHDOG = (sys.executable, "-m", "refstack_client.container.watchdog")

Print = Callable[[str], None]


@dataclass(frozen=True)
class ContainerLimits:
    """Hold what a container may use.

    :param memory: in bytes
    :param network: the engine's name of one; empty for its default
    """

    image: str
    memory: int
    pids: int
    network: str


@dataclass(frozen=True)
class ContainerResult:
    """Hold how a container ended, and the runs it wrote.

    :param out_of_memory: the engine killed a process of it, not necessarily the first
    """

    exit_code: int
    out_of_memory: bool
    runs: tuple[Run, ...]

    @property
    def was_killed(self) -> bool:
        """Whether the container itself was killed, with everything in it."""
        return self.exit_code == _STATUS_OF_SIGKILL


def new_name() -> str:
    """Return a name for a container and its volume."""
    return f"refstack-{secrets.token_hex(4)}"


def launcher_label() -> str:
    """Return the value of :data:`LABEL` for this process."""
    process = psutil.Process()
    return f"{socket.gethostname()} {process.pid} {process.create_time():.2f}"


def certify(
    engine: Engine,
    name: str,
    limits: ContainerLimits,
    handed_over: Payload,
    *,
    streams: tuple[Print, Print],
    output: Path,
) -> ContainerResult:
    """Run a payload in a container called ``name``, and wait for its end.

    :param streams: take each line of its standard output, and of its standard error
    :param output: the directory for the directories of its runs
    :raises MachineError: the engine failed; the hint names the command that fetches the results
    """
    output.mkdir(parents=True, exist_ok=True)
    container = _create(engine, name, limits)
    try:
        with _watchdog(engine, name, output):
            try:
                with explained(f"run the container {name}", hint=_RESULTS_KEPT):
                    _run(container, payload.pack(handed_over), streams)
            finally:
                result = settle(engine, name, output)
    except BaseException:
        with contextlib.suppress(Exception):
            _remove(engine, name)
        raise
    return result


def interrupt(engine: Engine, name: str, signal: str = "SIGTERM") -> bool:
    """Ask a container to end as on Ctrl-C; return whether one of that name was running."""
    try:
        engine.client.containers.get(name).kill(signal)
    except (docker.errors.APIError, requests.RequestException):
        return False
    return True


def settle(
    engine: Engine, name: str, output: Path, patience: int = SECONDS_TO_END
) -> ContainerResult:
    """Wait for a container to end, fetch its results, remove it with its volume.

    :param patience: seconds after which it is killed
    :raises MachineError: the engine is gone, or the results cannot be written; they stay in their
        volume then
    """
    with explained(f"end the container {name}", hint=_RESULTS_KEPT):
        container = engine.client.containers.get(name)
        try:
            container.wait(timeout=patience)
        except Exception:  # requests has several for a wait that takes too long
            with contextlib.suppress(docker.errors.APIError):
                container.kill()
            container.wait()
        container.reload()
        state = container.attrs["State"]
    runs = fetch(container, output)
    with explained(f"remove the container {name}", hint="run: refstack-client container clean"):
        _remove(engine, name)
        engine.client.volumes.get(name).remove()
    return ContainerResult(state["ExitCode"], bool(state.get("OOMKilled")), runs)


def fetch(container: Container, output: Path) -> tuple[Run, ...]:
    """Copy the runs in a container's volume to ``output``, as files of the calling user.

    :raises MachineError: they cannot be read there or written here
    """
    try:
        output.mkdir(parents=True, exist_ok=True)
        with (
            tempfile.TemporaryFile(dir=output) as packed,
            tempfile.TemporaryDirectory(dir=output, prefix=".fetched-") as place,
        ):
            with explained(f"copy results from {container.name}", hint=_RESULTS_KEPT):
                for chunk in container.get_archive(str(payload.RESULTS))[0]:
                    packed.write(chunk)
            packed.seek(0)
            with tarfile.open(fileobj=packed) as archive:
                safe_untar.unpack(archive, Path(place))
            # Docker's archive begins with the directory itself, podman's with its content.
            directories = sorted(path.parent for path in Path(place).rglob("request.json"))
            return tuple(_adopt(directory, output) for directory in directories)
    except OSError as error:
        raise MachineError(
            f"cannot write results to {output}: {error.strerror}",
            hint=f"free disk space or set another --output; {_RESULTS_KEPT}",
        ) from error


def _adopt(fetched: Path, output: Path) -> Run:
    """Move a run into ``output``; a resumed one replaces its files, each in one step."""
    target = output / fetched.name
    if not target.exists():
        shutil.move(fetched, target)
    else:
        for path in sorted(fetched.iterdir()):
            os.replace(path, target / path.name)
    (target / "lock").unlink(missing_ok=True)
    return Run(target)


def _create(engine: Engine, name: str, limits: ContainerLimits) -> Container:
    labels = {LABEL: launcher_label()}
    # Rootless podman takes over limits of this process, which may be too low for its own.
    ulimits = [Ulimit(name=limit, soft=4096, hard=4096) for limit in ("nofile", "nproc")]
    with explained(f"create a container of {limits.image}"):
        engine.client.volumes.create(name, labels={**labels, IMAGE: limits.image})
        try:
            return engine.client.containers.create(
                limits.image,
                name=name,
                labels=labels,
                entrypoint=list(_ENTRYPOINT),
                stdin_open=True,
                read_only=True,
                cap_drop=["ALL"],
                security_opt=["no-new-privileges"],
                mem_limit=limits.memory,
                memswap_limit=limits.memory,
                pids_limit=limits.pids,
                tmpfs={str(payload.PRIVATE.parent): "mode=1777"},
                mounts=[results_mount(name)],
                **({"ulimits": ulimits} if engine.is_podman else {}),
                **({"network_mode": limits.network} if limits.network else {}),
            )
        except BaseException:
            engine.client.volumes.get(name).remove()
            raise


def results_mount(volume: str) -> Mount:
    """Return the mount of a volume where runs are written."""
    return Mount(str(payload.RESULTS), volume, type="volume")


def _remove(engine: Engine, name: str) -> None:
    with contextlib.suppress(docker.errors.NotFound):
        engine.client.containers.get(name).remove(force=True, v=True)


@contextlib.contextmanager
def _watchdog(engine: Engine, name: str, output: Path) -> Iterator[None]:
    """Keep a process that fetches the results and removes the container if this one dies."""
    process = subprocess.Popen(
        [*_WATCHDOG, name, str(output)],
        env=engine.environ(),
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield
    finally:
        process.kill()
        process.wait()


def _run(container: Container, content: bytes, streams: tuple[Print, Print]) -> None:
    """Start a container, send a payload, pass on its output; return at its end."""
    attached = container.attach_socket(params={"stdin": 1, "stream": 1})
    pairs = container.attach(stdout=True, stderr=True, stream=True, demux=True)
    with explained(f"start the container {container.name}"):
        container.start()
    inlet = getattr(attached, "_sock", attached)
    try:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it ended before it read
            inlet.sendall(content)
        readers = [_Lines(print_line) for print_line in streams]
        for pieces in pairs:
            for reader, piece in zip(readers, pieces, strict=True):
                reader.feed(piece or b"")
        for reader in readers:
            reader.end()
    finally:
        attached.close()


class _Lines:
    """Joins pieces, which may end within a line or a character, to whole lines."""

    def __init__(self, print_line: Print):
        self._print_line = print_line
        self._decode = codecs.getincrementaldecoder("utf-8")(errors="replace").decode
        self._rest = ""

    def feed(self, piece: bytes) -> None:
        *whole, self._rest = (self._rest + self._decode(piece)).split("\n")
        for line in whole:
            self._print_line(line)

    def end(self) -> None:
        if self._rest:
            self._print_line(self._rest)
