//! Tests of the right edge: the tile layouts that the format gives as examples, and the root.

use std::collections::BTreeMap;

use super::{TileFile, Tree};
use crate::entry::{ENTRY_BYTES, Hash};
use crate::merkle::{leaf_hash, root, tests::Leaves};

fn leaf(i: u64) -> [u8; ENTRY_BYTES] {
    let mut leaf = [7; ENTRY_BYTES];
    leaf[..8].copy_from_slice(&i.to_be_bytes());
    leaf
}

fn grown(size: u64) -> (Tree, Vec<TileFile>) {
    let mut tree = Tree::default();
    let mut files = Vec::new();
    for i in 0..size {
        tree.push(&leaf(i), &mut |file| files.push(file));
    }
    (tree, files)
}

fn names(size: u64) -> Vec<String> {
    let (tree, mut files) = grown(size);
    files.extend(tree.partials());
    files.iter().map(|file| file.path.to_string()).collect()
}

#[test]
fn small_trees_have_the_tiles_of_the_format() {
    assert_eq!(names(0), Vec::<String>::new());
    assert_eq!(names(1), ["tile/entries/000.p/1", "tile/0/000.p/1"]);
    assert_eq!(names(256), ["tile/entries/000", "tile/0/000", "tile/1/000.p/1"]);
    assert_eq!(
        names(257),
        [
            "tile/entries/000",
            "tile/0/000",
            "tile/entries/001.p/1",
            "tile/0/001.p/1",
            "tile/1/000.p/1"
        ]
    );
}

#[test]
fn seventy_thousand_entries_have_the_tiles_of_the_format() {
    let names = names(70_000);
    let full_level_0 =
        names.iter().filter(|name| name.starts_with("tile/0/") && !name.contains(".p/")).count();
    assert_eq!(full_level_0, 273);
    for name in ["tile/0/273.p/112", "tile/entries/273.p/112", "tile/1/000", "tile/1/001.p/17"] {
        assert!(names.iter().any(|found| found == name), "no {name}");
    }
    assert!(names.iter().any(|found| found == "tile/2/000.p/1"));
    // Level 0 and entries: 273 full and a partial each; level 1: one of each; level 2: one partial.
    assert_eq!(names.len(), 2 * 274 + 2 + 1);
}

#[test]
fn tiles_hold_the_hashes_of_their_subtrees() {
    let size = 66_000;
    let (tree, mut files) = grown(size);
    files.extend(tree.partials());
    let files: BTreeMap<String, Vec<u8>> =
        files.into_iter().map(|file| (file.path.to_string(), file.bytes)).collect();
    let hashes: Vec<Hash> = (0..size).map(|i| leaf_hash(&leaf(i))).collect();
    assert_eq!(files["tile/0/001"], hashes[256..512].concat());
    let subtree = |i: usize| crate::merkle::fold(&hashes[i * 256..(i + 1) * 256]);
    assert_eq!(files["tile/1/000"], (0..256).map(subtree).collect::<Vec<_>>().concat());
    assert_eq!(files["tile/1/001.p/1"], subtree(256));
    assert_eq!(files["tile/2/000.p/1"], crate::merkle::fold(&hashes[..65_536]));
    let bundle = &files["tile/entries/000"];
    assert_eq!(bundle.len(), 256 * 121);
    assert_eq!(bundle[..2], [0, 119]);
    assert_eq!(bundle[2..121], leaf(0));
    assert_eq!(bundle[121 + 2..242], leaf(1));
}

#[test]
fn the_root_is_that_of_the_whole_tree_at_every_size() {
    let mut tree = Tree::default();
    let mut leaves = Leaves(Vec::new());
    for i in 0..1100 {
        assert_eq!(tree.root(), root(&mut leaves, i).unwrap(), "size {i}");
        tree.push(&leaf(i), &mut drop);
        leaves.0.push(leaf_hash(&leaf(i)));
    }
}
