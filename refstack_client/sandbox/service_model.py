"""What a profile is made of: services with their steps, daemons and catalogue entries.

Texts in ``argv``, ``environ``, ``stdin`` and ``endpoint`` are ``str.format`` templates over a
:class:`.deployment.Deployment`: {python}, {prefix}, {conf}, {data}, {run}, {programs}, {host},
{port[NAME]}, {auth_url}, {user}, {group} and {secrets.NAME}.
Secrets belong in ``stdin`` and in configuration files, never in ``argv`` or ``environ``: other
users of the machine can read those.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

LOCKOUT = "identity-feature-enabled.security_compliance=true"
"""The setting for Tempest of a profile whose Keystone locks users out after wrong passwords."""


@dataclass(frozen=True)
class Step:
    """A command that prepares state; it runs again only when its filled-in template changes."""

    name: str
    argv: tuple[str, ...]
    stdin: Mapping[str, str] = field(default_factory=dict, hash=False)
    """Sent as one JSON document."""
    done: tuple[int, ...] = (0,)
    """Exit statuses of success; some mean that there was nothing to do."""
    is_schema: bool = False
    """It only creates empty databases, which other sandboxes can copy."""


@dataclass(frozen=True)
class Daemon:
    """A process that serves HTTP on ``{port[name]}``.

    It is healthy when the path ``health`` answers with a status below 500.
    """

    name: str
    argv: tuple[str, ...]
    environ: Mapping[str, str] = field(default_factory=dict, hash=False)
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
    """Roles that its policy uses beyond Keystone's own."""
    databases: tuple[str, ...] = ()
    """Names of SQLite files: {data}/NAME.sqlite."""
    needs_xattr: bool = False
    """Its data needs a file system with extended attributes."""
    needs_catalogue: bool = False
    """It reads the service catalog as it starts, so it starts once the catalog is complete."""
    directories: tuple[str, ...] = ()
    """Directories below {data}."""
    serves_files: bool = False
    """Its responses can be files of users, which the proxy does not change."""

    @property
    def public(self) -> Daemon:
        """The daemon that serves its API."""
        return self.daemons[-1]


@dataclass(frozen=True)
class Profile:
    """A set of services; ``requirements/<requirements>.txt`` lists the packages to install."""

    name: str
    services: tuple[Service, ...]
    requirements: str
    tempest: tuple[str, ...] = ()
    """Settings for Tempest that it cannot discover."""
    guests: bool = False
    """Servers have guests, which can be logged in to."""

    @property
    def daemons(self) -> tuple[Daemon, ...]:
        """The daemons of all services, in the order of their start."""
        return tuple(daemon for service in self.services for daemon in service.daemons)
