"""The fault proxy of a sandbox: reverse proxies that add latency and inject faults.

Each service gets a public port, for clients, and an internal one, for the other services. The
program ``programs/fault_proxy.py`` reads ``run/fault-proxy.json`` whenever that changes.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil
import tenacity

from refstack_client.errors import MachineError, UsageError
from refstack_client.files import write_text
from refstack_client.sandbox import daemon, processes
from refstack_client.sandbox.deployment import HOST, Deployment
from refstack_client.sandbox.faults import Faults
from refstack_client.sandbox.service_model import Daemon, Profile, Service
from refstack_client.sandbox.state import Sandbox

DAEMON = Daemon("fault-proxy", ("{python}", "{programs}/fault_proxy.py", "{run}/fault-proxy.json"))
SECONDS_TO_APPLY = 90
_NAME_BEFORE = "front"
"""What earlier versions called it."""


@dataclass(frozen=True)
class Route:
    """One port of the fault proxy: where it forwards to, and the latency it adds in seconds."""

    service: str
    port: int
    to: int
    public: bool
    latency: float


def public_port(service: Service) -> str:
    """Return the name of the port at which clients reach ``service`` through the proxy."""
    return f"public-{service.public.name}"


def internal_port(service: Service) -> str:
    """Return the name of the port at which other services reach it through the proxy."""
    return f"internal-{service.public.name}"


def port_names(profile: Profile) -> tuple[str, ...]:
    """Return the names of all ports of the proxy of a sandbox with ``profile``."""
    return tuple(
        name(service) for service in profile.services for name in (public_port, internal_port)
    )


def for_clients(sandbox: Sandbox, deployment: Deployment) -> Deployment:
    """Return ``deployment`` with the ports that clients use through the proxy."""
    return deployment.with_ports(
        {
            service.public.name: deployment.port[public_port(service)]
            for service in sandbox.profile.services
        }
    )


def for_services(sandbox: Sandbox, deployment: Deployment) -> Deployment:
    """Return ``deployment`` with the ports that the services use through the proxy."""
    return deployment.with_ports(
        {
            service.public.name: deployment.port[internal_port(service)]
            for service in sandbox.profile.services
        }
    )


def process(sandbox: Sandbox) -> psutil.Process | None:
    """Return the process of the proxy; None where it does not run."""
    return daemon.running(sandbox.pid_file(DAEMON.name))


def was_started(sandbox: Sandbox) -> bool:
    """Return whether the sandbox is to be reached through its proxy."""
    return sandbox.pid_file(DAEMON.name).exists()


def establish(sandbox: Sandbox, faults: Faults | None, deployment: Deployment) -> None:
    """Have the proxy run as ``faults`` needs it, without faults as yet: see :func:`inject`.

    :param faults: None where none is needed. A proxy that runs then stays, and injects nothing:
        the services remember the ports at which they found each other for as long as they run
    :raises MachineError: the proxy ended
    """
    if faults:
        settings = _settings(sandbox, deployment, faults.latency)
        if not process(sandbox):
            _write_settings(sandbox, settings)
            processes.start(sandbox, DAEMON, deployment)
        _apply(sandbox, settings)
    elif process(sandbox):
        inject(sandbox, Faults())
    else:
        sandbox.pid_file(DAEMON.name).unlink(missing_ok=True)


def inject(sandbox: Sandbox, faults: Faults) -> None:
    """Inject other faults into a sandbox that runs with a fault proxy; its services keep running.

    The latency stays as it was when the sandbox was started.

    :raises UsageError: it runs without a fault proxy
    """
    if not process(sandbox):
        raise UsageError(
            f"the sandbox {sandbox.name} runs without a fault proxy",
            hint=sandbox.command("up --latency 0ms"),
        )
    settings = json.loads(_settings_file(sandbox).read_text())
    _apply(sandbox, {**settings, "faults": dict(faults.modes)})


def request_count(sandbox: Sandbox) -> int:
    """Return how many requests clients have sent through the proxy since it started."""
    return int(_settings_file(sandbox).with_suffix(".json.requests").read_text())


def refuse_earlier_version(sandbox: Sandbox) -> None:
    """Refuse to change a sandbox whose services use the fault proxy of an earlier version.

    :raises UsageError: there is such a proxy
    """
    if daemon.running(sandbox.pid_file(_NAME_BEFORE)):
        raise UsageError(
            f"an earlier version of refstack-client started the sandbox {sandbox.name} "
            "with --latency or --break",
            hint=f"stop it first: {sandbox.command('down')}",
        )


def _settings_file(sandbox: Sandbox) -> Path:
    return sandbox.state / "run" / "fault-proxy.json"


def _settings(sandbox: Sandbox, deployment: Deployment, latency: float) -> dict[str, object]:
    """Return the settings of a proxy that injects no faults.

    :param latency: seconds that it adds to each answer to a client
    """
    ports = deployment.port
    routes = [
        Route(service.name, ports[name(service)], ports[service.public.name], public, seconds)
        for service in sandbox.profile.services
        for name, public, seconds in ((public_port, True, latency), (internal_port, False, 0.0))
    ]
    return {"host": HOST, "routes": [asdict(route) for route in routes], "faults": {}}


def _write_settings(sandbox: Sandbox, settings: Mapping[str, object]) -> None:
    write_text(_settings_file(sandbox), json.dumps(settings))


def _apply(sandbox: Sandbox, settings: Mapping[str, object]) -> None:
    """Write the settings of the proxy and wait until it uses them.

    :raises MachineError: the proxy ended
    """
    _write_settings(sandbox, settings)
    path = _settings_file(sandbox)
    applied = path.with_suffix(".json.applied")

    def is_applied() -> bool:
        if not process(sandbox):
            log = sandbox.log(DAEMON.name)
            raise MachineError(
                f"the fault proxy ended: {processes.last_line(log)}", hint=f"read {log}"
            )
        return applied.exists() and applied.read_text() == str(path.stat().st_mtime_ns)

    tenacity.Retrying(
        retry=tenacity.retry_if_result(lambda done: not done),
        stop=tenacity.stop_after_delay(SECONDS_TO_APPLY),
        wait=tenacity.wait_fixed(0.1),
    )(is_applied)
