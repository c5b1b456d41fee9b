"""The secret a server makes for itself, with which it signs what it gives out and takes back."""

import secrets
from pathlib import Path

from refstack_client.files import write_private

_FILE = "secret"


def of(data: Path) -> str:
    """Return the secret of the server that keeps its data in ``data``; made where there is none."""
    path = data / _FILE
    if not path.exists():
        write_private(path, secrets.token_urlsafe(32))
    return path.read_text(encoding="utf-8")
