"""Merkle trees: known roots, and proofs that show what is true and nothing else."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from refstack_client.upload.merkle_tree import (
    ProofError,
    Tree,
    check_consistency,
    check_inclusion,
    leaf_hash,
)

# The entries and roots with which implementations of Certificate Transparency are tested.
ENTRIES = [
    bytes.fromhex(text)
    for text in (
        *("", "00", "10", "2021", "3031", "40414243"),
        *("5051525354555657", "606162636465666768696a6b6c6d6e6f"),
    )
]
ROOTS = {
    0: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    5: "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
}


def tree_of(size: int) -> Tree:
    return Tree([leaf_hash(str(number).encode()) for number in range(size)])


def naive_root(leaves: list[bytes]) -> bytes:
    """Return a root as RFC 9162 defines it."""
    if len(leaves) <= 1:
        return leaves[0] if leaves else hashlib.sha256().digest()
    middle = 1
    while 2 * middle < len(leaves):
        middle *= 2
    halves = naive_root(leaves[:middle]) + naive_root(leaves[middle:])
    return hashlib.sha256(b"\1" + halves).digest()


def test_roots_are_those_of_certificate_transparency():
    tree = Tree([leaf_hash(entry) for entry in ENTRIES])
    assert {size: tree.root(size).hex() for size in ROOTS} == ROOTS


@given(st.integers(0, 150))
def test_roots_are_those_of_the_definition(size):
    tree = tree_of(150)
    assert tree.root(size) == naive_root([tree.root(1), *tree._leaves[1:size]][:size])


SIZES = st.integers(1, 150).flatmap(lambda size: st.tuples(st.just(size), st.integers(0, size - 1)))


@given(SIZES)
def test_an_inclusion_proof_shows_one_entry_at_one_place(pair):
    size, index = pair
    tree = tree_of(size + 1)
    root, leaf, proof = tree.root(size), tree._leaves[index], tree.inclusion_proof(index, size)
    check_inclusion(root, size, index, leaf, proof)
    wrong = [
        (tree.root(size + 1), size, index, leaf, proof),
        (root, size, (index + 1) % size if size > 1 else 1, leaf, proof),
        (root, size, index, leaf_hash(b"other"), proof),
        (root, size, index, leaf, [*proof, leaf]),
        (root, size, index, leaf, proof[:-1] if proof else [leaf]),
        (root, size, -1, leaf, proof),
        (root, index, index, leaf, proof),
    ]
    for arguments in wrong:
        with pytest.raises(ProofError):
            check_inclusion(*arguments)


@given(SIZES)
def test_a_consistency_proof_shows_that_nothing_was_changed(pair):
    second, first = pair
    tree = tree_of(second)
    earlier, later = (first, tree.root(first)), (second, tree.root(second))
    proof = tree.consistency_proof(first, second)
    check_consistency(earlier, later, proof)
    assert tree.consistency_proof(second, second) == []
    rewritten = Tree([leaf_hash(b"other"), *tree._leaves[1:]])
    changed = (second, rewritten.root(second))
    if first:
        for wrong in (proof, rewritten.consistency_proof(first, second), []):
            with pytest.raises(ProofError):
                check_consistency(earlier, changed, wrong)
    for wrong in ([*proof, later[1]], *([proof[:-1]] if proof else ())):
        with pytest.raises(ProofError):
            check_consistency(earlier, later, wrong)
    with pytest.raises(ProofError):
        check_consistency(later, earlier, proof)
