"""The secret with which a server signs session cookies and challenges."""

import secrets
from pathlib import Path

from refstack_client.files import write_private
from refstack_server.settings import SECRET


def read_or_create(data: Path) -> str:
    """Return the secret of the server with the data directory ``data``; create it if missing."""
    path = data / SECRET
    if not path.exists():
        write_private(path, secrets.token_urlsafe(32))
    return path.read_text(encoding="utf-8")
