"""The cloud's id in RefStack's world, as the old client made it.

The id of the identity service in the catalogue; where there is none, the MD5 of the host name in
the endpoint's address.
"""

import hashlib
import ipaddress
from urllib.parse import urlsplit

from refstack_client.outcomes.cloud_facts import CloudFacts


def of_facts(cloud: CloudFacts) -> str:
    """Return the cpid of a cloud from what a plan records of it."""
    return cloud.identity_service or of_endpoint(cloud.auth_url)


def of_endpoint(url: str) -> str:
    """Return the cpid made from the host of a Keystone endpoint."""
    host = urlsplit(url).hostname or ""
    return hashlib.md5(host.encode(), usedforsecurity=False).hexdigest()


def collides(url: str) -> bool:
    """Return whether other clouds likely have the same host, and so the same cpid."""
    host = urlsplit(url).hostname or ""
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return "." not in host
