//! The Merkle tree of RFC 6962: hashing, and proofs of inclusion and of consistency.
//!
//! Proofs are made from a [`Nodes`] source by the recursive definition of RFC 6962 and checked by the
//! iterative algorithms of RFC 9162, so that the two sides do not share a mistake.

use aws_lc_rs::digest::{Context, SHA256};

use crate::entry::Hash;
use crate::error::LedgerError;

/// Hashes byte strings one after the other.
pub(crate) fn sha256(parts: &[&[u8]]) -> Hash {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(part);
    }
    let mut out = [0_u8; 32];
    // A SHA-256 digest is 32 bytes by definition.
    out.copy_from_slice(context.finish().as_ref());
    out
}

/// Returns the hash of a leaf.
#[must_use]
pub fn leaf_hash(leaf: &[u8]) -> Hash {
    sha256(&[&[0], leaf])
}

pub(crate) fn node_hash(left: &Hash, right: &Hash) -> Hash {
    sha256(&[&[1], left, right])
}

/// Returns the root of the empty tree.
pub(crate) fn empty_root() -> Hash {
    sha256(&[])
}

/// Returns the root over the hashes of complete subtrees of one height, of which there may be any
/// number.
pub(crate) fn fold(hashes: &[Hash]) -> Hash {
    match hashes {
        [] => empty_root(),
        [only] => *only,
        _ => {
            // The largest power of two below the length: RFC 6962's `k`.
            let split = hashes.len().next_power_of_two() / 2;
            let (left, right) = hashes.split_at(split);
            node_hash(&fold(left), &fold(right))
        }
    }
}

/// Where the hashes of complete subtrees come from.
pub(crate) trait Nodes {
    /// Returns the hash of the complete subtree of `1 << height` leaves that starts at leaf
    /// `index << height`.
    fn node(&mut self, height: u32, index: u64) -> Result<Hash, LedgerError>;
}

/// Returns the hash of the leaves `lo..hi`, where `lo` is the start of a subtree.
fn range_hash(nodes: &mut dyn Nodes, lo: u64, hi: u64) -> Result<Hash, LedgerError> {
    let mut pieces = Vec::new();
    let mut start = lo;
    while start < hi {
        // The largest complete subtree that starts here and fits.
        let height = (hi - start).ilog2();
        pieces.push(nodes.node(height, start >> height)?);
        start += 1 << height;
    }
    let mut pieces = pieces.into_iter().rev();
    let Some(last) = pieces.next() else { return Ok(empty_root()) };
    Ok(pieces.fold(last, |right, left| node_hash(&left, &right)))
}

/// Returns the root of the first `size` leaves.
pub(crate) fn root(nodes: &mut dyn Nodes, size: u64) -> Result<Hash, LedgerError> {
    range_hash(nodes, 0, size)
}

/// Returns the largest power of two below `n`, for `n` of two or more.
const fn split_below(n: u64) -> u64 {
    1 << (n - 1).ilog2()
}

/// Returns the inclusion proof of leaf `index` in the tree of `size` leaves (RFC 6962, `PATH`).
pub(crate) fn prove_inclusion(
    nodes: &mut dyn Nodes,
    index: u64,
    size: u64,
) -> Result<Vec<Hash>, LedgerError> {
    if index >= size {
        return Err(LedgerError::NotFound(format!(
            "there is no entry {index} in a tree of {size}"
        )));
    }
    let mut proof = Vec::new();
    let (mut lo, mut hi) = (0, size);
    while hi - lo > 1 {
        let middle = lo + split_below(hi - lo);
        if index < middle {
            proof.push(range_hash(nodes, middle, hi)?);
            hi = middle;
        } else {
            proof.push(range_hash(nodes, lo, middle)?);
            lo = middle;
        }
    }
    proof.reverse();
    Ok(proof)
}

/// Returns the proof that the tree of `old` leaves is a prefix of the tree of `new` leaves
/// (RFC 6962, `PROOF`); empty when they are the same or `old` is empty.
pub(crate) fn prove_consistency(
    nodes: &mut dyn Nodes,
    old: u64,
    new: u64,
) -> Result<Vec<Hash>, LedgerError> {
    if old > new {
        return Err(LedgerError::NotFound(format!("a tree of {new} has no prefix of {old}")));
    }
    let mut proof = Vec::new();
    if old == 0 || old == new {
        return Ok(proof);
    }
    let (mut lo, mut hi) = (0, new);
    // Whether the part of the old tree in `lo..hi` is a tree the verifier already knows by its root.
    let mut known = true;
    while old != hi {
        let middle = lo + split_below(hi - lo);
        if old <= middle {
            proof.push(range_hash(nodes, middle, hi)?);
            hi = middle;
        } else {
            proof.push(range_hash(nodes, lo, middle)?);
            lo = middle;
            known = false;
        }
    }
    if !known {
        proof.push(range_hash(nodes, lo, hi)?);
    }
    proof.reverse();
    Ok(proof)
}

/// Tells whether `proof` shows that `leaf` is entry `index` of the tree of `size` leaves with `root`
/// (RFC 9162, section 2.1.3.2).
#[must_use]
pub fn verify_inclusion(leaf: &Hash, index: u64, size: u64, proof: &[Hash], root: &Hash) -> bool {
    if index >= size {
        return false;
    }
    let (mut place, mut last, mut hash) = (index, size - 1, *leaf);
    for sibling in proof {
        if last == 0 {
            return false;
        }
        if place & 1 == 1 || place == last {
            hash = node_hash(sibling, &hash);
            while place & 1 == 0 && place != 0 {
                place >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        place >>= 1;
        last >>= 1;
    }
    last == 0 && hash == *root
}

/// Tells whether `proof` shows that the tree of `old` leaves with `old_root` is a prefix of the tree
/// of `new` leaves with `new_root` (RFC 9162, section 2.1.4.2).
#[must_use]
pub fn verify_consistency(
    old: u64,
    old_root: &Hash,
    new: u64,
    new_root: &Hash,
    proof: &[Hash],
) -> bool {
    if old > new {
        return false;
    }
    if old == new {
        return proof.is_empty() && old_root == new_root;
    }
    if old == 0 {
        return proof.is_empty() && *old_root == empty_root();
    }
    let mut proof = proof.iter();
    // A complete old tree is itself the first node, so its root is not sent.
    let first = if old.is_power_of_two() { Some(old_root) } else { proof.next() };
    let Some(first) = first else { return false };
    let (mut place, mut last) = (old - 1, new - 1);
    while place & 1 == 1 {
        place >>= 1;
        last >>= 1;
    }
    let (mut old_hash, mut new_hash) = (*first, *first);
    for sibling in proof {
        if last == 0 {
            return false;
        }
        if place & 1 == 1 || place == last {
            old_hash = node_hash(sibling, &old_hash);
            new_hash = node_hash(sibling, &new_hash);
            while place & 1 == 0 && place != 0 {
                place >>= 1;
                last >>= 1;
            }
        } else {
            new_hash = node_hash(&new_hash, sibling);
        }
        place >>= 1;
        last >>= 1;
    }
    last == 0 && old_hash == *old_root && new_hash == *new_root
}

#[cfg(test)]
pub(crate) mod tests;
