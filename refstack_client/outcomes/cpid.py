"""The ID of a cloud in RefStack ("cpid"), as the original refstack-client computes it.

It is the ID of the identity service in the service catalog. Where the catalog has none it is the
MD5 of the host name in the URL of Keystone.
"""

import hashlib
import ipaddress
from urllib.parse import urlsplit

from refstack_client.outcomes.cloud_facts import CloudFacts


def of_facts(cloud: CloudFacts) -> str:
    """Return the cpid of a cloud from what a plan records of it."""
    return cloud.identity_service or of_endpoint(cloud.auth_url)


def of_endpoint(url: str) -> str:
    """Return the cpid computed from the host of a Keystone URL."""
    host = urlsplit(url).hostname or ""
    return hashlib.md5(host.encode(), usedforsecurity=False).hexdigest()


def collides(url: str) -> bool:
    """Return whether other clouds are likely to have the same host, and so the same cpid."""
    host = urlsplit(url).hostname or ""
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return "." not in host
