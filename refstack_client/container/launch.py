"""Run one certification in one container, and leave nothing of it behind but its results.

Results lie in a volume of the container's own and are copied out when it has ended, so the engine
may be on another machine, and files belong to whoever started it. The volume stays until they have
arrived.
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
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker.errors
import psutil
import requests
from docker.models.containers import Container
from docker.types import Mount, Ulimit

from refstack_client.container import payload, safe_untar
from refstack_client.container.engine import Engine, explained
from refstack_client.container.payload import Parcel
from refstack_client.errors import MachineError
from refstack_client.outcomes.run_directory import Run

LABEL = "refstack-client.launcher"
"""On every container and volume made here: host, process and its start time."""
IMAGE = "refstack-client.image"
"""On every volume: the image whose container writes to it."""
SECONDS_TO_END = 30
_KEPT = "its results are kept; refstack-client container clean fetches them"
_RECEIVE = ("python", "-m", "refstack_client.cli.container_entrypoint")
_CARETAKER = (sys.executable, "-m", "refstack_client.container.watchdog")

Talk = Callable[[str], None]


@dataclass(frozen=True)
class Box:
    """What a container may use.

    ``memory`` is in bytes; ``network`` is the engine's own name of one, "" its default.
    """

    image: str
    memory: int
    pids: int
    network: str


@dataclass(frozen=True)
class Ended:
    """How a container ended: ``killed_for_memory`` holds for any process in it."""

    exit_code: int
    killed_for_memory: bool
    runs: tuple[Run, ...]


def new_name() -> str:
    return f"refstack-{secrets.token_hex(4)}"


def certify(
    engine: Engine, name: str, box: Box, ordered: Parcel, *, talk: tuple[Talk, Talk], output: Path
) -> Ended:
    """Run what ``ordered`` asks for in a container called ``name``; blocks until it has ended.

    :param talk: what is given each line of its standard output, and of its standard error
    :param output: where the directories of its runs are put
    :raises MachineError: the engine cannot do it; what it is and what became of the results is said
    """
    output.mkdir(parents=True, exist_ok=True)
    container = _create(engine, name, box)
    try:
        with _caretaker(engine, name, output):
            try:
                with explained(f"run the container {name}", hint=_KEPT):
                    _run(container, payload.pack(ordered), talk)
            finally:
                ended = settle(engine, name, output)
    except BaseException:
        with contextlib.suppress(Exception):
            _remove(engine, name)
        raise
    return ended


def interrupt(engine: Engine, name: str, signal: str = "SIGTERM") -> bool:
    """Ask a container to end as on Ctrl-C; return whether there was one that runs."""
    try:
        engine.client.containers.get(name).kill(signal)
    except (docker.errors.APIError, requests.RequestException):
        return False
    return True


def settle(engine: Engine, name: str, output: Path, patience: int = SECONDS_TO_END) -> Ended:
    """Wait for a container to end, fetch its results, remove it with its volume.

    :param patience: seconds after which it is killed
    :raises MachineError: the engine is gone, or the results cannot be written; they stay in their
        volume then
    """
    with explained(f"end the container {name}", hint=_KEPT):
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
    with explained(f"remove the container {name}", hint="refstack-client container clean does"):
        _remove(engine, name)
        engine.client.volumes.get(name).remove()
    return Ended(state["ExitCode"], bool(state.get("OOMKilled")), runs)


def fetch(container: Container, output: Path) -> tuple[Run, ...]:
    """Copy the runs in a container's volume to ``output``, as files of whoever calls this.

    :raises MachineError: they cannot be read there or written here
    """
    try:
        output.mkdir(parents=True, exist_ok=True)
        with (
            tempfile.TemporaryFile(dir=output) as packed,
            tempfile.TemporaryDirectory(dir=output, prefix=".fetched-") as place,
        ):
            with explained(f"copy results out of {container.name}", hint=_KEPT):
                for chunk in container.get_archive(str(payload.RESULTS))[0]:
                    packed.write(chunk)
            packed.seek(0)
            with tarfile.open(fileobj=packed) as archive:
                safe_untar.unpack(archive, Path(place))
            # Docker's archive begins with the directory itself, podman's with what is in it.
            found = sorted(path.parent for path in Path(place).rglob("request.json"))
            return tuple(_adopt(each, output) for each in found)
    except OSError as error:
        raise MachineError(
            f"results cannot be written to {output}: {error.strerror}",
            hint=f"make room or name another --output; {_KEPT}",
        ) from error


def _adopt(found: Path, output: Path) -> Run:
    """Move a run to where it belongs; one that went on replaces its files, each at once."""
    target = output / found.name
    if not target.exists():
        shutil.move(found, target)
    else:
        for path in sorted(found.iterdir()):
            os.replace(path, target / path.name)
    (target / "lock").unlink(missing_ok=True)
    return Run(target)


def _create(engine: Engine, name: str, box: Box) -> Container:
    labels = {LABEL: _launcher()}
    # Rootless podman takes over limits of this process, which may be too low for its own.
    ulimits = [Ulimit(name=each, soft=4096, hard=4096) for each in ("nofile", "nproc")]
    more: dict[str, Any] = {"ulimits": ulimits} if engine.is_podman else {}
    if box.network:
        more["network_mode"] = box.network
    with explained(f"make a container of {box.image}"):
        engine.client.volumes.create(name, labels={**labels, IMAGE: box.image})
        try:
            return engine.client.containers.create(
                box.image,
                name=name,
                labels=labels,
                entrypoint=list(_RECEIVE),
                stdin_open=True,
                read_only=True,
                cap_drop=["ALL"],
                security_opt=["no-new-privileges"],
                mem_limit=box.memory,
                memswap_limit=box.memory,
                pids_limit=box.pids,
                tmpfs={str(payload.PRIVATE.parent): "mode=1777"},
                mounts=[Mount(str(payload.RESULTS), name, type="volume")],
                **more,
            )
        except BaseException:
            engine.client.volumes.get(name).remove()
            raise


def _remove(engine: Engine, name: str) -> None:
    with contextlib.suppress(docker.errors.NotFound):
        engine.client.containers.get(name).remove(force=True, v=True)


def _launcher() -> str:
    process = psutil.Process()
    return f"{socket.gethostname()} {process.pid} {process.create_time():.2f}"


def is_alive(launcher: str) -> bool:
    """Return whether the launcher a label names still runs; on another host it may."""
    host, pid, created = launcher.rsplit(" ", 2)
    if host != socket.gethostname():
        return True
    try:
        return f"{psutil.Process(int(pid)).create_time():.2f}" == created
    except psutil.NoSuchProcess:
        return False


@contextlib.contextmanager
def _caretaker(engine: Engine, name: str, output: Path) -> Iterator[None]:
    """Have a process stand by that settles what is left if this one dies."""
    process = subprocess.Popen(
        [*_CARETAKER, name, str(output)],
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


def _run(container: Container, content: bytes, talk: tuple[Talk, Talk]) -> None:
    """Start a container, hand over a parcel, pass on what it says; returns at its end."""
    attached = container.attach_socket(params={"stdin": 1, "stream": 1})
    said = container.attach(stdout=True, stderr=True, stream=True, demux=True)
    with explained(f"start the container {container.name}"):
        container.start()
    inlet = getattr(attached, "_sock", attached)
    try:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it ended before it read
            inlet.sendall(content)
        lines = [_Lines(each) for each in talk]
        for pieces in said:
            for line, piece in zip(lines, pieces, strict=True):
                line.feed(piece or b"")
        for line in lines:
            line.end()
    finally:
        attached.close()


class _Lines:
    """Makes lines of pieces, which are neither lines nor whole characters."""

    def __init__(self, talk: Talk):
        self._talk = talk
        self._decode = codecs.getincrementaldecoder("utf-8")(errors="replace").decode
        self._rest = ""

    def feed(self, piece: bytes) -> None:
        *whole, self._rest = (self._rest + self._decode(piece)).split("\n")
        for line in whole:
            self._talk(line)

    def end(self) -> None:
        if self._rest:
            self._talk(self._rest)


# -- what earlier launchers left ------------------------------------------------------------------


@dataclass(frozen=True)
class Stray:
    """A container whose launcher is dead, or only its volume."""

    name: str
    running: bool


def strays(engine: Engine) -> Sequence[Stray]:
    """Return what dead launchers left."""
    with explained("list containers and volumes"):
        containers = {
            each.name: (each.labels[LABEL], each.status)
            for each in engine.client.containers.list(all=True, filters={"label": LABEL})
        }
        volumes = {
            each.name: ((each.attrs.get("Labels") or {})[LABEL], "")
            for each in engine.client.volumes.list(filters={"label": LABEL})
        }
    return [
        Stray(name, status == "running")
        for name, (launcher, status) in sorted({**volumes, **containers}.items())
        if not is_alive(launcher)
    ]


def clean(engine: Engine, stray: Stray, image: str, output: Path) -> tuple[Run, ...]:
    """Fetch the results of a stray and remove it; what runs is asked to end first.

    :param image: through which a volume without a container is read; "" for the one that wrote it
    """
    hint = "any image will do to read its results: refstack-client container clean --image NAME"
    with explained(f"reach what is left of {stray.name}", hint=hint):
        try:
            engine.client.containers.get(stray.name)
        except docker.errors.NotFound:  # one that is never started is a way into the volume
            volume = engine.client.volumes.get(stray.name)
            engine.client.containers.create(
                image or volume.attrs["Labels"][IMAGE],
                command="none",  # an image need not have one, and the engine asks for it
                name=stray.name,
                labels={LABEL: _launcher()},
                mounts=[Mount(str(payload.RESULTS), stray.name, type="volume")],
            )
    if stray.running:
        interrupt(engine, stray.name)
    return settle(engine, stray.name, output).runs
