"""Discover what the tested services offer: versions, microversions and extensions.

Only the services that the tests need are asked, all at the same time, and nothing is changed.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import urlsplit

import keystoneauth1.exceptions
import requests

from refstack_client.cloud.access import by_proxy
from refstack_client.cloud.connection import Cloud
from refstack_client.cloud.failures import FAILURES, summary
from refstack_client.cloud.service_catalog import Endpoint, no_response, require_response
from refstack_client.cloud.service_types import BLOCK_STORAGE, IDENTITY, NETWORK, OBJECT_STORE
from refstack_client.errors import CloudError

_MOST_CHARACTERS = 100
_NOT_OFFERED = (
    requests.codes.unauthorized,
    requests.codes.forbidden,
    requests.codes.not_found,
    requests.codes.not_allowed,
    requests.codes.gone,
)
"""Statuses of a service that lists no extensions for this user."""
_KEYSTONE_EXTENSION = "https://docs.openstack.org/api/openstack-identity/3/ext/"


@dataclass(frozen=True)
class Offer:
    """What a service offers.

    :param version: of its API, such as ``3.14``; "" if it reports none
    :param min_microversion: "" if its API has no microversions
    :param extensions: names of the extensions or features that it lists; None if it lists none for
        this user
    :param source: the URL of that list, "" if there is none
    """

    endpoint: Endpoint
    version: str = ""
    min_microversion: str = ""
    max_microversion: str = ""
    extensions: frozenset[str] | None = None
    source: str = ""


@dataclass(frozen=True)
class _Listing:
    """A list of extensions and its URL; names None: the service lists none for this user."""

    names: frozenset[str] | None
    url: str


def offers(cloud: Cloud, endpoints: Sequence[Endpoint]) -> tuple[Offer, ...]:
    """Return what the services of some endpoints offer, in the same order.

    :raises CloudError: a service does not respond or its response is wrong; names the request
    """
    if not endpoints:
        return ()
    with ThreadPoolExecutor(max_workers=len(endpoints)) as pool:
        return tuple(pool.map(lambda endpoint: offer(cloud, endpoint), endpoints))


def offer(cloud: Cloud, endpoint: Endpoint) -> Offer:
    """Return what one service offers.

    :raises CloudError: it does not respond or its response is wrong; names the request
    """
    if endpoint.service_type == OBJECT_STORE:  # it has no list of versions
        return _object_store(cloud, endpoint)
    version, microversions, url = _versions(cloud, endpoint)
    if not version:  # keystoneauth does not distinguish silence from an unexpected response
        require_response(cloud, endpoint)
    read = _EXTENSION_LISTS.get(endpoint.service_type)
    listing = read(cloud, endpoint, url) if read else _Listing(None, "")
    return Offer(endpoint, version, *microversions, listing.names, listing.url)


def _versions(cloud: Cloud, endpoint: Endpoint) -> tuple[str, tuple[str, str], str]:
    """Return the version of a service's API, its microversions, and the URL of that version."""
    session = cloud.connection.session
    try:
        data = session.auth.get_endpoint_data(
            session,
            service_type=endpoint.service_type,
            endpoint_override=cloud.identity_url if endpoint.service_type == IDENTITY else None,
            interface=endpoint.interface,
            region_name=endpoint.region or None,
            discover_versions=True,
        )
    except keystoneauth1.exceptions.ConnectFailure as error:
        raise no_response(endpoint) from error
    except FAILURES as error:
        raise _wrong(endpoint, endpoint.url, summary(error)) from error
    if data is None:
        return "", ("", ""), endpoint.url
    return (
        _dotted(data.api_version),
        (_dotted(data.min_microversion), _dotted(data.max_microversion)),
        data.url or endpoint.url,
    )


def _dotted(version: Iterable[object] | None) -> str:
    return ".".join(map(str, version or ()))


def _network(cloud: Cloud, endpoint: Endpoint, url: str) -> _Listing:
    versioned = url.rstrip("/").removesuffix("/v2.0")
    return _aliases(cloud, endpoint, f"{versioned}/v2.0/extensions")


def _block_storage(cloud: Cloud, endpoint: Endpoint, url: str) -> _Listing:
    return _aliases(cloud, endpoint, f"{url.rstrip('/')}/extensions")


def _aliases(cloud: Cloud, endpoint: Endpoint, url: str) -> _Listing:
    """Read a list of extensions as Neutron and Cinder have it."""
    document = _get(cloud, endpoint, url)
    if document is None:
        return _Listing(None, url)
    entries = document.get("extensions") if isinstance(document, dict) else None
    if not isinstance(entries, list) or not all(
        isinstance(entry, dict) and isinstance(entry.get("alias"), str) for entry in entries
    ):
        raise _wrong(endpoint, url, "the response has no list of extensions")
    return _Listing(frozenset(entry["alias"] for entry in entries), url)


def _identity(cloud: Cloud, endpoint: Endpoint, url: str) -> _Listing:
    """Read the extensions of Keystone from its JSON home, if it has one."""
    url = cloud.identity_url
    document = _get(cloud, endpoint, url, accept="application/json-home")
    resources = document.get("resources") if isinstance(document, dict) else None
    if not isinstance(resources, dict):
        return _Listing(None, url)
    names = (
        name.removeprefix(_KEYSTONE_EXTENSION).partition("/")[0]
        for name in resources
        if name.startswith(_KEYSTONE_EXTENSION)
    )
    return _Listing(frozenset(names), url)


def _object_store(cloud: Cloud, endpoint: Endpoint) -> Offer:
    """Read the features of Swift, or of a service with Swift's API below another path.

    Swift lists them as ``/info`` beside ``/v1``, Ceph's gateway as ``/swift/info`` beside
    ``/swift/v1``. Tempest requests them there too.
    """
    prefix = urlsplit(endpoint.url).path.partition("/v1")[0].strip("/")
    url = f"{endpoint.root}{prefix}/info" if prefix else f"{endpoint.root}info"
    features = _features(cloud, endpoint, url)
    return Offer(endpoint, extensions=features, source=url if features is not None else "")


def _features(cloud: Cloud, endpoint: Endpoint, url: str) -> frozenset[str] | None:
    document = _get(cloud, endpoint, url, authenticated=False)
    if not isinstance(document, dict) or "swift" not in document:
        return None
    return frozenset(map(str, document)) - {"swift"}


_EXTENSION_LISTS: Mapping[str, Callable[[Cloud, Endpoint, str], _Listing]] = {
    IDENTITY: _identity,
    NETWORK: _network,
    BLOCK_STORAGE: _block_storage,
}
"""How the extensions of a service are read: cloud, endpoint, URL of the API's version."""


def _get(
    cloud: Cloud,
    endpoint: Endpoint,
    url: str,
    *,
    accept: str = "application/json",
    authenticated: bool = True,
) -> object:
    """Request a JSON document; None if the service does not offer it to this user.

    :raises CloudError: the service does not respond, or responds with an error
    """
    try:
        response = cloud.connection.session.get(
            url, authenticated=authenticated, raise_exc=False, headers={"Accept": accept}
        )
    except keystoneauth1.exceptions.ConnectFailure as error:
        raise no_response(endpoint) from error
    except FAILURES as error:
        raise _wrong(endpoint, url, summary(error)) from error
    if response.status_code in _NOT_OFFERED:
        return None
    if response.status_code >= requests.codes.bad_request:
        shown = " ".join(response.text[:_MOST_CHARACTERS].split())
        request_id = response.headers.get("x-openstack-request-id", "")
        named = f" ({request_id})" if request_id else ""
        raise _wrong(endpoint, url, f"status {response.status_code}{named}: {shown}")
    try:
        return json.loads(response.content)
    except (ValueError, RecursionError):
        return None


def _wrong(endpoint: Endpoint, url: str, reason: str) -> CloudError:
    return CloudError(
        f"{endpoint.title} does not report what it offers: GET {url}{by_proxy(url)}: {reason}",
        hint=f"see the log of {endpoint.service_name}",
    )
