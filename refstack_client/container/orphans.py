"""Find containers and volumes whose launcher died, fetch their results and remove them."""

import socket
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import docker.errors
import psutil

from refstack_client.container.engine import Engine, explained
from refstack_client.container.launch import (
    IMAGE,
    LABEL,
    interrupt,
    launcher_label,
    results_mount,
    settle,
)
from refstack_client.outcomes.run_directory import Run


@dataclass(frozen=True)
class Orphan:
    """Hold the name of a container whose launcher died, or of its volume alone."""

    name: str
    running: bool


def orphans(engine: Engine) -> Sequence[Orphan]:
    """Return the containers and volumes of dead launchers.

    :raises MachineError: the engine cannot list them
    """
    with explained("list containers and volumes"):
        containers = {
            container.name: (container.labels[LABEL], container.status)
            for container in engine.client.containers.list(all=True, filters={"label": LABEL})
        }
        volumes = {
            volume.name: ((volume.attrs.get("Labels") or {})[LABEL], "")
            for volume in engine.client.volumes.list(filters={"label": LABEL})
        }
    return [
        Orphan(name, status == "running")
        for name, (launcher, status) in sorted({**volumes, **containers}.items())
        if not is_alive(launcher)
    ]


def is_alive(launcher: str) -> bool:
    """Return whether the launcher that a label names still runs; True for one of another host."""
    host, pid, created = launcher.rsplit(" ", 2)
    if host != socket.gethostname():
        return True
    try:
        return f"{psutil.Process(int(pid)).create_time():.2f}" == created
    except psutil.NoSuchProcess:
        return False


def remove(engine: Engine, orphan: Orphan, image: str, output: Path) -> tuple[Run, ...]:
    """Fetch the results of an orphan and remove it; a running one is asked to end first.

    :param image: the image of a container to read a volume through that has none; empty for the
        image whose container wrote it
    :param output: the directory for the directories of its runs
    :raises MachineError: the engine failed, or the results cannot be written
    """
    hint = "any image can read its results: refstack-client container clean --image NAME"
    with explained(f"read the results of {orphan.name}", hint=hint):
        try:
            engine.client.containers.get(orphan.name)
        except docker.errors.NotFound:  # a container gives access to a volume without being started
            volume = engine.client.volumes.get(orphan.name)
            engine.client.containers.create(
                image or volume.attrs["Labels"][IMAGE],
                command="none",  # the engine asks for one, and the image may have none
                name=orphan.name,
                labels={LABEL: launcher_label()},
                mounts=[results_mount(orphan.name)],
            )
    if orphan.running:
        interrupt(engine, orphan.name)
    return settle(engine, orphan.name, output).runs
