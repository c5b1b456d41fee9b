"""Find the container engine, docker or podman, through docker's SDK."""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import docker
import docker.errors
import docker.utils
import requests
from docker import DockerClient

from refstack_client.errors import MachineError, UsageError

PLATFORM_OF_PODMAN = "Podman Engine"
_HINT = (
    "install and start docker or podman, set DOCKER_HOST to another engine, or certify without a "
    "container: refstack-client certify"
)


@dataclass(frozen=True)
class Engine:
    """Hold a reachable engine; ``url`` is empty where the SDK finds it by itself."""

    client: DockerClient
    url: str = ""

    @property
    def is_podman(self) -> bool:
        """Whether this is podman."""
        components = self.client.version().get("Components") or []
        return any(component.get("Name") == PLATFORM_OF_PODMAN for component in components)

    def environ(self) -> dict[str, str]:
        """Return the environment for a process that uses the same engine, without credentials."""
        environ = {key: value for key, value in os.environ.items() if not key.startswith("OS_")}
        return {**environ, **({"DOCKER_HOST": self.url} if self.url else {})}


def connect() -> Engine:
    """Return the engine that DOCKER_HOST or docker's context names, else the first that responds.

    :raises MachineError: no engine responds, access is denied, or it is too old
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
            if not isinstance(_root(first), PermissionError):  # the most helpful reason
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
    """Return the error of the operating system that caused one of a library."""
    seen = [error]
    for current in seen:
        if isinstance(current, OSError) and not isinstance(current, requests.RequestException):
            return current
        inner = (*current.args, current.__cause__, current.__context__)
        seen += [cause for cause in inner if isinstance(cause, BaseException) and cause not in seen]
    return error


def _explained(error: Exception, where: str) -> MachineError:
    root = _root(error)
    if isinstance(error, docker.errors.InvalidVersion):
        return MachineError(
            f"the container engine is too old: {error}",
            hint="install Docker 1.12 or podman 4, or newer",
        )
    if isinstance(root, PermissionError):
        return MachineError(
            f"cannot use the container engine at {where}: permission denied",
            hint="join the group docker (sudo usermod -aG docker $USER, then sign in again), or "
            "use rootless podman",
        )
    if isinstance(root, FileNotFoundError):
        return MachineError(f"cannot find a container engine: {where} does not exist", hint=_HINT)
    if isinstance(root, ConnectionError):
        return MachineError(f"cannot reach a container engine at {where}", hint=_HINT)
    return MachineError(f"cannot reach a container engine at {where}: {root}", hint=_HINT)


@contextlib.contextmanager
def explained(what: str, hint: str = "") -> Iterator[None]:
    """Turn errors of an engine into :class:`MachineError`; ``what`` follows "could not"."""
    try:
        yield
    except docker.errors.APIError as error:
        reason = " ".join(str(error.explanation or error).split())
        if "no space" in reason.lower():
            hint = "free disk space where the engine keeps its data"
        raise MachineError(f"the container engine could not {what}: {reason}", hint=hint) from error
    except requests.RequestException as error:
        raise MachineError(
            f"the container engine stopped responding and could not {what}",
            hint=hint or "check that it runs: docker info",
        ) from error


def parse_size(text: str, option: str) -> int:
    """Return a size such as ``2g`` in bytes.

    :raises UsageError: it is not a size; names ``option``
    """
    try:
        return int(docker.utils.parse_bytes(text))
    except docker.errors.DockerException as error:
        raise UsageError(f"{option} {text} is not a valid size", hint="example: 2g") from error
