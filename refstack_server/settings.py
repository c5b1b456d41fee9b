"""Settings that the operator of a server decides."""

from dataclasses import dataclass, field
from pathlib import Path

from refstack_client.upload.checkpoint import VerifierKey

DATABASE = "refstack.sqlite"
SECRET, CHALLENGE_KEY, LOG_KEY = "secret", "challenge_key", "log_key"
LOG_ORIGIN = "log_origin"
NAME = "Interop Registry"
"""The name of a registry whose operator has given it no other."""
SECRETS = (SECRET, CHALLENGE_KEY, LOG_KEY, LOG_ORIGIN)
"""The files of a data directory that nothing else can replace, besides database and uploads."""
MIB = 1024 * 1024


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
    URL of the server for its users, without a slash at the end. ``name`` is that of the registry on
    its pages. ``witnesses`` sign checkpoints of the audit log. ``most_bytes`` is the largest body
    of a request, ``most_passes_bytes`` that of results in RefStack v1's format,
    ``most_bundle_bytes`` that of a bundle or stream, ``page_size`` the number of results on a page
    of a list. All results without an owner may take ``most_unowned_bytes`` in the database (0 for
    no limit). To judge an upload or to render a page may take ``seconds_of_work`` and
    ``bytes_of_work``; ``most_waiting`` requests wait for it, and ``most_cached_bytes`` of pages are
    kept. The limits per minute apply to each client IP address and each key; 0 means no limit.

    The head of a request must arrive within ``seconds_for_head``, and its body within
    ``seconds_for_body``. Bodies arrive, and answers are read, at ``least_bytes_per_second`` or more
    after ``seconds_of_grace``. There are at most ``most_connections``, fewer if the process may
    open few files. At the same time ``most_bodies_of_a_user`` arrive, and from all callers without
    a token ``most_anonymous_bodies``, of which ``most_anonymous_uploads`` are on disk. Uploads
    leave ``reserve_bytes`` of the disk free.
    """

    data: Path
    public_url: str
    name: str = NAME
    database: str = field(default="", repr=False)
    witnesses: tuple[VerifierKey, ...] = ()
    anonymous_upload: bool = True
    provider: Provider | None = None
    most_bytes: int = MIB // 4
    most_passes_bytes: int = 4 * MIB
    most_bundle_bytes: int = 32 * MIB
    most_unowned_bytes: int = 1024 * MIB
    seconds_of_work: int = 20
    bytes_of_work: int = 256 * MIB
    most_waiting: int = 200
    most_cached_bytes: int = 16 * MIB
    page_size: int = 20
    requests_per_minute: int = 6000
    uploads_per_minute: int = 600
    seconds_for_head: float = 10
    seconds_for_body: float = 30 * 60
    seconds_of_grace: float = 30
    least_bytes_per_second: int = 8 * 1024
    most_connections: int = 1024
    most_bodies_of_a_user: int = 16
    most_anonymous_bodies: int = 64
    most_anonymous_uploads: int = 8
    reserve_bytes: int = 256 * MIB

    @property
    def database_url(self) -> str:
        """The URL of the database."""
        return self.database or f"sqlite:///{(self.data / DATABASE).resolve()}"
