"""Check that the public log of a server only grew since a checkpoint that was kept."""

from collections.abc import Callable, Sequence

from refstack_client.errors import InputError
from refstack_client.upload import merkle_tree
from refstack_client.upload.checkpoint import Checkpoint, VerifierKey
from refstack_client.upload.merkle_tree import ProofError, Tree, leaf_hash

Prove = Callable[[int, int], Sequence[bytes]]
"""Returns the proof that the log of a size begins with that of an earlier size."""
_REPORT = "keep both checkpoints, and report it to the Foundation and to other readers of the log"


def check_signatures(found: Checkpoint, keys: Sequence[VerifierKey], what: str) -> None:
    """Check that a log and its witnesses signed a checkpoint.

    :param what: the checkpoint, for messages
    :raises InputError: a signature is missing or not valid
    """
    for key in keys:
        if not found.is_signed_by(key):
            raise InputError(
                f"{what} is not signed with the key of {key.name}", hint="check the verifier key"
            )


def check_growth(kept: Checkpoint, newest: Checkpoint, prove: Prove) -> None:
    """Check that the newest log begins with the kept one.

    :raises InputError: it does not: the log was rewritten or shortened, or is another log
    """
    if kept.origin != newest.origin:
        raise InputError(
            f"the kept checkpoint is of the log {kept.origin}, not {newest.origin}",
            hint="name the file that was kept for this log",
        )
    if newest.size < kept.size:
        raise InputError(
            f"the log has the size {newest.size}, but had {kept.size}: it was shortened",
            hint=_REPORT,
        )
    try:
        merkle_tree.check_consistency(
            (kept.size, kept.root), (newest.size, newest.root), prove(kept.size, newest.size)
        )
    except ProofError as error:
        raise InputError(
            f"the log was rewritten after the kept checkpoint, size {kept.size}: {error}",
            hint=_REPORT,
        ) from error


def check_entries(newest: Checkpoint, texts: Sequence[str]) -> Tree:
    """Check that entries are those of a checkpoint; return their tree.

    :raises InputError: they are not
    """
    tree = Tree([leaf_hash(text.encode()) for text in texts])
    if (len(tree), tree.root(len(tree))) != (newest.size, newest.root):
        raise InputError(
            f"the entries, {len(texts)}, are not those of the checkpoint, size {newest.size}",
            hint=_REPORT,
        )
    return tree
