"""What a sandbox is made of: profiles, services, daemons, as tables.

Texts in ``argv``, ``environ`` and ``stdin`` are ``str.format`` templates over the sandbox's facts:
{python}, {prefix}, {conf}, {data}, {programs}, {host}, {port[NAME]}, {auth_url},
{user}, {group} and {secrets[NAME]}.
Secrets belong in ``stdin`` and in configuration files, never in ``argv`` or ``environ``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Step:
    """A command that prepares state; run again only when what it is given changes."""

    name: str
    argv: tuple[str, ...]
    stdin: Mapping[str, str] = field(default_factory=dict)
    """Sent as one JSON document."""
    done: tuple[int, ...] = (0,)
    """Statuses of success; some say that there was nothing to do."""
    is_schema: bool = False
    """It makes nothing but empty databases, which another sandbox can start with."""


@dataclass(frozen=True)
class Daemon:
    """A process that serves HTTP on ``{port[name]}``; healthy when ``health`` answers below 500."""

    name: str
    argv: tuple[str, ...]
    environ: Mapping[str, str] = field(default_factory=dict)
    health: str = "/healthcheck"


@dataclass(frozen=True)
class Service:
    """One OpenStack project: configuration, preparation, processes and catalogue entry."""

    name: str
    templates: tuple[str, ...]
    steps: tuple[Step, ...]
    daemons: tuple[Daemon, ...]
    service_type: str
    endpoint: str
    roles: tuple[str, ...] = ()
    """Roles its policy knows beyond Keystone's own."""
    databases: tuple[str, ...] = ()
    """{data}/NAME.sqlite."""
    needs_xattr: bool = False
    needs_catalogue: bool = False
    """It looks for others as it starts, so it starts once the catalogue has them."""
    directories: tuple[str, ...] = ()
    """Below {data}."""

    @property
    def public(self) -> Daemon:
        """The process that others reach it by."""
        return self.daemons[-1]


@dataclass(frozen=True)
class Profile:
    """A set of services; ``requirements/<requirements>.txt`` lists what is installed for it."""

    name: str
    services: tuple[Service, ...]
    requirements: str
    tempest: tuple[str, ...] = ()
    """What Tempest must be told of it, for nobody could find it out."""

    @property
    def daemons(self) -> tuple[Daemon, ...]:
        return tuple(daemon for service in self.services for daemon in service.daemons)


FRONT = Daemon("front", ("{python}", "{programs}/fault_proxy.py", "{run}/front.json"))
"""Stands before the services where there is trouble (:mod:`.trouble`)."""


def doors(service: Service) -> tuple[str, str]:
    """Return the names of the ports at which it stands: for everybody, and for other services."""
    return f"front-{service.public.name}", f"inner-{service.public.name}"


def _uwsgi(name: str, module: str, threads: int, *more: str) -> tuple[str, ...]:
    return (
        *("{python}", "-c", "import pyuwsgi; pyuwsgi.run()"),
        *("--http-socket", f"{{host}}:{{port[{name}]}}", "--module", module),
        *("--master", "--processes", "1", "--threads", str(threads), "--enable-threads"),
        *("--lazy-apps", "--need-app", "--die-on-term", "--buffer-size", "65535"),
        *("--http-chunked-input", "--http-auto-chunked", "--http-raw-body"),
        *("--disable-logging", "--add-header", "Connection: close"),
        *more,
    )


def _keystone_manage(*command: str) -> tuple[str, ...]:
    program = "from keystone.cmd.manage import main; main()"
    return ("{python}", "-c", program, "--config-file", "{conf}/keystone.conf", *command)


_OWNER = ("--keystone-user", "{user}", "--keystone-group", "{group}")

KEYSTONE = Service(
    name="keystone",
    databases=("keystone",),
    templates=("keystone.conf",),
    steps=(
        Step("keystone-db", _keystone_manage("db_sync"), is_schema=True),
        Step("keystone-fernet", _keystone_manage("fernet_setup", *_OWNER)),
        Step("keystone-credential", _keystone_manage("credential_setup", *_OWNER)),
        Step(
            "keystone-bootstrap",
            ("{python}", "{programs}/keystone_bootstrap.py"),
            stdin={
                "config": "{conf}/keystone.conf",
                "password": "{secrets[admin_password]}",
                "url": "{auth_url}",
            },
        ),
    ),
    daemons=(
        Daemon(
            "keystone",
            # One thread: SQLite refuses a transaction that read before another one wrote, at
            # once and whatever the timeout ("database is locked"), as every first sign-in may.
            _uwsgi("keystone", "keystone.wsgi.api:application", threads=1),
            environ={
                "OS_KEYSTONE_CONFIG_DIR": "{conf}",
                "OS_KEYSTONE_CONFIG_FILES": "keystone.conf",
            },
            health="/v3",
        ),
    ),
    service_type="identity",
    endpoint="{auth_url}",
    directories=("keystone",),
)

_SWIFT_SERVERS = ("account", "container", "object", "proxy")

SWIFT = Service(
    name="swift",
    templates=("swift.conf", *(f"{server}-server.conf" for server in _SWIFT_SERVERS)),
    steps=(
        Step(
            "swift-rings",
            (
                *("{python}", "{programs}/swift_rings.py", "{conf}", "{host}"),
                *(f"{ring}={{port[swift-{ring}]}}" for ring in ("account", "container", "object")),
            ),
        ),
    ),
    daemons=tuple(
        Daemon(
            f"swift-{server}",
            ("{python}", "{programs}/swift_server.py", "{conf}", server),
        )
        for server in _SWIFT_SERVERS
    ),
    service_type="object-store",
    endpoint="http://{host}:{port[swift-proxy]}/v1/AUTH_%(project_id)s",
    roles=("SwiftOperator", "ResellerAdmin"),
    needs_xattr=True,
    directories=("swift/d1",),
)


def _main(module: str, *arguments: str) -> tuple[str, ...]:
    """Return a command of a project, which is a function and not always a module to run."""
    program = f"import sys; from {module} import main; sys.exit(main())"
    return ("{python}", "-c", program, *arguments)


def _schema(
    names: tuple[str, ...], *syncs: tuple[str, ...], done: tuple[int, ...] = (0,)
) -> tuple[Step, ...]:
    """Return the steps that make a service's databases; the last of ``names`` is the service's."""
    service = names[-1]
    paths = (f"{{data}}/{name}.sqlite" for name in names)
    steps = [
        Step(f"{service}-db-{number}", argv, done=done, is_schema=True)
        for number, argv in enumerate(syncs, start=1)
    ]
    wal = ("{python}", "{programs}/sqlite_wal.py", *paths)
    return (*steps, Step(f"{service}-wal", wal, is_schema=True))


def _patient(application: str) -> dict[str, str]:
    return {"PYTHONPATH": "{programs}", "SANDBOX_APPLICATION": application}


GLANCE = Service(
    name="glance",
    templates=("glance-api.conf",),
    directories=("glance/images", "glance/staging", "glance/tasks", "locks"),
    databases=("glance",),
    steps=_schema(
        ("glance",),
        _main("glance.cmd.manage", "--config-file", "{conf}/glance-api.conf", "db_sync"),
    ),
    daemons=(
        Daemon(
            "glance",
            _uwsgi("glance", "patient_api:application", 6),
            environ={**_patient("glance.wsgi.api:application"), "OS_GLANCE_CONFIG_DIR": "{conf}"},
            health="/",
        ),
    ),
    service_type="image",
    endpoint="http://{host}:{port[glance]}",
)

PLACEMENT = Service(
    name="placement",
    templates=("placement.conf",),
    databases=("placement",),
    steps=_schema(
        ("placement",),
        _main("placement.cmd.manage", "--config-file", "{conf}/placement.conf", "db", "sync"),
    ),
    daemons=(
        Daemon(
            "placement",
            _uwsgi("placement", "patient_api:application", 4),
            environ={
                **_patient("placement.wsgi.api:application"),
                "OS_PLACEMENT_CONFIG_DIR": "{conf}",
            },
            health="/",
        ),
    ),
    service_type="placement",
    endpoint="http://{host}:{port[placement]}",
)

NEUTRON = Service(
    name="neutron",
    templates=("neutron.conf",),
    directories=("neutron", "locks"),
    databases=("neutron",),
    steps=_schema(
        ("neutron",),
        ("{python}", "{programs}/neutron_schema.py", "sqlite:///{data}/neutron.sqlite"),
    ),
    daemons=(
        Daemon(
            "neutron",
            _uwsgi("neutron", "patient_api:application", 8),
            environ={
                **_patient("neutron.wsgi.api:application"),
                "OS_NEUTRON_CONFIG_DIR": "{conf}",
                "OS_NEUTRON_CONFIG_FILES": "neutron.conf",
            },
            health="/",
        ),
    ),
    service_type="network",
    endpoint="http://{host}:{port[neutron]}",
)

CINDER = Service(
    name="cinder",
    templates=("cinder.conf",),
    directories=("cinder/coordination", "locks"),
    databases=("cinder",),
    steps=_schema(
        ("cinder",), _main("cinder.cmd.manage", "--config-file", "{conf}/cinder.conf", "db", "sync")
    ),
    daemons=(
        Daemon(
            "cinder",
            _uwsgi(
                *("cinder", "cinder_all:application", 6),
                *("--pyargv", "--config-file {conf}/cinder.conf"),
            ),
            environ={"PYTHONPATH": "{programs}"},
            health="/",
        ),
    ),
    service_type="block-storage",
    endpoint="http://{host}:{port[cinder]}/v3",
    needs_catalogue=True,
)


def _nova_manage(*command: str) -> tuple[str, ...]:
    return _main("nova.cmd.manage", "--config-file", "{conf}/nova.conf", *command)


_NOVA_DATABASES = ("nova_api", "nova_cell0", "nova")

NOVA = Service(
    name="nova",
    templates=("nova.conf",),
    directories=("nova/instances", "locks"),
    databases=_NOVA_DATABASES,
    steps=(
        *_schema(
            _NOVA_DATABASES,
            _nova_manage("api_db", "sync"),
            _nova_manage(
                *("cell_v2", "map_cell0", "--database_connection"),
                "sqlite:///{data}/nova_cell0.sqlite?timeout=60",
            ),
            _nova_manage("db", "sync"),
            _nova_manage(
                *("cell_v2", "create_cell", "--name", "cell1", "--database_connection"),
                "sqlite:///{data}/nova.sqlite?timeout=60",
                *("--transport-url", "fake:/"),
            ),
            done=(0, 2),  # nova-manage's "there is one already"
        ),
        Step("nova-cells", ("{python}", "{programs}/nova_cells.py", "{data}")),
    ),
    daemons=(
        Daemon(
            "nova",
            _uwsgi("nova", "nova_all:application", 8),
            environ={
                "PYTHONPATH": "{programs}",
                "OS_NOVA_CONFIG_DIR": "{conf}",
                "OS_NOVA_CONFIG_FILES": "{prefix}/etc/nova/api-paste.ini;nova.conf",
            },
            health="/",
        ),
    ),
    service_type="compute",
    endpoint="http://{host}:{port[nova]}/v2.1",
    needs_catalogue=True,
)

LOCKOUT = "identity-feature-enabled.security_compliance=true"
"""Keystone locks users out who give wrong passwords, and remembers old ones."""
_AT_ONCE = tuple(
    f"{section}.build_interval=0" for section in ("compute", "image", "network", "volume")
)
"""Servers and volumes are there in a fraction of the second Tempest waits between two looks."""
_TEMPEST = (LOCKOUT, *_AT_ONCE)
_COMPUTE = (KEYSTONE, GLANCE, PLACEMENT, NEUTRON, CINDER, NOVA)
PROFILES = {
    profile.name: profile
    for profile in (
        Profile("storage", (KEYSTONE, SWIFT), "storage"),
        Profile("compute", _COMPUTE, "platform", _TEMPEST),
        Profile("platform", (*_COMPUTE, SWIFT), "platform", _TEMPEST),
    )
}
