//! Tiles of the tree and bundles of entries: their names and how proofs read them (C2SP tlog-tiles).
//!
//! A tile of level `l` holds up to 256 hashes of complete subtrees of height `8 l`; a bundle holds up
//! to 256 entries, each after its length as two bytes. Only the last of a level may be partial.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::str::FromStr;

use crate::durable;
use crate::entry::{ENTRY_BYTES, Hash};
use crate::error::LedgerError;
use crate::merkle::{self, Nodes};

/// The number of hashes or entries in a full tile.
pub(crate) const TILE_WIDTH: u16 = 256;

/// The size of one entry in a bundle: its length in two bytes, then the entry.
pub(crate) const BUNDLE_ENTRY_BYTES: usize = 2 + ENTRY_BYTES;

/// The highest level that a tree of fewer than 2^64 entries can have.
const LEVEL_MAX: u8 = 7;

/// What a tile holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum TileKind {
    /// Entries: `tile/entries/…`.
    Entries,
    /// Hashes of one level: `tile/<level>/…`.
    Level(u8),
}

/// The name of a tile or bundle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TilePath {
    pub(crate) kind: TileKind,
    pub(crate) index: u64,
    /// From 1 to 256; below 256 the tile is partial.
    pub(crate) width: u16,
}

impl TilePath {
    /// Returns the size of one item in a tile of this kind.
    pub(crate) const fn item_bytes(self) -> usize {
        match self.kind {
            TileKind::Entries => BUNDLE_ENTRY_BYTES,
            TileKind::Level(_) => size_of::<Hash>(),
        }
    }

    /// Returns the full tile of this place.
    pub(crate) const fn full(self) -> Self {
        Self { width: TILE_WIDTH, ..self }
    }

    /// Returns the folder that holds the partial tiles of this place.
    pub(crate) fn partial_dir(self) -> String {
        format!("{}.p", self.full())
    }

    /// Returns the first entry that the `item`-th item of this tile covers.
    pub(crate) fn first_entry(self, item: u64) -> u64 {
        let place = self.index.saturating_mul(u64::from(TILE_WIDTH)).saturating_add(item);
        match self.kind {
            TileKind::Entries => place,
            TileKind::Level(level) => place.checked_shl(8 * u32::from(level)).unwrap_or(u64::MAX),
        }
    }
}

impl fmt::Display for TilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            TileKind::Entries => f.write_str("tile/entries/")?,
            TileKind::Level(level) => write!(f, "tile/{level}/")?,
        }
        let mut groups = Vec::new();
        let mut rest = self.index;
        loop {
            groups.push(rest % 1000);
            rest /= 1000;
            if rest == 0 {
                break;
            }
        }
        while let Some(group) = groups.pop() {
            if groups.is_empty() {
                write!(f, "{group:03}")?;
            } else {
                write!(f, "x{group:03}/")?;
            }
        }
        if self.width == TILE_WIDTH { Ok(()) } else { write!(f, ".p/{}", self.width) }
    }
}

impl FromStr for TilePath {
    type Err = LedgerError;

    /// Reads a name; only the one canonical spelling of each name is taken, so a path that leaves the
    /// folder cannot be expressed.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let not_a_tile =
            || LedgerError::NotFound(format!("there is no tile `{}`", text.escape_debug()));
        let parse = || -> Option<Self> {
            let (kind, rest) = text.strip_prefix("tile/")?.split_once('/')?;
            let kind = match kind {
                "entries" => TileKind::Entries,
                level => TileKind::Level(level.parse().ok().filter(|level| *level <= LEVEL_MAX)?),
            };
            let (number, width) = match rest.split_once(".p/") {
                Some((number, width)) => (number, width.parse().ok()?),
                None => (rest, TILE_WIDTH),
            };
            let mut index = 0_u64;
            for group in number.split('/') {
                let group: u64 = group.trim_start_matches('x').parse().ok()?;
                index = index.checked_mul(1000)?.checked_add(group)?;
            }
            (1..=TILE_WIDTH).contains(&width).then_some(Self { kind, index, width })
        };
        parse().filter(|path| path.to_string() == text).ok_or_else(not_a_tile)
    }
}

/// Reads the nodes of a tree of a given size out of the tiles on disk.
pub(crate) struct TileNodes<'a> {
    dir: &'a Path,
    size: u64,
    tiles: BTreeMap<TilePath, Vec<Hash>>,
}

impl<'a> TileNodes<'a> {
    pub(crate) const fn new(dir: &'a Path, size: u64) -> Self {
        Self { dir, size, tiles: BTreeMap::new() }
    }

    fn tile(&mut self, level: u8, index: u64) -> Result<&[Hash], LedgerError> {
        let hashes_in_level = self.size >> (8 * u32::from(level));
        let left = hashes_in_level.saturating_sub(index.saturating_mul(u64::from(TILE_WIDTH)));
        let width = u16::try_from(left).unwrap_or(TILE_WIDTH).min(TILE_WIDTH);
        let path = TilePath { kind: TileKind::Level(level), index, width };
        if !self.tiles.contains_key(&path) {
            let hashes = read_tile(self.dir, path)?;
            self.tiles.insert(path, hashes);
        }
        self.tiles.get(&path).map(Vec::as_slice).ok_or_else(|| LedgerError::internal("tile cache"))
    }
}

/// Reads a tile; a partial one that is gone is read out of the full one that took its place.
fn read_tile(dir: &Path, path: TilePath) -> Result<Vec<Hash>, LedgerError> {
    let name = path.to_string();
    let bytes = match durable::read(dir, &name) {
        Err(LedgerError::NotFound(_)) if path.width < TILE_WIDTH => {
            durable::read(dir, &path.full().to_string())?
        }
        other => other?,
    };
    let hashes: Vec<Hash> =
        bytes.as_chunks::<32>().0.iter().take(usize::from(path.width)).copied().collect();
    if hashes.len() == usize::from(path.width) && bytes.len().is_multiple_of(32) {
        return Ok(hashes);
    }
    Err(LedgerError::Corrupt { file: name, index: None, what: "the tile has a wrong size".into() })
}

impl Nodes for TileNodes<'_> {
    fn node(&mut self, height: u32, index: u64) -> Result<Hash, LedgerError> {
        let level = u8::try_from(height / 8).map_err(|_too_high| LedgerError::internal("level"))?;
        let count = 1_u64 << (height % 8);
        let first = index << (height % 8);
        let tile = self.tile(level, first / u64::from(TILE_WIDTH))?;
        let from = usize::try_from(first % u64::from(TILE_WIDTH)).unwrap_or(usize::MAX);
        let to = from.saturating_add(usize::try_from(count).unwrap_or(usize::MAX));
        tile.get(from..to)
            .map(merkle::fold)
            .ok_or_else(|| LedgerError::internal("a node outside the tree was asked for"))
    }
}

#[cfg(test)]
mod tests;
