"""Prepare and start the services of a sandbox, and report their health."""

import hashlib
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import requests
import tenacity

from refstack_client.errors import MachineError
from refstack_client.files import write_text
from refstack_client.sandbox import daemon, fault_proxy, processes, schema_cache, state
from refstack_client.sandbox.deployment import HOST, Deployment
from refstack_client.sandbox.service_model import Daemon, Service, Step
from refstack_client.sandbox.state import Sandbox

SECONDS_TO_HEALTH = 90


@dataclass(frozen=True)
class DaemonStatus:
    """One process of a sandbox: ``health`` is "ok", "stopped" or why it does not answer."""

    name: str
    pid: int | None
    url: str
    health: str


def status(sandbox: Sandbox) -> tuple[DaemonStatus, ...]:
    """Return whether each daemon runs and answers, the fault proxy included where there is one.

    :raises MachineError: the settings of the sandbox cannot be read
    """
    settings = state.load(sandbox)
    ports = settings.ports if settings else {}
    rows = [_status(sandbox, model, ports) for model in sandbox.profile.daemons]
    if fault_proxy.was_started(sandbox):
        process = fault_proxy.process(sandbox)
        health = "ok" if process else "stopped"
        rows.append(
            DaemonStatus(fault_proxy.DAEMON.name, process.pid if process else None, "", health)
        )
    return tuple(rows)


def is_up(sandbox: Sandbox) -> bool:
    """Return whether every daemon of ``sandbox`` is healthy.

    :raises MachineError: the settings of the sandbox cannot be read
    """
    return all(row.health == "ok" for row in status(sandbox))


def bring_up(sandbox: Sandbox, service: Service, deployment: Deployment) -> None:
    """Prepare ``service`` and start it, unless it has to wait for the service catalog.

    :raises MachineError: a step failed, or a daemon does not become healthy
    """
    for name in service.directories:
        (deployment.data / name).mkdir(parents=True, exist_ok=True)
    schema = [step for step in service.steps if step.is_schema]
    is_new = not any(_marker(sandbox, step.name).exists() for step in schema)
    if is_new and schema_cache.restore(deployment.prefix, service, deployment.data):
        for step in schema:
            run_once(sandbox, step.name, _input(step, deployment), lambda: None)
    for step in schema:
        _run_step(sandbox, step, deployment)
    if is_new:
        schema_cache.save(deployment.prefix, service, deployment.data)
    for step in service.steps:
        _run_step(sandbox, step, deployment)
    if not service.needs_catalogue:
        serve(sandbox, service, deployment)


def serve(sandbox: Sandbox, service: Service, deployment: Deployment) -> None:
    """Start the daemons of ``service`` that do not run, and wait until all are healthy.

    :raises MachineError: one does not become healthy
    """
    for model in service.daemons:
        if not daemon.running(sandbox.pid_file(model.name)):
            processes.start(sandbox, model, deployment)
    for model in service.daemons:
        _wait_until_healthy(sandbox, model, deployment)


def stop_catalogue_readers(sandbox: Sandbox) -> None:
    """Stop the daemons that read the service catalog when they started, because it changed."""
    for service in sandbox.profile.services:
        for model in service.daemons if service.needs_catalogue else ():
            process = daemon.running(sandbox.pid_file(model.name))
            if process:
                daemon.stop([process, *process.children(recursive=True)])


def stop_orphans(sandbox: Sandbox) -> None:
    """Stop processes without a pid file: an earlier start was killed before it wrote one."""
    known: set[int] = set()
    for model in (*sandbox.profile.daemons, fault_proxy.DAEMON):
        process = daemon.running(sandbox.pid_file(model.name))
        if process:
            known |= {process.pid, *(child.pid for child in process.children(recursive=True))}
    daemon.stop(process for process in daemon.marked(sandbox.state) if process.pid not in known)


def run_once(sandbox: Sandbox, name: str, content: str, run: Callable[[], None]) -> None:
    """Call ``run`` unless it succeeded before with the same ``content``.

    :param name: of the step
    :param content: everything that its result depends on
    """
    marker = _marker(sandbox, name)
    digest = hashlib.sha256(content.encode()).hexdigest()
    if marker.exists() and marker.read_text() == digest:
        return
    run()
    write_text(marker, digest)


def _run_step(sandbox: Sandbox, step: Step, deployment: Deployment) -> None:
    argv, stdin = deployment.command(step)

    def run() -> None:
        with sandbox.log(step.name).open("ab") as log:
            outcome = subprocess.run(
                argv,
                input=stdin.encode(),
                stdout=log,
                stderr=log,
                env=processes.environ(sandbox),
                check=False,
            )
        if outcome.returncode not in step.done:
            raise MachineError(
                f"the step {step.name} failed with exit status {outcome.returncode}: "
                f"{processes.last_line(sandbox.log(step.name))}",
                hint=f"read {sandbox.log(step.name)}, or start over: "
                f"{sandbox.command('down --wipe')}",
            )

    run_once(sandbox, step.name, _input(step, deployment), run)


def _input(step: Step, deployment: Deployment) -> str:
    return repr(deployment.command(step))


def _marker(sandbox: Sandbox, name: str) -> Path:
    return sandbox.state / "steps" / name


def _wait_until_healthy(sandbox: Sandbox, model: Daemon, deployment: Deployment) -> None:
    url = _url(model, deployment.port)

    def check() -> str:
        if not daemon.running(sandbox.pid_file(model.name)):
            raise MachineError(
                f"{model.name} ended: {processes.last_line(sandbox.log(model.name))}",
                hint=f"read {sandbox.log(model.name)}. If another process took its port, choose "
                f"new ports: {sandbox.command('down')}, then {sandbox.command('up')}",
            )
        return _health(url)

    try:
        tenacity.Retrying(
            retry=tenacity.retry_if_result(lambda health: health != "ok"),
            stop=tenacity.stop_after_delay(SECONDS_TO_HEALTH),
            wait=tenacity.wait_fixed(0.2),
        )(check)
    except tenacity.RetryError as error:
        raise MachineError(
            f"{model.name} does not answer at {url}: {error.last_attempt.result()}",
            hint=f"read {sandbox.log(model.name)}",
        ) from error


def _status(sandbox: Sandbox, model: Daemon, ports: Mapping[str, int]) -> DaemonStatus:
    process = daemon.running(sandbox.pid_file(model.name))
    url = _url(model, ports) if model.name in ports else ""
    return DaemonStatus(
        model.name, process.pid if process else None, url, _health(url) if process else "stopped"
    )


def _url(model: Daemon, ports: Mapping[str, int]) -> str:
    return f"http://{HOST}:{ports[model.name]}{model.health}"


def _health(url: str) -> str:
    session = requests.Session()
    session.trust_env = False  # a proxy of the user's does not reach loopback
    try:
        response = session.get(url, timeout=5)
    except requests.RequestException as error:
        return f"no answer ({type(error).__name__})"
    return "ok" if response.status_code < 500 else f"HTTP {response.status_code}"
