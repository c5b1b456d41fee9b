"""Bring a sandbox up and down, and say how it is.

Everything a sandbox makes lies in one state directory, ``ROOT/NAME``:

    sandbox.json     profile, ports, secrets (0600)
    clouds.yaml      how to reach it: "sandbox" (admin) and "sandbox-tenant" (0600)
    accounts.yaml    tenant users for Tempest, for trying it without admin rights (0600)
    conf data log run steps
"""

import contextlib
import errno
import getpass
import grp
import hashlib
import json
import os
import secrets
import shutil
import socket
import subprocess
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import fasteners
import jinja2
import requests
import tenacity
import yaml

from refstack_client.errors import MachineError, UsageError
from refstack_client.files import read_json, write_private, write_text
from refstack_client.sandbox import bootstrap, daemon, schema_cache, virtualenv
from refstack_client.sandbox.faults import Trouble
from refstack_client.sandbox.profiles import (
    FRONT,
    LOCKOUT,
    PROFILES,
    Daemon,
    Profile,
    Service,
    Step,
    doors,
)

HOST = "127.0.0.1"
SECONDS_TO_HEALTH = 90
# Passwords carry what breaks careless quoting, so that every use of a sandbox tries it.
_AWKWARD = " '\"%$é#"

Talk = Callable[[str], None]


@dataclass(frozen=True)
class Sandbox:
    """Where a sandbox lives and what it is made of."""

    root: Path
    name: str
    profile: Profile

    @property
    def state(self) -> Path:
        return self.root / self.name

    @property
    def clouds_yaml(self) -> Path:
        return self.state / "clouds.yaml"

    @property
    def accounts_yaml(self) -> Path:
        return self.state / "accounts.yaml"

    def pid_file(self, name: str) -> Path:
        return self.state / "run" / f"{name}.pid"

    def log(self, name: str) -> Path:
        return self.state / "log" / f"{name}.log"


@dataclass(frozen=True)
class DaemonStatus:
    """One process of a sandbox: ``health`` is "ok", "stopped" or why it does not answer."""

    name: str
    pid: int | None
    url: str
    health: str


def find(root: Path, name: str | None, profile: str | None) -> Sandbox:
    """Return the sandbox called ``name`` (default: as its profile) under ``root``.

    :raises UsageError: there is no such profile, or the sandbox exists with another one
    """
    known = _settings(root / name).get("profile") if name else None
    chosen = profile or known or "storage"
    if chosen not in PROFILES:
        raise UsageError(
            f"there is no sandbox profile called {chosen}",
            hint=f"choose from {', '.join(PROFILES)}",
        )
    if known and known != chosen:
        raise UsageError(
            f"the sandbox {name} exists with the profile {known}, not {chosen}",
            hint="give it another --name, or remove it with: sandbox down --wipe",
        )
    return Sandbox(root.absolute(), name or chosen, PROFILES[chosen])


def up(sandbox: Sandbox, port_base: int | None, talk: Talk, trouble: Trouble | None = None) -> None:
    """Start what is not running and return when every service answers. Safe to repeat.

    :param trouble: what it is to suffer from now on; None for nothing
    :raises MachineError: a program, port, directory or file-system feature is missing
    """
    _make_state(sandbox)
    python = virtualenv.ensure(sandbox.root, sandbox.profile.requirements, talk)
    with _locked(sandbox):
        _stop_strays(sandbox)
        settings = _choose_settings(sandbox, port_base, is_troubled=trouble is not None)
        facts = _facts(sandbox, settings, python)
        for service in sandbox.profile.services:
            _render(sandbox, service, facts)
        talk("starting " + ", ".join(service.name for service in sandbox.profile.services))
        services = sandbox.profile.services
        began = datetime.now(UTC)
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda each: _bring_up(sandbox, each, facts), services))
        access = bootstrap.Access(
            auth_url=facts["auth_url"],
            admin_password=settings["secrets"]["admin_password"],
            service_password=settings["secrets"]["service_password"],
            tenant_password=settings["secrets"]["tenant_password"],
        )
        public, internal = (
            (_behind(sandbox, facts, 0), _behind(sandbox, facts, 1)) if trouble else (facts, facts)
        )
        write_private(
            sandbox.clouds_yaml,
            _yaml(bootstrap.clouds(access, public["auth_url"], sandbox.profile.tempest)),
        )
        write_private(sandbox.accounts_yaml, _yaml(bootstrap.accounts(access)))
        catalogue = tuple(
            bootstrap.CatalogueEntry(
                each.name,
                each.service_type,
                each.endpoint.format(**internal),
                each.endpoint.format(**public),
                each.roles,
            )
            for each in services
        )
        _set_front(sandbox, trouble, facts)
        _once(
            sandbox,
            "catalogue",
            repr(catalogue),
            lambda: _repopulate(sandbox, lambda: bootstrap.populate(access, catalogue)),
        )
        late = [each for each in services if each.needs_catalogue]
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda each: _serve(sandbox, each, facts), late))
        try:
            bootstrap.furnish(access, [each.name for each in services], began)
        except bootstrap.NotReadyError as error:
            raise MachineError(
                str(error), hint=f"read the logs in {sandbox.state / 'log'}"
            ) from error
        if trouble:
            suffer(sandbox, trouble)


def suffer(sandbox: Sandbox, trouble: Trouble) -> None:
    """Change what a sandbox that has a front suffers; its services go on running.

    :raises UsageError: it has none
    """
    if not daemon.running(sandbox.pid_file(FRONT.name)):
        raise UsageError(f"nothing stands before the sandbox {sandbox.name}")
    path = sandbox.state / "run" / "front.json"
    settings = json.loads(path.read_text())
    _apply(sandbox, path, {**settings, "broken": dict(trouble.broken)})


def asked(sandbox: Sandbox) -> int:
    """Return how many requests have come to a sandbox's front since it stands there."""
    return int((sandbox.state / "run" / "front.json.asked").read_text())


def down(sandbox: Sandbox) -> int:
    """Stop every process of ``sandbox`` and return how many there were."""
    if not sandbox.state.exists():
        return 0
    with _locked(sandbox):
        processes = daemon.marked(sandbox.state)
        daemon.stop(processes)
        for pid_file in (sandbox.state / "run").glob("*.pid"):
            pid_file.unlink(missing_ok=True)
    return len(processes)


def wipe(sandbox: Sandbox) -> int:
    """As :func:`down`, and remove everything the sandbox holds."""
    count = down(sandbox)
    shutil.rmtree(sandbox.state, ignore_errors=True)
    return count


def status(sandbox: Sandbox) -> tuple[DaemonStatus, ...]:
    """Say of each daemon whether it runs and answers."""
    ports = _settings(sandbox.state).get("ports", {})
    found = []
    for each in sandbox.profile.daemons:
        process = daemon.running(sandbox.pid_file(each.name))
        url = f"http://{HOST}:{ports[each.name]}{each.health}" if each.name in ports else ""
        health = _health(url) if process else "stopped"
        found.append(DaemonStatus(each.name, process.pid if process else None, url, health))
    return tuple(found)


def is_up(sandbox: Sandbox) -> bool:
    return all(each.health == "ok" for each in status(sandbox))


# -- state ----------------------------------------------------------------------------------------


def _make_state(sandbox: Sandbox) -> None:
    try:
        for part in ("conf", "data", "log", "run", "steps"):
            (sandbox.state / part).mkdir(parents=True, exist_ok=True, mode=0o700)
        sandbox.state.chmod(0o700)
        if any(service.needs_xattr for service in sandbox.profile.services):
            os.setxattr(sandbox.state / "data", "user.refstack", b"1")
    except OSError as error:
        if error.errno == errno.ENOTSUP:
            problem = "has no extended attributes, which Swift needs"
        else:
            problem = f"cannot be written: {error.strerror}"
        raise MachineError(
            f"{sandbox.state} {problem}", hint="choose another place with --root DIRECTORY"
        ) from error


@contextlib.contextmanager
def _locked(sandbox: Sandbox) -> Iterator[None]:
    with fasteners.InterProcessLock(sandbox.root / f"{sandbox.name}.lock"):
        yield


def _settings(state: Path) -> dict[str, Any]:
    return read_json(state / "sandbox.json", default={})


def _choose_settings(
    sandbox: Sandbox, port_base: int | None, *, is_troubled: bool
) -> dict[str, Any]:
    """Keep the ports and secrets of an earlier start as far as they can be kept."""
    names = [each.name for each in sandbox.profile.daemons]
    fronts = [door for each in sandbox.profile.services for door in doors(each)]
    settings = _settings(sandbox.state)
    alive = {name for name in names if daemon.running(sandbox.pid_file(name))}
    ports: dict[str, int] = settings.get("ports", {})
    if port_base is not None:
        wanted = {name: port_base + offset for offset, name in enumerate(names)}
        if alive and wanted.items() - ports.items():
            raise UsageError(
                f"the sandbox {sandbox.name} is up on other ports",
                hint="stop it first: refstack-client sandbox down",
            )
        ports = ports | wanted
        for name in (name for name in names if name not in alive):
            if not _is_free(ports[name]):
                raise MachineError(
                    f"the port of {name}, {ports[name]} on {HOST}, is taken",
                    hint="choose another --port-base, or leave it out to have free ports chosen",
                )
    elif not alive and not (ports and all(map(_is_free, ports.values()))):
        ports = dict(zip(names, _free_ports(len(names)), strict=True))
    if is_troubled and not ports.keys() >= set(fronts):
        ports = ports | dict(zip(fronts, _free_ports(len(fronts), ports.values()), strict=True))
    settings = {
        "profile": sandbox.profile.name,
        "ports": ports,
        "secrets": settings.get("secrets") or _new_secrets(),
    }
    write_private(sandbox.state / "sandbox.json", json.dumps(settings, indent=2))
    return settings


def _new_secrets() -> dict[str, str]:
    return {
        "admin_password": secrets.token_urlsafe(12) + _AWKWARD + secrets.token_urlsafe(4),
        "tenant_password": secrets.token_urlsafe(12) + _AWKWARD + secrets.token_urlsafe(4),
        # These two stand in configuration files that have quoting rules of their own.
        "service_password": secrets.token_hex(16),
        "swift_hash_prefix": secrets.token_hex(8),
        "swift_hash_suffix": secrets.token_hex(8),
    }


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def _free_ports(count: int, taken: Collection[int] = ()) -> list[int]:
    """Return ports that nobody listens at; ``taken`` are those of whom does not listen yet."""
    with contextlib.ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count + len(taken))]
        for probe in probes:
            probe.bind((HOST, 0))
        found = (probe.getsockname()[1] for probe in probes)
        return [port for port in found if port not in taken][:count]


def _facts(sandbox: Sandbox, settings: Mapping[str, Any], python: Path) -> dict[str, Any]:
    return {
        "python": python,
        "prefix": python.parent.parent,
        "programs": Path(__file__).parent / "programs",
        "conf": sandbox.state / "conf",
        "data": sandbox.state / "data",
        "run": sandbox.state / "run",
        "host": HOST,
        "user": getpass.getuser(),
        "group": grp.getgrgid(os.getgid()).gr_name,
        "port": settings["ports"],
        "secrets": settings["secrets"],
        "locks_out": LOCKOUT in sandbox.profile.tempest,
        "auth_url": f"http://{HOST}:{settings['ports']['keystone']}/v3",
    }


def _render(sandbox: Sandbox, service: Service, facts: Mapping[str, Any]) -> None:
    templates = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - configuration files, not HTML
    )
    for name in service.templates:
        text = templates.get_template(name).render(facts)
        write_private(sandbox.state / "conf" / name, text)


def _behind(sandbox: Sandbox, facts: Mapping[str, Any], door: int) -> dict[str, Any]:
    """Return the facts as they are for whoever comes to the services through the front.

    :param door: which of a service's two (:func:`.profile.doors`)
    """
    ports = dict(facts["port"])
    for each in sandbox.profile.services:
        ports[each.public.name] = ports[doors(each)[door]]
    return {**facts, "port": ports, "auth_url": f"http://{HOST}:{ports['keystone']}/v3"}


# -- processes ------------------------------------------------------------------------------------


def _bring_up(sandbox: Sandbox, service: Service, facts: Mapping[str, Any]) -> None:
    for name in service.directories:
        (sandbox.state / "data" / name).mkdir(parents=True, exist_ok=True)
    schema = [step for step in service.steps if step.is_schema]
    is_new = not any((sandbox.state / "steps" / step.name).exists() for step in schema)
    if is_new and schema_cache.give(facts["prefix"], service, facts["data"]):
        for step in schema:
            _once(sandbox, step.name, _given(step, facts), lambda: None)
    for step in schema:
        _run_step(sandbox, step, facts)
    if is_new:
        schema_cache.keep(facts["prefix"], service, facts["data"])
    for step in service.steps:
        _run_step(sandbox, step, facts)
    if not service.needs_catalogue:
        _serve(sandbox, service, facts)


def _serve(sandbox: Sandbox, service: Service, facts: Mapping[str, Any]) -> None:
    for each in service.daemons:
        if not daemon.running(sandbox.pid_file(each.name)):
            _start(sandbox, each, facts)
    for each in service.daemons:
        _wait_until_healthy(sandbox, each, facts)


def _set_front(sandbox: Sandbox, trouble: Trouble | None, facts: Mapping[str, Any]) -> None:
    """Have the front stand before the services as ``trouble`` says.

    Where there is to be none, one that is there stays, and does nothing: services remember where
    they found each other for as long as they run.
    """
    running = daemon.running(sandbox.pid_file(FRONT.name))
    if trouble is None:
        if running:
            suffer(sandbox, Trouble())
        return
    ports = facts["port"]
    openings = [
        {
            "service": each.name,
            "port": ports[door],
            "to": ports[each.public.name],
            "public": public,
            "latency": trouble.latency if public else 0,
        }
        for each in sandbox.profile.services
        for door, public in zip(doors(each), (True, False), strict=True)
    ]
    # Nothing is broken before everything is up.
    settings = {"host": HOST, "doors": openings, "broken": {}}
    path = facts["run"] / "front.json"
    if not running:
        write_text(path, json.dumps(settings))
        _start(sandbox, FRONT, facts)
    _apply(sandbox, path, settings)


def _apply(sandbox: Sandbox, path: Path, settings: Mapping[str, Any]) -> None:
    """Give the front its settings; return once they hold."""
    write_text(path, json.dumps(settings))

    def holds() -> bool:
        if not daemon.running(sandbox.pid_file(FRONT.name)):
            raise MachineError(
                f"what stands before the services ended: {_last_line(sandbox.log(FRONT.name))}",
                hint=f"read {sandbox.log(FRONT.name)}",
            )
        applied = path.with_suffix(".json.applied")
        return applied.exists() and applied.read_text() == str(path.stat().st_mtime_ns)

    tenacity.Retrying(
        retry=tenacity.retry_if_result(lambda done: not done),
        stop=tenacity.stop_after_delay(SECONDS_TO_HEALTH),
        wait=tenacity.wait_fixed(0.1),
    )(holds)


def _repopulate(sandbox: Sandbox, run: Callable[[], None]) -> None:
    """Change the catalogue; what looked into it when it started is to do so again."""
    run()
    for service in sandbox.profile.services:
        for each in service.daemons if service.needs_catalogue else ():
            process = daemon.running(sandbox.pid_file(each.name))
            if process:
                daemon.stop([process, *process.children(recursive=True)])


def _run_step(sandbox: Sandbox, step: Step, facts: Mapping[str, Any]) -> None:
    argv, stdin = _command(step, facts)

    def run() -> None:
        with sandbox.log(step.name).open("ab") as log:
            outcome = subprocess.run(
                argv,
                input=stdin.encode(),
                stdout=log,
                stderr=log,
                env=_environ(sandbox),
                check=False,
            )
        if outcome.returncode not in step.done:
            raise MachineError(
                f"{step.name} failed with status {outcome.returncode}: "
                f"{_last_line(sandbox.log(step.name))}",
                hint=f"read {sandbox.log(step.name)}; sandbox down --wipe starts over",
            )

    _once(sandbox, step.name, _given(step, facts), run)


def _command(step: Step, facts: Mapping[str, Any]) -> tuple[list[str], str]:
    argv = [text.format(**facts) for text in step.argv]
    stdin = {key: text.format(**facts) for key, text in step.stdin.items()}
    return argv, json.dumps(stdin)


def _given(step: Step, facts: Mapping[str, Any]) -> str:
    return repr(_command(step, facts))


def _once(sandbox: Sandbox, name: str, given: str, run: Callable[[], None]) -> None:
    """Call ``run`` unless it was done before with the same ``given``."""
    marker = sandbox.state / "steps" / name
    digest = hashlib.sha256(given.encode()).hexdigest()
    if marker.exists() and marker.read_text() == digest:
        return
    run()
    write_text(marker, digest)


def _start(sandbox: Sandbox, each: Daemon, facts: Mapping[str, Any]) -> None:
    daemon.start(
        [text.format(**facts) for text in each.argv],
        {
            **_environ(sandbox),
            **{key: text.format(**facts) for key, text in each.environ.items()},
        },
        sandbox.state,
        sandbox.pid_file(each.name),
        sandbox.log(each.name),
    )


def _environ(sandbox: Sandbox) -> dict[str, str]:
    """The caller's environment is not handed on: it may hold passwords (OS_PASSWORD)."""
    kept = {key: os.environ[key] for key in ("PATH", "TMPDIR") if key in os.environ}
    return {**kept, "LANG": "C.UTF-8", "PYTHONWARNINGS": "ignore", "HOME": str(sandbox.state)}


def _stop_strays(sandbox: Sandbox) -> None:
    """End processes whose pid file was never written because an earlier start was killed."""
    kept: set[int] = set()
    for each in (*sandbox.profile.daemons, FRONT):
        process = daemon.running(sandbox.pid_file(each.name))
        if process:
            kept |= {process.pid, *(child.pid for child in process.children(recursive=True))}
    daemon.stop(process for process in daemon.marked(sandbox.state) if process.pid not in kept)


def _wait_until_healthy(sandbox: Sandbox, each: Daemon, facts: Mapping[str, Any]) -> None:
    url = f"http://{HOST}:{facts['port'][each.name]}{each.health}"

    def check() -> str:
        if not daemon.running(sandbox.pid_file(each.name)):
            raise MachineError(
                f"{each.name} ended: {_last_line(sandbox.log(each.name))}",
                hint=f"read {sandbox.log(each.name)}; if its port was taken meanwhile, "
                "sandbox down and up chooses another",
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
            f"{each.name} does not answer at {url}: {error.last_attempt.result()}",
            hint=f"read {sandbox.log(each.name)}",
        ) from error


def _health(url: str) -> str:
    session = requests.Session()
    session.trust_env = False  # a proxy does not lead to loopback
    try:
        response = session.get(url, timeout=5)
    except requests.RequestException as error:
        return f"no answer ({type(error).__name__})"
    return "ok" if response.status_code < 500 else f"HTTP {response.status_code}"


def _last_line(path: Path) -> str:
    lines = path.read_text(errors="replace").strip().splitlines() if path.exists() else []
    return lines[-1] if lines else "it said nothing"


def _yaml(document: Any) -> str:
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True)
