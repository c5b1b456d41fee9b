"""Settings that the operator of a server decides."""

from dataclasses import dataclass, field
from pathlib import Path

DATABASE = "refstack.sqlite"


@dataclass(frozen=True)
class Provider:
    """An identity provider (OpenID Connect), and the client id and secret of this server there."""

    issuer: str
    client_id: str
    secret: str = field(repr=False)


@dataclass(frozen=True)
class Settings:
    """The data directory and the limits of a server.

    ``data`` contains the database, unless ``database`` is the URL of another. ``public_url`` is the
    URL of the server for its users, without a slash at the end. ``most_bytes`` is the largest body
    of a request, ``most_bundle_bytes`` that of a bundle or stream, ``page_size`` the number of
    results on a page of a list. All results without an owner may take ``most_unowned_bytes`` in the
    database (0 for no limit). To judge an upload or to render a page may take ``seconds_of_work``
    and ``bytes_of_work``; ``most_waiting`` requests wait for it, and ``most_cached_bytes`` of pages
    are kept. The limits per minute apply to each client IP address and each key; 0 means no limit.
    """

    data: Path
    public_url: str
    database: str = field(default="", repr=False)
    anonymous_upload: bool = True
    provider: Provider | None = None
    most_bytes: int = 4 * 1024 * 1024
    most_bundle_bytes: int = 32 * 1024 * 1024
    most_unowned_bytes: int = 1024 * 1024 * 1024
    seconds_of_work: int = 20
    bytes_of_work: int = 256 * 1024 * 1024
    most_waiting: int = 200
    most_cached_bytes: int = 32 * 1024 * 1024
    page_size: int = 20
    requests_per_minute: int = 6000
    uploads_per_minute: int = 600

    @property
    def database_url(self) -> str:
        """The URL of the database."""
        return self.database or f"sqlite:///{(self.data / DATABASE).resolve()}"
