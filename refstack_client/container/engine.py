"""The container engine at hand: docker's or podman's, through docker's SDK."""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import docker
import docker.errors
import requests
from docker import DockerClient

from refstack_client.errors import MachineError

PLATFORM_OF_PODMAN = "Podman Engine"
_HINT = (
    "install and start docker or podman, name another engine with DOCKER_HOST, or do without: "
    "refstack-client certify"
)


@dataclass(frozen=True)
class Engine:
    """A reachable engine; ``url`` is empty where the SDK finds it by itself."""

    client: DockerClient
    url: str = ""

    @property
    def is_podman(self) -> bool:
        components = self.client.version().get("Components") or []
        return any(each.get("Name") == PLATFORM_OF_PODMAN for each in components)

    def environ(self) -> dict[str, str]:
        """Return the environment of a process that is to reach the same engine."""
        kept = {key: value for key, value in os.environ.items() if not key.startswith("OS_")}
        return {**kept, **({"DOCKER_HOST": self.url} if self.url else {})}


def connect() -> Engine:
    """Return the engine that DOCKER_HOST or docker's context names, else any that answers.

    :raises MachineError: there is none, it may not be used, or it is too old
    """
    try:
        return Engine(docker.from_env())
    except docker.errors.DockerException as error:
        failure = _explained(error, os.environ.get("DOCKER_HOST") or "docker's socket")
        if "DOCKER_HOST" in os.environ or isinstance(error, docker.errors.InvalidVersion):
            raise failure from error
        first = error
    for path in _sockets():
        url = f"unix://{path}"
        try:
            return Engine(docker.DockerClient(base_url=url), url)
        except docker.errors.DockerException as error:
            if not isinstance(_root(first), PermissionError):  # what is nearest to working is told
                failure, first = _explained(error, str(path)), error
    raise failure from first


def _sockets() -> Iterator[Path]:
    """Yield sockets of engines that docker's own rules do not find."""
    user = Path(os.environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}")
    for path in (
        user / "docker.sock",
        user / "podman" / "podman.sock",
        Path("/run/podman/podman.sock"),
        Path.home() / ".docker" / "run" / "docker.sock",
        Path.home() / ".colima" / "default" / "docker.sock",
    ):
        with contextlib.suppress(OSError):
            if path.is_socket():
                yield path


def _root(error: BaseException) -> BaseException:
    """Return the operating system's error that is behind one of several libraries."""
    seen = [error]
    for each in seen:
        if isinstance(each, OSError) and not isinstance(each, requests.RequestException):
            return each
        inner = (*each.args, each.__cause__, each.__context__)
        seen += [one for one in inner if isinstance(one, BaseException) and one not in seen]
    return error


def _explained(error: Exception, where: str) -> MachineError:
    root = _root(error)
    if isinstance(error, docker.errors.InvalidVersion):
        return MachineError(
            f"the container engine is too old: {error}",
            hint="Docker 1.12 (2016) or podman 4 are the oldest that work",
        )
    if isinstance(root, PermissionError):
        return MachineError(
            f"you may not use the container engine at {where}",
            hint="join the group docker (sudo usermod -aG docker $USER, then sign in again), or "
            "use rootless podman",
        )
    if isinstance(root, FileNotFoundError):
        return MachineError(f"no container engine was found ({where} does not exist)", hint=_HINT)
    if isinstance(root, ConnectionError):
        return MachineError(f"no container engine answers at {where}", hint=_HINT)
    return MachineError(f"no container engine answers at {where}: {root}", hint=_HINT)


@contextlib.contextmanager
def explained(what: str, hint: str = "") -> Iterator[None]:
    """Turn an engine's own errors into sentences; ``what`` follows "could not"."""
    try:
        yield
    except docker.errors.APIError as error:
        said = " ".join(str(error.explanation or error).split())
        if "no space left" in said.lower():
            hint = "make room where the engine keeps its data"
        raise MachineError(f"the container engine could not {what}: {said}", hint=hint) from error
    except requests.RequestException as error:
        raise MachineError(
            f"the container engine went away and could not {what}",
            hint=hint or "see that it runs: docker info",
        ) from error
