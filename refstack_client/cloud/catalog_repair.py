"""Leave out of a service catalog what keystoneauth cannot read.

keystoneauth reads the URLs of all services to find one of them, and fails if one URL is malformed.
"""

from collections.abc import Mapping
from urllib.parse import urlsplit

from keystoneauth1.access import AccessInfo

from refstack_client.cloud.access import MOST_CHARACTERS, has_host, without_user

_CHARACTERS = 200
"""Of an invalid URL in a message."""


def leave_out_invalid(token: AccessInfo) -> Mapping[str, str]:
    """Remove invalid endpoints from the service catalog of a token.

    :return: the invalid URL of a service, without user and password, by its type
    """
    catalog = token.service_catalog.catalog
    if not isinstance(catalog, list):
        return {}
    invalid: dict[str, str] = {}
    services = []
    for service in catalog:
        if not isinstance(service, dict) or not isinstance(service.get("type"), str):
            continue
        endpoints = []
        for item in service["endpoints"] if isinstance(service.get("endpoints"), list) else ():
            if _is_valid(item):
                endpoints.append(item)
            else:
                url = item.get("url") if isinstance(item, dict) else item
                invalid[service["type"]] = without_user(str(url))[:_CHARACTERS]
        services.append({**service, "endpoints": endpoints})
    catalog[:] = services
    return invalid


def _is_valid(endpoint: object) -> bool:
    if not isinstance(endpoint, dict):
        return False
    url = endpoint.get("url")
    return isinstance(endpoint.get("interface"), str) and isinstance(url, str) and _is_url(url)


def _is_url(text: str) -> bool:
    if len(text) > MOST_CHARACTERS or not has_host(text):
        return False
    parts = urlsplit(text)
    # Messages and records would show a password.
    return parts.scheme in ("http", "https") and "@" not in parts.netloc
