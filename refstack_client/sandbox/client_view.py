"""What clients see of a sandbox through the proxy: URLs, routes and the catalog of a shape."""

import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from refstack_client.sandbox.credentials import REGION
from refstack_client.sandbox.deployment import HOST, Deployment
from refstack_client.sandbox.service_model import Profile, Service
from refstack_client.sandbox.shape_model import (
    DEAD_PORT,
    FOREIGN_PORT,
    PORTS,
    SAME_REGION,
    ForeignService,
    Mount,
    Shape,
)

INTERFACES = ("public", "internal", "admin")
_IDENTITY = "identity"


@dataclass(frozen=True)
class Route:
    """A path at a port of the proxy: the service that it leads to, or a fixed response."""

    service: str
    host: str
    port: int
    is_public: bool = True
    is_tls: bool = False
    latency: float = 0.0
    """Seconds to add to each response."""
    path: str = ""
    to_port: int | None = None
    to_path: str = ""
    """The path at the service in place of ``path``; "{project_id}" is the one of the token."""
    links: str | None = None
    """The beginning of links in responses, where it is not that of the request."""
    status: int | None = None
    """Of the fixed response; 0 for a response that never comes."""
    body: str = ""


@dataclass(frozen=True)
class Endpoint:
    """An endpoint as Keystone shows it, with "%(project_id)s" where the project belongs."""

    id: str
    interface: str
    region: str | None
    region_id: str | None
    url: str


@dataclass(frozen=True)
class CatalogService:
    """A service of the catalog as Keystone shows it."""

    id: str
    type: str
    name: str
    endpoints: tuple[Endpoint, ...]


def public_port(service: Service) -> str:
    """Return the name of the port at which clients reach ``service`` through the proxy."""
    return f"public-{service.public.name}"


def internal_port(service: Service) -> str:
    """Return the name of the port at which other services reach it through the proxy."""
    return f"internal-{service.public.name}"


def port_names(profile: Profile) -> tuple[str, ...]:
    """Return the names of all ports of the proxy of a sandbox with ``profile``."""
    services = (
        name(service) for service in profile.services for name in (public_port, internal_port)
    )
    return (*services, *PORTS)


@dataclass(frozen=True)
class ClientView:
    """A sandbox as its clients see it: a profile in a shape, on the ports of a deployment."""

    profile: Profile
    deployment: Deployment
    shape: Shape

    @property
    def listening_host(self) -> str:
        """The IP address at which the proxy listens for clients."""
        return HOST if self.host_name else self.shape.url.get("host", HOST).strip("[]")

    @property
    def host_name(self) -> str | None:
        """The name that only the HTTP proxy can resolve; None where URLs have an IP address."""
        host = self.shape.url.get("host", HOST)
        return host if host[-1].isalpha() else None

    @property
    def auth_url(self) -> str:
        """The URL of the identity service."""
        return next(self._url(s) for s in self.profile.services if s.service_type == _IDENTITY)

    def routes(self, latency: float) -> tuple[Route, ...]:
        """Return the routes of the proxy.

        :param latency: seconds that it adds to each response of a service to a client
        """
        ports = self.deployment.port
        return (
            *(
                Route(
                    *(service.name, HOST, ports[internal_port(service)]),
                    is_public=False,
                    to_port=ports[service.public.name],
                )
                for service in self.profile.services
            ),
            *(
                route
                for service in self.profile.services
                for route in self._public_routes(service, latency)
            ),
            *(route for service in self.shape.foreign for route in self._foreign_routes(service)),
        )

    def catalogue(self) -> tuple[CatalogService, ...]:
        """Return the catalog: first the foreign services, to be in the way."""
        entries: list[tuple[Service | ForeignService, Iterator[Endpoint]]] = [
            *((service, self._foreign_endpoints(service)) for service in self.shape.foreign),
            *((service, self._endpoints(service)) for service in self.profile.services),
        ]
        return tuple(
            CatalogService(
                _id(service.service_type), service.service_type, service.name, tuple(endpoints)
            )
            for service, endpoints in entries
        )

    def _base(self, port: str) -> str:
        scheme = self.shape.url.get("scheme", "http")
        host = self.shape.url.get("host", HOST)
        return f"{scheme}://{host}:{self.deployment.port[port]}"

    def _mount(self, service: Service) -> Mount:
        endpoint = urlsplit(self.deployment.fill(service.endpoint)).path
        return self.shape.mounts.get(service.name) or Mount(endpoint, {"": ""})

    def _url(self, service: Service) -> str:
        mount = self._mount(service)
        return self._base(mount.port or public_port(service)) + mount.endpoint

    def _public_routes(self, service: Service, latency: float) -> Iterator[Route]:
        mount = self._mount(service)
        port = mount.port or public_port(service)
        base = self._base(port)
        for path, to_path in mount.paths.items():
            # Services build links from the request, which has another path here and no TLS.
            differs = path != to_path or base.startswith("https:")
            yield Route(
                *(service.name, self.listening_host, self.deployment.port[port]),
                is_tls=base.startswith("https:"),
                latency=latency,
                path=path,
                to_port=self.deployment.port[service.public.name],
                to_path=to_path,
                links=base + path if differs and not service.serves_files else None,
            )

    def _foreign_routes(self, service: ForeignService) -> Iterator[Route]:
        base = self._base(FOREIGN_PORT)
        for path, answer in service.answers.items():
            document = json.dumps(answer.document)
            yield Route(
                *(service.name, self.listening_host, self.deployment.port[FOREIGN_PORT]),
                is_tls=base.startswith("https:"),
                path=service.path + path,
                status=answer.status,
                body=document.replace("{foreign}", base + service.path),
            )

    def _endpoints(self, service: Service) -> Iterator[Endpoint]:
        regions: tuple[str | None, ...] = self.shape.regions or (REGION,)
        if service.name in self.shape.region_of:
            regions = (self.shape.region_of[service.name],)
        for region in regions:
            is_dead = region in self.shape.dead and service.service_type != _IDENTITY
            for interface in INTERFACES:
                url = self._url(service)
                if is_dead or interface in self.shape.dead:
                    url = self._base(DEAD_PORT) + urlsplit(url).path
                yield _endpoint(service.service_type, interface, region, url)

    def _foreign_endpoints(self, service: ForeignService) -> Iterator[Endpoint]:
        if service.url is None:
            return
        region = service.region
        if region == SAME_REGION:
            region = (self.shape.regions or (REGION,))[-1]
        url = service.url.replace("{foreign}", self._base(FOREIGN_PORT) + service.path)
        url = url.replace("{dead}", self._base(DEAD_PORT))
        yield _endpoint(service.service_type, service.interface, region, url)


def _endpoint(service_type: str, interface: str, region: str | None, url: str) -> Endpoint:
    return Endpoint(_id(f"{service_type} {interface} {region}"), interface, region, region, url)


def _id(text: str) -> str:
    return uuid.uuid5(uuid.NAMESPACE_OID, text).hex
