"""What identifies a cloud: recorded with the challenge of a certifier."""

import hashlib
import json
from urllib.parse import urlsplit

from refstack_client.cloud.connection import Cloud
from refstack_client.cloud.failures import reported_as


def read(cloud: Cloud) -> dict[str, str]:
    """Return what identifies a cloud.

    ``auth_url``, ``region``, ``identity_version`` (of Keystone's API), ``catalog_sha256`` and, with
    TLS, ``certificate_sha256``, the fingerprint of Keystone's certificate.

    :raises CloudError: Keystone does not respond as it should
    """
    found = {
        "auth_url": cloud.auth_url,
        "region": cloud.facts.region,
        "identity_version": _version(cloud),
        "catalog_sha256": _catalog_sha256(cloud),
    }
    if urlsplit(cloud.identity_url).scheme.lower() == "https":
        found["certificate_sha256"] = _certificate_sha256(cloud)
    return found


def _version(cloud: Cloud) -> str:
    """Return the version of Keystone's API, as ``v3.14``."""
    with reported_as(f"GET {cloud.identity_url} does not show a version", "see Keystone's log"):
        response = cloud.connection.session.get(cloud.identity_url, authenticated=False)
        return str(response.json()["version"]["id"])


def _certificate_sha256(cloud: Cloud) -> str:
    """Return the SHA-256 of the certificate of the connection to Keystone, or to what is before it.

    Whatever proxy or certificate authority is set for the cloud is in use.
    """
    with reported_as(f"GET {cloud.identity_url} does not show a certificate", "see Keystone's log"):
        response = cloud.connection.session.get(
            cloud.identity_url, authenticated=False, stream=True, log=False
        )
        try:
            socket = response.raw.connection.sock
            return hashlib.sha256(socket.getpeercert(binary_form=True)).hexdigest()
        finally:
            response.close()


def _catalog_sha256(cloud: Cloud) -> str:
    """Return the SHA-256 of the service catalog, the same for each project of the cloud."""
    session = cloud.connection.session
    token = session.auth.get_access(session)
    project = token.project_id or "\0"
    endpoints = sorted(
        (
            service.get("type") or "",
            endpoint.get("region_id") or endpoint.get("region") or "",
            endpoint.get("interface") or "",
            (endpoint.get("url") or "").replace(project, "%(project_id)s"),
        )
        for service in token.service_catalog.catalog
        for endpoint in service.get("endpoints") or ()
    )
    return hashlib.sha256(json.dumps(endpoints).encode()).hexdigest()
