//! Tests of the tree: published roots, and proofs that verify exactly when they should.

use proptest::prelude::*;

use super::{
    Nodes, empty_root, fold, leaf_hash, prove_consistency, prove_inclusion, root,
    verify_consistency, verify_inclusion,
};
use crate::entry::{Hash, Hex};
use crate::error::LedgerError;

/// The nodes over a list of leaves, computed anew each time.
pub(crate) struct Leaves(pub(crate) Vec<Hash>);

impl Nodes for Leaves {
    fn node(&mut self, height: u32, index: u64) -> Result<Hash, LedgerError> {
        let from = usize::try_from(index << height).unwrap();
        Ok(fold(&self.0[from..from + (1 << height)]))
    }
}

fn leaves(count: u64) -> Leaves {
    Leaves((0..count).map(|i| leaf_hash(&i.to_be_bytes())).collect())
}

#[test]
fn the_roots_are_those_of_certificate_transparency() {
    let inputs: [&[u8]; 8] = [
        b"",
        b"\x00",
        b"\x10",
        b"\x20\x21",
        b"\x30\x31",
        b"\x40\x41\x42\x43",
        b"\x50\x51\x52\x53\x54\x55\x56\x57",
        b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
    ];
    let roots = [
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];
    for (size, expected) in roots.iter().enumerate() {
        let hashes: Vec<Hash> = inputs[..size].iter().map(|input| leaf_hash(input)).collect();
        assert_eq!(Hex(&fold(&hashes)).to_string(), *expected, "fold of {size}");
        let root = root(&mut Leaves(hashes), size as u64).unwrap();
        assert_eq!(Hex(&root).to_string(), *expected, "root of {size}");
    }
}

#[test]
fn every_small_proof_verifies_and_no_other_index_does() {
    for size in 1..=40 {
        let mut tree = leaves(size);
        let root = root(&mut tree, size).unwrap();
        for index in 0..size {
            let proof = prove_inclusion(&mut tree, index, size).unwrap();
            for other in 0..size {
                let leaf = leaf_hash(&other.to_be_bytes());
                let ok = verify_inclusion(&leaf, index, size, &proof, &root);
                assert_eq!(ok, other == index, "leaf {other} at {index} of {size}");
            }
        }
    }
}

#[test]
fn every_small_prefix_is_consistent() {
    for new in 0..=40 {
        let mut tree = leaves(new);
        let new_root = root(&mut tree, new).unwrap();
        for old in 0..=new {
            let old_root = root(&mut tree, old).unwrap();
            let proof = prove_consistency(&mut tree, old, new).unwrap();
            assert!(verify_consistency(old, &old_root, new, &new_root, &proof), "{old} to {new}");
            if old > 0 && old < new {
                let wrong = leaf_hash(b"wrong");
                assert!(!verify_consistency(old, &wrong, new, &new_root, &proof));
                assert!(!verify_consistency(old, &old_root, new, &wrong, &proof));
                assert!(!verify_consistency(old, &old_root, new, &new_root, &[]));
            }
        }
    }
}

#[test]
fn what_is_not_there_cannot_be_proved() {
    let mut tree = leaves(5);
    assert!(prove_inclusion(&mut tree, 5, 5).is_err());
    assert!(prove_consistency(&mut tree, 6, 5).is_err());
    assert!(!verify_inclusion(&leaf_hash(b"x"), 0, 0, &[], &empty_root()));
    assert!(!verify_consistency(6, &[0; 32], 5, &[0; 32], &[]));
    assert!(!verify_consistency(0, &[0; 32], 5, &[0; 32], &[]));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_proof_verifies_only_as_it_was_made(
        size in 1_u64..1500, index in any::<prop::sample::Index>(), flip in any::<prop::sample::Index>(),
    ) {
        let mut tree = leaves(size);
        let index = index.index(usize::try_from(size).unwrap()) as u64;
        let root = root(&mut tree, size).unwrap();
        let leaf = leaf_hash(&index.to_be_bytes());
        let proof = prove_inclusion(&mut tree, index, size).unwrap();
        prop_assert!(verify_inclusion(&leaf, index, size, &proof, &root));
        prop_assert!(!verify_inclusion(&leaf, index + 1, size, &proof, &root));
        prop_assert!(!verify_inclusion(&leaf_hash(b"other"), index, size, &proof, &root));
        let longer = [proof.as_slice(), &[[0; 32]]].concat();
        prop_assert!(!verify_inclusion(&leaf, index, size, &longer, &root));
        if !proof.is_empty() {
            prop_assert!(!verify_inclusion(&leaf, index, size, &proof[1..], &root));
            let mut changed = proof;
            let bit = flip.index(changed.len() * 256);
            changed[bit / 256][bit % 256 / 8] ^= 1 << (bit % 8);
            prop_assert!(!verify_inclusion(&leaf, index, size, &changed, &root));
        }
    }

    #[test]
    fn any_two_sizes_are_consistent(a in 0_u64..1500, b in 0_u64..1500, flip in any::<prop::sample::Index>()) {
        let (old, new) = (a.min(b), a.max(b));
        let mut tree = leaves(new);
        let old_root = root(&mut tree, old).unwrap();
        let new_root = root(&mut tree, new).unwrap();
        let proof = prove_consistency(&mut tree, old, new).unwrap();
        prop_assert!(verify_consistency(old, &old_root, new, &new_root, &proof));
        if !proof.is_empty() {
            let mut changed = proof;
            let bit = flip.index(changed.len() * 256);
            changed[bit / 256][bit % 256 / 8] ^= 1 << (bit % 8);
            prop_assert!(!verify_consistency(old, &old_root, new, &new_root, &changed));
        }
    }
}
