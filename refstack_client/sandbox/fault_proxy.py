"""The fault proxy of a sandbox: reverse proxies that inject faults and change what clients see.

Each service gets a public port, for clients, and an internal one, for the other services. The
program ``programs/fault_proxy.py`` reads ``run/fault-proxy.json`` whenever that changes.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import psutil
import tenacity

from refstack_client.errors import MachineError, UsageError
from refstack_client.files import write_text
from refstack_client.sandbox import certificates, daemon, processes
from refstack_client.sandbox.client_view import ClientView, internal_port, public_port
from refstack_client.sandbox.deployment import HOST, Deployment
from refstack_client.sandbox.faults import Faults
from refstack_client.sandbox.service_model import Daemon
from refstack_client.sandbox.shape_model import DEAD_PORT, HTTP_PROXY_PORT, Shape
from refstack_client.sandbox.state import Sandbox

DAEMON = Daemon("fault-proxy", ("{python}", "{programs}/fault_proxy.py", "{run}/fault-proxy.json"))
SECONDS_TO_APPLY = 90
_NAME_BEFORE = "front"
"""What earlier versions called it."""


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


def settings(view: ClientView, latency: float) -> dict[str, object]:
    """Return the settings of a proxy that injects no faults.

    :param latency: seconds that it adds to each answer to a client
    """
    port, shape, host = view.deployment.port, view.shape, view.listening_host
    is_plain = shape == Shape()
    http_proxy = {"host": HOST, "port": port[HTTP_PROXY_PORT], "names": [view.host_name]}
    return {
        "routes": [asdict(route) for route in view.routes(latency)],
        "faults": {},
        "catalog": None if is_plain else [asdict(service) for service in view.catalogue()],
        "roles": dict(shape.roles),
        "limits": dict(shape.limits),
        "tls": str(view.deployment.conf / certificates.SERVER),
        "dead": [(host, port[DEAD_PORT])],
        "http_proxy": http_proxy if view.host_name else None,
    }


def process(sandbox: Sandbox) -> psutil.Process | None:
    """Return the process of the proxy; None where it does not run."""
    return daemon.running(sandbox.pid_file(DAEMON.name))


def was_started(sandbox: Sandbox) -> bool:
    """Return whether the sandbox is to be reached through its proxy."""
    return sandbox.pid_file(DAEMON.name).exists()


def establish(sandbox: Sandbox, faults: Faults | None, view: ClientView) -> None:
    """Have the proxy run as ``faults`` and ``view`` need it; :func:`inject` adds the faults.

    :param faults: None where no proxy is needed. One that runs then stays, and changes nothing:
        the services remember the ports at which they found each other for as long as they run
    :raises MachineError: the proxy ended
    """
    if not faults and not process(sandbox):
        sandbox.pid_file(DAEMON.name).unlink(missing_ok=True)
        return
    wanted = settings(view, faults.latency if faults else 0.0)
    if not process(sandbox):
        _write_settings(sandbox, wanted)
        processes.start(sandbox, DAEMON, view.deployment)
    _apply(sandbox, wanted)


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
    current = json.loads(_settings_file(sandbox).read_text())
    _apply(sandbox, {**current, "faults": dict(faults.modes)})


def request_count(sandbox: Sandbox) -> int:
    """Return how many requests clients have sent through the proxy since it started."""
    return int(_settings_file(sandbox).with_suffix(".json.requests").read_text())


def refuse_earlier_version(sandbox: Sandbox) -> None:
    """Refuse to change a sandbox whose services use the fault proxy of an earlier version.

    :raises UsageError: there is such a proxy
    """
    if daemon.running(sandbox.pid_file(_NAME_BEFORE)) or (
        process(sandbox) and "catalog" not in json.loads(_settings_file(sandbox).read_text())
    ):
        raise UsageError(
            f"an earlier version of refstack-client started the sandbox {sandbox.name} "
            "with --latency or --break",
            hint=f"stop it first: {sandbox.command('down')}",
        )


def _settings_file(sandbox: Sandbox) -> Path:
    return sandbox.state / "run" / "fault-proxy.json"


def _write_settings(sandbox: Sandbox, wanted: Mapping[str, object]) -> None:
    write_text(_settings_file(sandbox), json.dumps(wanted))


def _apply(sandbox: Sandbox, wanted: Mapping[str, object]) -> None:
    """Write the settings of the proxy and wait until it uses them.

    :raises MachineError: the proxy ended
    """
    _write_settings(sandbox, wanted)
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
