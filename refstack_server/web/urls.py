"""URLs on this server."""

from refstack_server.settings import Settings
from refstack_server.store.schema import Result

V1, V2 = "/v1/", "/v2/"
API = (V1, V2)
"""Prefixes of the paths of the API."""


def result_url(settings: Settings, result: Result) -> str:
    """Return the URL of a result's page."""
    return f"{settings.public_url}/results/{result.id}"
