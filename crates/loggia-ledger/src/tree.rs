//! The right edge of the tree: all that is needed to add leaves and to know the root.
//!
//! It takes leaves one by one, hands out each tile and bundle as it becomes full, and can tell the
//! partial ones at any size. The ledger writes what it hands out; the verifier compares it.

use crate::entry::{ENTRY_BYTES, Hash};
use crate::merkle;
use crate::tile::{TILE_WIDTH, TileKind, TilePath};

/// The bytes of one leaf.
pub(crate) type Leaf = [u8; ENTRY_BYTES];

/// A tile or bundle with its content.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TileFile {
    pub(crate) path: TilePath,
    pub(crate) bytes: Vec<u8>,
}

/// The right edge of a tree.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    size: u64,
    /// The entries of the partial bundle.
    bundle: Vec<u8>,
    /// The hashes of the partial tile of each level; each level holds fewer than 256.
    levels: Vec<Vec<Hash>>,
}

impl Tree {
    pub(crate) const fn size(&self) -> u64 {
        self.size
    }

    /// Adds a leaf and hands the tiles that this made full to `full`.
    pub(crate) fn push(&mut self, leaf: &Leaf, full: &mut impl FnMut(TileFile)) {
        // An entry has 119 bytes, which two bytes can say.
        self.bundle.extend_from_slice(&[0, LEAF_LEN]);
        self.bundle.extend_from_slice(leaf);
        self.size += 1;
        let is_full = self.size.is_multiple_of(u64::from(TILE_WIDTH));
        if is_full {
            let path = self.last_full(TileKind::Entries, self.size);
            full(TileFile { path, bytes: std::mem::take(&mut self.bundle) });
        }
        let mut carried = merkle::leaf_hash(leaf);
        let mut hashes_in_level = self.size;
        for level in 0_u8.. {
            let hashes = self.level(level);
            hashes.push(carried);
            if hashes.len() < usize::from(TILE_WIDTH) {
                break;
            }
            let hashes = std::mem::take(hashes);
            carried = merkle::fold(&hashes);
            let path = self.last_full(TileKind::Level(level), hashes_in_level);
            full(TileFile { path, bytes: hashes.concat() });
            hashes_in_level /= u64::from(TILE_WIDTH);
        }
    }

    fn level(&mut self, level: u8) -> &mut Vec<Hash> {
        let at = usize::from(level);
        if self.levels.len() <= at {
            self.levels.resize_with(at + 1, Vec::new);
        }
        #[expect(clippy::indexing_slicing, reason = "the list was made long enough just above")]
        &mut self.levels[at]
    }

    const fn last_full(&self, kind: TileKind, items: u64) -> TilePath {
        TilePath { kind, index: items / 256 - 1, width: TILE_WIDTH }
    }

    /// Returns the partial tiles of this size, the bundle first.
    pub(crate) fn partials(&self) -> Vec<TileFile> {
        let mut files = Vec::new();
        let mut items = self.size;
        let bundle = (TileKind::Entries, self.size, self.bundle.clone());
        let levels = self.levels.iter().zip(0_u8..).map(|(hashes, level)| {
            let of_level = (TileKind::Level(level), items, hashes.concat());
            items /= u64::from(TILE_WIDTH);
            of_level
        });
        for (kind, items, bytes) in std::iter::once(bundle).chain(levels) {
            let width = u16::try_from(items % u64::from(TILE_WIDTH)).unwrap_or(0);
            if width > 0 {
                let path = TilePath { kind, index: items / u64::from(TILE_WIDTH), width };
                files.push(TileFile { path, bytes });
            }
        }
        files
    }

    /// Returns the root of the tree at this size.
    pub(crate) fn root(&self) -> Hash {
        let mut root: Option<Hash> = None;
        for hashes in &self.levels {
            let mut rest = hashes.as_slice();
            // Complete subtrees from the right: the smallest are the last of the lowest level.
            while let Some(lowest) =
                rest.len().checked_ilog2().map(|_some| rest.len().trailing_zeros())
            {
                let (before, piece) = rest.split_at(rest.len() - (1 << lowest));
                let piece = merkle::fold(piece);
                root = Some(root.map_or(piece, |right| merkle::node_hash(&piece, &right)));
                rest = before;
            }
        }
        root.unwrap_or_else(merkle::empty_root)
    }
}

#[expect(clippy::cast_possible_truncation, reason = "119 fits; checked at compile time below")]
const LEAF_LEN: u8 = ENTRY_BYTES as u8;
const _: () = assert!(ENTRY_BYTES < 256, "the length of an entry is written as one low byte");

#[cfg(test)]
mod tests;
