"""Merkle trees of RFC 9162, section 2.1: a root for each size, and proofs between them.

Of a tree that only grows, an inclusion proof shows that it has an entry, and a consistency proof
that a later tree begins with an earlier one. Indexes and sizes count entries from zero.

The libraries for it are under the GPL or a part of a client of one log.
"""

import hashlib
from collections.abc import Sequence

Hash = bytes
Proof = Sequence[Hash]
_SMALLEST_KEPT = 16
"""The size of subtrees from which on their hashes are kept, which then never change."""


class ProofError(Exception):
    """A proof does not lead to the root, or to both of them."""


def leaf_hash(entry: bytes) -> Hash:
    """Return the hash of an entry."""
    return hashlib.sha256(b"\0" + entry).digest()


def _node(first: Hash, second: Hash) -> Hash:
    return hashlib.sha256(b"\1" + first + second).digest()


def _split(size: int) -> int:
    """Return the size of the first subtree: the largest power of two below ``size``."""
    return 1 << ((size - 1).bit_length() - 1)


class Tree:
    """The hashes of all entries; roots and proofs take time in proportion to log(size)²."""

    def __init__(self, leaves: Sequence[Hash] = ()):
        self._leaves = list(leaves)
        self._kept: dict[tuple[int, int], Hash] = {}

    def __len__(self) -> int:
        """Return the number of entries."""
        return len(self._leaves)

    def append(self, leaf: Hash) -> None:
        """Add the hash of an entry."""
        self._leaves.append(leaf)

    def root(self, size: int) -> Hash:
        """Return the root of the first ``size`` entries."""
        return self._hash(0, size) if size else hashlib.sha256().digest()

    def _hash(self, start: int, end: int) -> Hash:
        size = end - start
        if size == 1:
            return self._leaves[start]
        if (start, end) in self._kept:
            return self._kept[start, end]
        middle = start + _split(size)
        found = _node(self._hash(start, middle), self._hash(middle, end))
        if size >= _SMALLEST_KEPT and not size & (size - 1):
            self._kept[start, end] = found
        return found

    def inclusion_proof(self, index: int, size: int) -> list[Hash]:
        """Return the proof that the first ``size`` entries have one at ``index``."""
        start, end, proof = 0, size, list[Hash]()
        while end - start > 1:
            middle = start + _split(end - start)
            if index < middle:
                proof.append(self._hash(middle, end))
                end = middle
            else:
                proof.append(self._hash(start, middle))
                start = middle
        return proof[::-1]

    def consistency_proof(self, first: int, second: int) -> list[Hash]:
        """Return the proof that the first ``second`` entries begin with the first ``first``."""
        start, end, proof = 0, second, list[Hash]()
        while first not in (0, end):
            middle = start + _split(end - start)
            if first <= middle:
                proof.append(self._hash(middle, end))
                end = middle
            else:
                proof.append(self._hash(start, middle))
                start = middle
        if start:  # The hash of the last common subtree is not the first root.
            proof.append(self._hash(start, end))
        return proof[::-1]


def check_inclusion(root: Hash, size: int, index: int, leaf: Hash, proof: Proof) -> None:
    """Check that a tree has an entry (RFC 9162, 2.1.3.2).

    :raises ProofError: the proof does not show it
    """
    if not 0 <= index < size:
        raise ProofError(f"there is no entry {index} among {size}")
    place, last, found = index, size - 1, leaf
    for sibling in proof:
        if not last:
            raise ProofError("the proof is too long")
        if place & 1 or place == last:
            found = _node(sibling, found)
            place, last = _up_to_second_child(place, last)
        else:
            found = _node(found, sibling)
        place, last = place >> 1, last >> 1
    if last or found != root:
        raise ProofError("the proof does not lead to the root")


def check_consistency(first: tuple[int, Hash], second: tuple[int, Hash], proof: Proof) -> None:
    """Check that a tree begins with an earlier one (RFC 9162, 2.1.4.2).

    :param first: size and root of the earlier tree
    :param second: size and root of the later tree
    :raises ProofError: the proof does not show it
    """
    (size, root), (later_size, later_root) = first, second
    if not 0 <= size <= later_size:
        raise ProofError(f"a tree of {later_size} entries cannot begin with {size}")
    if size in (0, later_size):
        if proof or root != (later_root if size else Tree().root(0)):
            raise ProofError("the roots differ")
        return
    is_whole = not size & (size - 1)
    path = [root, *proof] if is_whole else list(proof)
    if not path:
        raise ProofError("the proof is too short")
    place, last = size - 1, later_size - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    found = later = path[0]
    for sibling in path[1:]:
        if not last:
            raise ProofError("the proof is too long")
        if place & 1 or place == last:
            found, later = _node(sibling, found), _node(sibling, later)
            place, last = _up_to_second_child(place, last)
        else:
            later = _node(later, sibling)
        place, last = place >> 1, last >> 1
    if last or (found, later) != (root, later_root):
        raise ProofError("the proof does not lead to both roots")


def _up_to_second_child(place: int, last: int) -> tuple[int, int]:
    """Return the places of the first ancestor that is a second child, or the root."""
    while place and not place & 1:
        place, last = place >> 1, last >> 1
    return place, last
