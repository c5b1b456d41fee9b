"""What a sandbox is made of: profiles, services, daemons, as tables.

Texts in ``argv``, ``environ`` and ``stdin`` are ``str.format`` templates over the sandbox's facts:
{python}, {conf}, {data}, {programs}, {host}, {port[NAME]}, {auth_url},
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
    needs_xattr: bool = False


@dataclass(frozen=True)
class Profile:
    """A set of services; ``requirements/<name>.txt`` lists what is installed for it."""

    name: str
    services: tuple[Service, ...]

    @property
    def daemons(self) -> tuple[Daemon, ...]:
        return tuple(daemon for service in self.services for daemon in service.daemons)


def _uwsgi(name: str, module: str, threads: int) -> tuple[str, ...]:
    return (
        *("{python}", "-c", "import pyuwsgi; pyuwsgi.run()"),
        *("--http-socket", f"{{host}}:{{port[{name}]}}", "--module", module),
        *("--master", "--processes", "1", "--threads", str(threads), "--enable-threads"),
        *("--lazy-apps", "--need-app", "--die-on-term", "--buffer-size", "65535"),
        *("--http-chunked-input", "--http-auto-chunked", "--http-raw-body"),
        *("--disable-logging", "--add-header", "Connection: close"),
    )


def _keystone_manage(*command: str) -> tuple[str, ...]:
    program = "from keystone.cmd.manage import main; main()"
    return ("{python}", "-c", program, "--config-file", "{conf}/keystone.conf", *command)


_OWNER = ("--keystone-user", "{user}", "--keystone-group", "{group}")

KEYSTONE = Service(
    name="keystone",
    templates=("keystone.conf",),
    steps=(
        Step("keystone-db", _keystone_manage("db_sync")),
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
)

PROFILES = {profile.name: profile for profile in (Profile("storage", (KEYSTONE, SWIFT)),)}
