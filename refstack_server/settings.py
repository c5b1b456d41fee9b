"""What the operator of a server decides."""

from dataclasses import dataclass, field
from pathlib import Path

DATABASE = "refstack.sqlite"


@dataclass(frozen=True)
class Provider:
    """Who knows people's identities, by OpenID Connect; ``secret`` is the server's with it."""

    issuer: str
    client_id: str
    secret: str = field(repr=False)


@dataclass(frozen=True)
class Settings:
    """Where a server keeps what it has, and what it takes.

    ``data`` holds the database, unless ``database`` is the URL of another. ``public_url`` is where
    its pages are for those who read them, without a slash at the end. ``most_bytes`` is the largest
    body of a request, ``most_bundle_bytes`` that of a bundle or stream, ``page_size`` how many
    results a page of a list has. The limits per minute hold for an address, and for a key; 0 is
    none.
    """

    data: Path
    public_url: str
    database: str = field(default="", repr=False)
    anonymous_upload: bool = True
    provider: Provider | None = None
    most_bytes: int = 16 * 1024 * 1024
    most_bundle_bytes: int = 128 * 1024 * 1024
    page_size: int = 20
    requests_per_minute: int = 6000
    uploads_per_minute: int = 600

    @property
    def database_url(self) -> str:
        return self.database or f"sqlite:///{(self.data / DATABASE).resolve()}"
