"""The audit log as a Merkle tree with signed checkpoints.

Whoever keeps a checkpoint can detect a log that was rewritten, without reading it again: a proof
shows that the log of today begins with that of the checkpoint.
"""

import threading
from collections.abc import Iterable
from urllib.parse import urlsplit

import sqlalchemy as sa
from sqlalchemy.orm import Session

from refstack_client.files import write_private
from refstack_client.upload import checkpoint
from refstack_client.upload.checkpoint import Checkpoint, VerifierKey
from refstack_client.upload.merkle_tree import Tree, leaf_hash
from refstack_server.settings import LOG_KEY, LOG_ORIGIN, Settings
from refstack_server.store import signing_keys
from refstack_server.store.errors import InvalidError, NotFoundError
from refstack_server.store.schema import AuditLogEntry, Cosignature


class LogTree:
    """The tree of a server's log, with the key that signs its checkpoints.

    It holds the hash of each entry and reads only new entries, since none ever changes.
    """

    def __init__(self, settings: Settings):
        self._tree, self._lock = Tree(), threading.Lock()
        self._witnesses = settings.witnesses
        self._key = signing_keys.read(settings.data, LOG_KEY)
        self.origin = _origin(settings)

    def verifier_key(self) -> VerifierKey:
        """Return the public key."""
        return checkpoint.key_of(self._key, self.origin)

    def checkpoint(self, session: Session, witnesses: int = 0) -> Checkpoint:
        """Return the newest checkpoint that at least so many witnesses signed.

        :raises NotFoundError: there is none
        """
        with self._lock:
            self._read_new(session)
            size = len(self._tree)
            if witnesses:
                size = _cosigned_size(session, witnesses)
            return self._signed(session, size)

    def _read_new(self, session: Session) -> None:
        query = (
            sa.select(AuditLogEntry.text)
            .where(AuditLogEntry.number > len(self._tree))
            .order_by(AuditLogEntry.number)
        )
        for text in session.scalars(query, execution_options={"yield_per": 1000}):
            self._tree.append(leaf_hash(text.encode()))

    def _signed(self, session: Session, size: int) -> Checkpoint:
        unsigned = Checkpoint(self.origin, size, self._tree.root(size))
        signed = unsigned.signed(self._key, self.origin)
        query = sa.select(Cosignature).where(Cosignature.size == size).order_by(Cosignature.name)
        added = ((found.name, found.content) for found in session.scalars(query))
        return Checkpoint(self.origin, size, signed.root, (*signed.signatures, *added))

    def inclusion_proof(self, session: Session, number: int, size: int) -> list[bytes]:
        """Return the proof that the log of a size has the entry with a number, from 1 on.

        :raises NotFoundError: the log is not so long
        """
        with self._lock:
            self._require(session, size)
            if number > size:
                raise NotFoundError(f"a log of {size} entries has no entry {number}")
            return self._tree.inclusion_proof(number - 1, size)

    def consistency_proof(self, session: Session, first: int, second: int) -> list[bytes]:
        """Return the proof that the log of a size begins with that of an earlier size.

        :raises NotFoundError: the log is not so long
        """
        with self._lock:
            self._require(session, second)
            if first > second:
                raise NotFoundError(f"a log of {second} entries cannot begin with {first}")
            return self._tree.consistency_proof(first, second)

    def _require(self, session: Session, size: int) -> None:
        self._read_new(session)
        if size > len(self._tree):
            raise NotFoundError(f"the log has {len(self._tree)} entries, not {size}")

    def cosign(self, session: Session, sent: Checkpoint) -> int:
        """Keep the signatures of witnesses on a checkpoint of this log; return their number.

        :raises InvalidError: it is not a checkpoint of this log, or no witness that the operator
            named signed it
        """
        with self._lock:
            self._read_new(session)
            if sent.origin != self.origin or sent.size > len(self._tree):
                raise InvalidError("This is not a checkpoint of this log")
            if sent.root != self._tree.root(sent.size):
                raise InvalidError("The checkpoint has another root than this log")
        valid = list(_signatures(sent, self._witnesses))
        if not valid:
            raise InvalidError(
                "No witness of this server signed the checkpoint",
                "the operator names witnesses with --witness",
            )
        for name, content in valid:
            session.merge(Cosignature(size=sent.size, name=name, content=content))
        return len(valid)


def _signatures(sent: Checkpoint, witnesses: Iterable[VerifierKey]) -> Iterable[tuple[str, bytes]]:
    for witness in witnesses:
        yield from sent.by(witness)


def _cosigned_size(session: Session, witnesses: int) -> int:
    query = (
        sa.select(Cosignature.size)
        .group_by(Cosignature.size)
        .having(sa.func.count() >= witnesses)
        .order_by(Cosignature.size.desc())
        .limit(1)
    )
    size = session.scalar(query)
    if size is None:
        raise NotFoundError(f"no checkpoint is signed by {witnesses} witnesses")
    return size


def _origin(settings: Settings) -> str:
    """Return the name of the log, such as ``refstack.example.org/log``.

    It stays as it was at the first start, wherever the server and its pages move.
    """
    path = settings.data / LOG_ORIGIN
    if not path.exists() and settings.public_url:
        write_private(path, f"{urlsplit(settings.public_url).netloc}/log\n")
    return path.read_text(encoding="utf-8").strip() if path.exists() else "localhost/log"
