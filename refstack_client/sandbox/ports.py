"""Choose ports on loopback for the daemons of a sandbox."""

import contextlib
import socket
from collections.abc import Collection, Mapping, Sequence

from refstack_client.errors import MachineError, UsageError
from refstack_client.sandbox import daemon
from refstack_client.sandbox.deployment import HOST
from refstack_client.sandbox.state import Sandbox

_LAST_PORT = 65535


def choose(
    sandbox: Sandbox,
    recorded: Mapping[str, int],
    port_base: int | None,
    proxy_ports: Sequence[str] = (),
) -> dict[str, int]:
    """Return a port for each daemon, those of an earlier start where they are still free.

    :param recorded: ports of the earlier start, by name
    :param port_base: the first of consecutive ports for the daemons; None to choose free ones
    :param proxy_ports: names of the ports of the fault proxy
    :raises UsageError: the daemons run on other ports, or there are no such ports
    :raises MachineError: another process uses one of the ports
    """
    names = [model.name for model in sandbox.profile.daemons]
    alive = {name for name in names if daemon.running(sandbox.pid_file(name))}
    ports = dict(recorded)
    if port_base is not None:
        ports |= _consecutive(sandbox, names, port_base)
        if alive and any(recorded.get(name) != ports[name] for name in names):
            raise UsageError(
                f"the sandbox {sandbox.name} is running on other ports",
                hint=f"stop it first: {sandbox.command('down')}",
            )
        for name in names:
            if name not in alive and not is_free(ports[name]):
                raise MachineError(
                    f"cannot bind to port {ports[name]} on {HOST} for {name}: "
                    "another process uses it",
                    hint="choose another --port-base, or leave it out to use free ports",
                )
    elif not alive and not all(map(is_free, ports.values())):
        ports = {}
    missing = [name for name in (*names, *proxy_ports) if name not in ports]
    return ports | dict(zip(missing, free_ports(len(missing), ports.values()), strict=True))


def is_free(port: int) -> bool:
    """Return whether a daemon can bind to ``port``."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def free_ports(count: int, taken: Collection[int] = ()) -> list[int]:
    """Return ``count`` free ports.

    :param taken: ports to leave out, because a daemon that has not started yet will use them
    """
    with contextlib.ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count + len(taken))]
        for probe in probes:
            probe.bind((HOST, 0))
        candidates = (probe.getsockname()[1] for probe in probes)
        return [port for port in candidates if port not in taken][:count]


def _consecutive(sandbox: Sandbox, names: Sequence[str], port_base: int) -> dict[str, int]:
    last = _LAST_PORT - len(names) + 1
    if not 1 <= port_base <= last:
        raise UsageError(
            f"--port-base {port_base} is not valid: the profile {sandbox.profile.name} needs "
            f"{len(names)} ports up to {_LAST_PORT}",
            hint=f"choose a number from 1024 to {last}",
        )
    return {name: port_base + offset for offset, name in enumerate(names)}
