"""URLs of pages on this server."""

from refstack_server.settings import Settings
from refstack_server.store.schema import Result


def result_url(settings: Settings, result: Result) -> str:
    """Return the URL of a result's page."""
    return f"{settings.public_url}/results/{result.id}"
