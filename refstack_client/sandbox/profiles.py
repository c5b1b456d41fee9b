"""The profiles of a sandbox, as tables: services, daemons, preparation steps.

:mod:`.service_model` describes the fields and the templates.
"""

from dataclasses import replace

from refstack_client.errors import UsageError
from refstack_client.sandbox.service_model import LOCKOUT, Daemon, Profile, Service, Step


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
                "password": "{secrets.admin_password}",
                "url": "{auth_url}",
            },
        ),
    ),
    daemons=(
        Daemon(
            "keystone",
            # One thread: SQLite refuses a transaction that read before another one wrote,
            # whatever the timeout ("database is locked"). Every first sign-in may be one.
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
    serves_files=True,
    directories=("swift/d1",),
)


def _main(module: str, *arguments: str) -> tuple[str, ...]:
    """Return the command line of a project's ``main()``, which ``python -m`` cannot always run."""
    program = f"import sys; from {module} import main; sys.exit(main())"
    return ("{python}", "-c", program, *arguments)


def _schema(
    names: tuple[str, ...], *syncs: tuple[str, ...], done: tuple[int, ...] = (0,)
) -> tuple[Step, ...]:
    """Return the steps that create a service's databases.

    :param names: of the databases; the steps are called after the last one
    :param syncs: the commands that migrate them
    :param done: exit statuses of success
    """
    service = names[-1]
    paths = (f"{{data}}/{name}.sqlite" for name in names)
    steps = [
        Step(f"{service}-db-{number}", argv, done=done, is_schema=True)
        for number, argv in enumerate(syncs, start=1)
    ]
    wal = ("{python}", "{programs}/sqlite_wal.py", *paths)
    return (*steps, Step(f"{service}-wal", wal, is_schema=True))


def _application(name: str) -> dict[str, str]:
    """Return the environment for ``sandbox_api.py`` to serve an application (module:attribute)."""
    return {"PYTHONPATH": "{programs}", "SANDBOX_APPLICATION": name}


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
            _uwsgi("glance", "sandbox_api:application", 6),
            environ={
                **_application("glance.wsgi.api:application"),
                "OS_GLANCE_CONFIG_DIR": "{conf}",
            },
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
            _uwsgi("placement", "sandbox_api:application", 4),
            environ={
                **_application("placement.wsgi.api:application"),
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
            _uwsgi("neutron", "sandbox_api:application", 8),
            environ={
                **_application("neutron.wsgi.api:application"),
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
                # uWSGI splits the arguments at spaces, which a path may have.
                *("--chdir", "{conf}", "--pyargv", "--config-file cinder.conf"),
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
            done=(0, 2),  # 2: nova-manage found an existing cell
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

_FAST = tuple(
    f"{section}.build_interval=0" for section in ("compute", "image", "network", "volume")
)
"""Servers and volumes are ready in a fraction of the second that Tempest waits between polls."""
_TEMPEST = (LOCKOUT, *_FAST)
_COMPUTE = (KEYSTONE, GLANCE, PLACEMENT, NEUTRON, CINDER, NOVA)
PROFILES = {
    profile.name: profile
    for profile in (
        Profile("storage", (KEYSTONE, SWIFT), "storage"),
        Profile("compute", _COMPUTE, "platform", _TEMPEST),
        Profile("platform", (*_COMPUTE, SWIFT), "platform", _TEMPEST),
    )
}
"""By name, what a sandbox can be made of."""

_GUESTS = tuple(
    f"validation.{setting}"
    for setting in (
        *("run_validation=true", "connect_method=floating"),
        *("image_ssh_user=root", "image_alt_ssh_user=root"),
        "ssh_key_type=rsa",  # of the keys that Nova generates
    )
)


def with_guests(profile: Profile) -> Profile:
    """Return ``profile`` with servers that have guests.

    :raises UsageError: the profile has no servers
    """
    if NOVA not in profile.services:
        raise UsageError(
            f"the sandbox profile {profile.name} has no servers, so it has no guests",
            hint="choose --profile compute or --profile platform with --guests",
        )
    return replace(profile, tempest=(*profile.tempest, *_GUESTS), guests=True)
