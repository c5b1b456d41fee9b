"""Removal of a result together with its upload."""

from pathlib import Path

from sqlalchemy.orm import Session

from refstack_server.store import blobs, results
from refstack_server.store.schema import Result


def remove(session: Session, data: Path, result: Result) -> None:
    """Remove a result with its metadata and its upload, record it, and commit.

    :param data: the data directory of the server
    """
    sha256 = result.sha256
    results.remove(session, result)
    session.flush()
    if sha256:
        # Before the commit: whoever uploads the same content now finds its row, and later no file.
        blobs.remove(data, sha256)
    session.commit()
