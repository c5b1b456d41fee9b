"""The options of tempest.conf that follow from how a cloud is reached and what it offers."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from refstack_client.cloud.access import Access, proxies_of
from refstack_client.cloud.connection import Cloud
from refstack_client.cloud.service_types import (
    BLOCK_STORAGE,
    COMPUTE,
    IDENTITY,
    IMAGE,
    NETWORK,
    OBJECT_STORE,
    service_of,
)
from refstack_client.tempest.discovery import Offer
from refstack_client.tempest.relay_upstream import url_at
from refstack_client.tempest.settings import Setting

SECTIONS = {
    BLOCK_STORAGE: "volume",
    COMPUTE: "compute",
    IMAGE: "image",
    NETWORK: "network",
    OBJECT_STORE: "object-storage",
    "dns": "dns",
    "placement": "placement",
    "shared-file-system": "share",
}
"""The section of tempest.conf about a service, by its type."""

_AVAILABLE = (
    *("aodh", "barbican", "ceilometer", "cinder", "designate", "glance", "gnocchi", "heat"),
    *("horizon", "ironic", "manila", "mistral", "neutron", "nova", "octavia", "placement"),
    *("sahara", "swift", "trove", "watcher", "zaqar"),
)
"""Options of the section service_available; tests of the other services do not run."""

Group = tuple[str, tuple[Setting, ...]]
"""Settings, after their origin (for people)."""


def of_access(cloud: Cloud, offers: Sequence[Offer]) -> Iterator[Group]:
    """Yield the settings by which Tempest reaches a cloud as this program does.

    :raises CloudError: a proxy is not an HTTP proxy
    """
    url = cloud.identity_url
    proxies = " and ".join(proxies_of((url, *(offer.endpoint.url for offer in offers))))
    relayed = f"; Tempest has that of a relay to {proxies}" if proxies else ""
    yield (
        f"the URL of the identity service in the credentials{relayed}",
        (
            Setting("identity", "uri", url),
            Setting("identity", "uri_v3", url),
            Setting("identity", "auth_version", "v3"),
        ),
    )
    yield "as in the credentials", tuple(_tls(cloud.access))
    yield "the service catalog", tuple(_endpoints(cloud, offers))


def of_relay(cloud: Cloud, relay_url: str) -> tuple[Setting, ...]:
    """Return the settings by which Tempest reaches a cloud through a relay."""
    url = url_at(relay_url, cloud.identity_url)
    return (
        Setting("identity", "uri", url),
        Setting("identity", "uri_v3", url),
        Setting("service-clients", "proxy_url", relay_url),
    )


def _tls(access: Access) -> Iterator[Setting]:
    unverified = str(not access.tls.verify).lower()
    yield Setting("identity", "disable_ssl_certificate_validation", unverified)
    if access.tls.verify and access.tls.cacert:
        yield Setting("identity", "ca_certificates_file", access.tls.cacert)
    if access.timeout:
        yield Setting("service-clients", "http_timeout", f"{access.timeout:.0f}")


def _endpoints(cloud: Cloud, offers: Sequence[Offer]) -> Iterator[Setting]:
    """Yield region, interface and type by which Tempest finds each endpoint in the catalog."""
    by_type = {offer.endpoint.service_type: offer.endpoint for offer in offers}
    identity = by_type.pop(IDENTITY, None)
    region = identity.region if identity else cloud.access.region
    yield Setting("identity", "v3_endpoint_type", cloud.access.interface)
    yield Setting("identity", "region", region or "")
    for service_type, endpoint in by_type.items():
        if section := SECTIONS.get(service_type):
            yield Setting(section, "catalog_type", endpoint.listed_type)
            yield Setting(section, "endpoint_type", endpoint.interface)
            yield Setting(section, "region", endpoint.region)


def of_offers(offers: Sequence[Offer]) -> Iterator[Group]:
    """Yield the settings that follow from what the services offer."""
    types = {offer.endpoint.service_type for offer in offers}
    yield (
        "the services that the tests need",
        tuple(
            Setting("service_available", project, str(service_of(project)[0] in types).lower())
            for project in _AVAILABLE
        ),
    )
    for offer in offers:
        section = SECTIONS.get(offer.endpoint.service_type)
        if section and offer.min_microversion:
            yield (
                f"the versions at {offer.endpoint.url}",
                (
                    Setting(section, "min_microversion", offer.min_microversion),
                    Setting(section, "max_microversion", offer.max_microversion),
                ),
            )
        if read := _FEATURES.get(offer.endpoint.service_type):
            settings = tuple(read(offer))
            yield offer.source or f"{offer.endpoint.title} lists no features", settings


def _extensions(section: str) -> Callable[[Offer], Iterator[Setting]]:
    """Return what sets the extensions of a service, if it lists any for this user."""

    def settings(offer: Offer) -> Iterator[Setting]:
        if offer.extensions is not None:
            yield Setting(section, "api_extensions", _joined(offer))

    return settings


def _object_store(offer: Offer) -> Iterator[Setting]:
    section = "object-storage-feature-enabled"
    yield Setting(section, "discoverable_apis", _joined(offer))
    yield Setting(section, "discoverability", str(offer.extensions is not None).lower())


def _joined(offer: Offer) -> str:
    return ",".join(sorted(offer.extensions or ()))


_FEATURES: Mapping[str, Callable[[Offer], Iterator[Setting]]] = {
    IDENTITY: _extensions("identity-feature-enabled"),
    NETWORK: _extensions("network-feature-enabled"),
    BLOCK_STORAGE: _extensions("volume-feature-enabled"),
    OBJECT_STORE: _object_store,
}
"""How the features of a service become settings, by its type."""
