"""What a shape is made of: tables of what clients see, and how shapes are combined.

A shape makes the sandbox look like a cloud of another kind. :mod:`.shapes` has the table of them.
Texts in ``clouds`` and ``environ`` are ``str.format`` templates as in :mod:`.service_model`.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from refstack_client.errors import UsageError

FOREIGN_PORT = "foreign"
"""The port of services that belong to no profile."""
DEAD_PORT = "dead"
"""A port at which nothing listens."""
SHARED_PORT = "shared"
"""The port that services share where each has a path of its own."""
HTTP_PROXY_PORT = "http-proxy"
PORTS = (FOREIGN_PORT, DEAD_PORT, SHARED_PORT, HTTP_PROXY_PORT)

SAME_REGION = ""
"""The region in which the services of the sandbox work."""

Value = TypeVar("Value")


@dataclass(frozen=True)
class Mount:
    """Where clients find a service that is not at the root of a port of its own.

    ``endpoint`` is its path in the catalog. ``paths`` has the path at the service for each path
    that clients use; "{project_id}" is the project of the token.
    """

    endpoint: str
    paths: Mapping[str, str]
    port: str | None = None
    """The name of a port that it shares with others; None for its own."""


@dataclass(frozen=True)
class Answer:
    """The response to every request: a status and a JSON document. Status 0: it never comes."""

    status: int
    document: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class ForeignService:
    """A service in the catalog that belongs to no profile.

    ``url`` is a template: {foreign} is where ``answers`` are, which has them by path, and {dead}
    where nothing listens. Without a URL, the service has no endpoint.
    """

    name: str
    service_type: str
    answers: Mapping[str, Answer] = field(default_factory=dict)
    url: str | None = "{foreign}"
    interface: str = "public"
    region: str | None = SAME_REGION

    @property
    def path(self) -> str:
        """Its path at the port of foreign services."""
        return f"/{self.name or self.service_type}"


@dataclass(frozen=True)
class Flavor:
    """A public flavor: MiB of memory, GiB of disk. Nova chooses an ID where there is none."""

    name: str
    vcpus: int
    ram: int
    disk: int
    id: str | None = None


@dataclass(frozen=True)
class Image:
    """An image of the administrator's project. Its status is active, queued or deactivated."""

    name: str
    visibility: str = "public"
    format: str = "raw"
    status: str = "active"
    is_hidden: bool = False


@dataclass(frozen=True)
class Shape:
    """What clients see differently from the plain sandbox, which is ``Shape()``."""

    summary: str = ""
    services: tuple[str, ...] = ()
    """The services that it concerns; a sandbox that has none of them refuses it. None: all."""
    url: Mapping[str, str] = field(default_factory=dict)
    """``scheme`` and ``host`` of the URLs that clients see."""
    mounts: Mapping[str, Mount] = field(default_factory=dict)
    """By service."""
    regions: tuple[str, ...] = ()
    """Every region of the catalog; services work in the last."""
    dead: tuple[str, ...] = ()
    """Regions (except for identity, which regions share) and interfaces of unreachable URLs."""
    region_of: Mapping[str, str | None] = field(default_factory=dict)
    """The region of a service that is in another one than the others; None for no region."""
    foreign: tuple[ForeignService, ...] = ()
    limits: Mapping[str, int] = field(default_factory=dict)
    """Requests a second that a service accepts from clients; more are answered with 429."""
    roles: Mapping[str, str | None] = field(default_factory=dict)
    """The names of roles for clients, by name in Keystone; None for a role that they do not see."""
    flavors: tuple[Flavor, ...] = ()
    """Instead of those of the plain sandbox."""
    images: tuple[Image, ...] = ()
    """Beside those of the plain sandbox, and newer."""
    clouds: Mapping[str, str | None] = field(default_factory=dict)
    """Keys of each cloud in clouds.yaml, "auth.project_name" for nested ones; None removes one."""
    environ: Mapping[str, str] = field(default_factory=dict)
    """Environment variables that clients need."""


def combine(shapes: Mapping[str, Shape]) -> Shape:
    """Return a shape with the entries of all tables of ``shapes``, by name.

    :raises UsageError: two of them have different entries for the same key
    """
    merged: dict[str, object] = {"summary": "; ".join(shape.summary for shape in shapes.values())}
    for table in dataclasses.fields(Shape)[1:]:
        tables = {name: getattr(shape, table.name) for name, shape in shapes.items()}
        if isinstance(getattr(Shape(), table.name), tuple):
            merged[table.name] = sum(tables.values(), ())
        else:
            merged[table.name] = _union(table.name, tables)
    return Shape(**merged)  # type: ignore[arg-type]


def _union(table: str, tables: Mapping[str, Mapping[str, Value]]) -> dict[str, Value]:
    union: dict[str, Value] = {}
    origin: dict[str, str] = {}
    for name, entries in tables.items():
        for key, value in entries.items():
            if union.setdefault(key, value) != value:
                raise UsageError(
                    f"the shapes {origin[key]} and {name} cannot be combined: "
                    f"both change {key} ({table})",
                    hint="choose one of them",
                )
            origin.setdefault(key, name)
    return union
