"""Bring a sandbox up and down.

:mod:`.state` describes what a sandbox keeps, :mod:`.services` how it runs.
"""

import shutil
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial

from refstack_client.errors import MachineError, UsageError
from refstack_client.files import write_private
from refstack_client.sandbox import (
    bootstrap,
    certificates,
    client_view,
    credentials,
    daemon,
    fault_proxy,
    guest,
    ports,
    services,
    shapes,
    state,
    virtualenv,
)
from refstack_client.sandbox.client_view import ClientView
from refstack_client.sandbox.deployment import deployment
from refstack_client.sandbox.faults import Faults
from refstack_client.sandbox.guest import Guests
from refstack_client.sandbox.state import Report, Sandbox, Settings


def up(
    sandbox: Sandbox,
    port_base: int | None,
    report: Report,
    faults: Faults | None = None,
    shape_names: Sequence[str] = (),
) -> dict[str, str]:
    """Start what does not run and return when every service answers. Safe to repeat.

    Return the environment variables to use it with.

    :param port_base: the first of consecutive ports; None for those of the last start, or free ones
    :param report: receives lines of progress
    :param faults: what to inject from now on; None for nothing
    :param shape_names: the shapes that it has from now on
    :raises UsageError: it runs with other options that cannot be changed now, or it cannot have
        these shapes
    :raises MachineError: a program, port, directory or file-system feature is missing
    """
    shape = shapes.find(shape_names, [service.name for service in sandbox.profile.services])
    if shape_names and not faults:
        faults = Faults()
    state.create_directories(sandbox)
    python = virtualenv.ensure(sandbox.root, sandbox.profile.requirements, report)
    guests = guest.prepare(sandbox.root, sandbox.state, report) if sandbox.profile.guests else None
    with state.locked(sandbox):
        # A "down --wipe" may have removed them before this process got the lock.
        state.create_directories(sandbox)
        fault_proxy.refuse_earlier_version(sandbox)
        services.stop_orphans(sandbox)
        settings = _choose_settings(sandbox, port_base, faults, shape_names)
        place = deployment(sandbox, settings, python)
        began = datetime.now(UTC)
        view = ClientView(sandbox.profile, place, shape)
        _start(sandbox, view, report, faults)
        _create_test_resources(sandbox, view, began, guests)
        if faults:
            fault_proxy.inject(sandbox, faults)
    return {
        "OS_CLIENT_CONFIG_FILE": str(sandbox.clouds_yaml),
        "OS_CLOUD": "sandbox",
        **{name: place.fill(value) for name, value in shape.environ.items()},
    }


def down(sandbox: Sandbox) -> int:
    """Stop every process of ``sandbox`` and return how many there were.

    :raises MachineError: the directory of the sandbox cannot be written
    """
    if not sandbox.state.is_dir() and not daemon.marked(sandbox.state):
        return 0
    with state.locked(sandbox):
        return _stop(sandbox)


def wipe(sandbox: Sandbox) -> int:
    """Stop every process of ``sandbox``, and remove its directory. Return how many there were.

    :raises MachineError: it cannot be removed
    :raises UsageError: the directory holds other files than a sandbox's
    """
    if not state.is_sandbox_directory(sandbox.state):
        raise UsageError(
            f"{sandbox.state} is not a sandbox: it holds other files",
            hint="check --root and --name",
        )
    if not sandbox.state.is_dir():
        return down(sandbox)
    with state.locked(sandbox):
        count = _stop(sandbox)
        try:
            shutil.rmtree(sandbox.state)
        except OSError as error:
            raise MachineError(
                f"cannot remove {sandbox.state}: {error.strerror}",
                hint="check the owner and the permissions of the directory",
            ) from error
    return count


def _stop(sandbox: Sandbox) -> int:
    processes = daemon.marked(sandbox.state)
    daemon.stop(processes)
    for pid_file in (sandbox.state / "run").glob("*.pid"):
        pid_file.unlink(missing_ok=True)
    return len(processes)


def _choose_settings(
    sandbox: Sandbox, port_base: int | None, faults: Faults | None, shape_names: Sequence[str]
) -> Settings:
    """Return ports and secrets, those of an earlier start where possible, and record them."""
    recorded = state.load(sandbox)
    proxy_ports = client_view.port_names(sandbox.profile)
    known = {*(model.name for model in sandbox.profile.daemons), *proxy_ports}
    settings = Settings(
        sandbox.profile.name,
        ports.choose(
            sandbox,
            {name: port for name, port in recorded.ports.items() if name in known}
            if recorded
            else {},
            port_base,
            proxy_ports if faults or fault_proxy.process(sandbox) else (),
        ),
        recorded.secrets if recorded else state.new_secrets(),
        tuple(shape_names),
        sandbox.profile.guests,
    )
    state.save(sandbox, settings)
    return settings


def _start(sandbox: Sandbox, view: ClientView, report: Report, faults: Faults | None) -> None:
    """Start the services and write the catalog, through the fault proxy where there is one."""
    place, profile = view.deployment, view.profile.services
    for service in profile:
        place.configure(service)
    hosts = shapes.hosts()
    create_certificates = partial(certificates.create, place.conf, hosts)
    services.run_once(sandbox, "certificates", repr(hosts), create_certificates)
    verb = "running:" if services.is_up(sandbox) else "starting"
    report(f"{verb} {', '.join(service.name for service in profile)}")
    with ThreadPoolExecutor() as pool:
        list(pool.map(partial(services.bring_up, sandbox, deployment=place), profile))
    access = credentials.Access(place.auth_url, place.secrets)
    clouds = credentials.clouds_yaml(
        access,
        view.auth_url if faults else access.auth_url,
        sandbox.profile.tempest,
        {key: value and place.fill(value) for key, value in view.shape.clouds.items()},
    )
    write_private(sandbox.clouds_yaml, clouds)
    write_private(sandbox.accounts_yaml, credentials.accounts_yaml(access))
    fault_proxy.establish(sandbox, faults, view)
    for_services = fault_proxy.for_services(sandbox, place) if faults else place
    for_clients = fault_proxy.for_clients(sandbox, place) if faults else place
    catalogue = tuple(
        bootstrap.CatalogueEntry(
            service.name,
            service.service_type,
            for_services.fill(service.endpoint),
            for_clients.fill(service.endpoint),
            service.roles,
        )
        for service in profile
    )

    def populate() -> None:
        bootstrap.populate(access, catalogue)
        services.stop_catalogue_readers(sandbox)

    services.run_once(sandbox, "catalogue", repr(catalogue), populate)
    late = [service for service in profile if service.needs_catalogue]
    with ThreadPoolExecutor() as pool:
        list(pool.map(partial(services.serve, sandbox, deployment=place), late))


def _create_test_resources(
    sandbox: Sandbox, view: ClientView, began: datetime, guests: Guests | None
) -> None:
    access = credentials.Access(view.deployment.auth_url, view.deployment.secrets)
    names = [service.name for service in sandbox.profile.services]
    try:
        bootstrap.create_test_resources(access, names, began, view.shape, guests)
    except bootstrap.NotReadyError as error:
        raise MachineError(str(error), hint=f"read the logs in {sandbox.state / 'log'}") from error
