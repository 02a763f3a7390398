//! The verifier: checks a copy of a ledger, byte by byte, with nothing but the public key.
//!
//! It reads the journal once, builds the tree anew and compares every file of the folder with what
//! the entries and the signatures say it must be. It needs no secret, no server and little memory.
//!
//! What it cannot see: a copy that is whole but old. Compare its checkpoint with one that was handed
//! out later, or with a witness, to see that.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::fs;
use std::path::Path;

use crate::checkpoint::{Checkpoint, JournalHead};
use crate::durable::{self, TMP_DIR};
use crate::entry::Hash;
use crate::error::LedgerError;
use crate::journal::{self, Next, Reader};
use crate::note::{Note, VerifierKey};
use crate::open;
use crate::publish::{CHECKPOINT_FILE, HEAD_FILE, VKEY_FILE};
use crate::tile::{TILE_WIDTH, TilePath};
use crate::tree::{TileFile, Tree};

/// What was verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifyReport {
    /// The name of the log.
    pub origin: String,
    /// The key under which the signatures were checked.
    pub vkey: String,
    /// Whether the caller gave that key. If not, it came out of the copy itself, and the result says
    /// that the copy is whole but not who signed it.
    pub key_given: bool,
    /// The number of entries in the journal.
    pub entries: u64,
    /// The number of entries that the checkpoint signs; the rest waits for the next one.
    pub signed: u64,
    /// The root that the checkpoint signs.
    pub root: Hash,
    /// The number of files that were compared.
    pub files: usize,
    /// What is no damage but should be looked at: unknown files, signatures of unknown keys.
    pub warnings: Vec<String>,
}

/// The first problem that was found.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{file}`{}: {what}", .index.map(|index| format!(" at entry {index}")).unwrap_or_default())]
pub struct VerifyFailure {
    /// The file, relative to the ledger's folder.
    pub file: String,
    /// The entry at which the problem shows, if one can be told.
    pub index: Option<u64>,
    /// What does not fit.
    pub what: String,
}

impl VerifyFailure {
    pub(crate) fn new(file: impl Into<String>, index: Option<u64>, what: impl Display) -> Self {
        Self { file: file.into(), index, what: what.to_string() }
    }
}

/// Verifies a ledger folder, or a copy of one.
///
/// `vkey` is the key of the log, learnt beforehand by another way than the copy. Without it the key in
/// the copy is used, which shows damage but not forgery.
///
/// # Errors
/// Names the file and the entry of the first problem.
pub fn verify_dir(dir: &Path, vkey: Option<&str>) -> Result<VerifyReport, VerifyFailure> {
    verify(dir, vkey, None)
}

/// Verifies a ledger folder; of an open one only the first `limit` entries, which are durable.
pub(crate) fn verify(
    dir: &Path,
    vkey: Option<&str>,
    limit: Option<u64>,
) -> Result<VerifyReport, VerifyFailure> {
    let mut warnings = Vec::new();
    let key = read_key(dir, vkey)?;
    let checkpoint = read_note(dir, CHECKPOINT_FILE, &key, Checkpoint::verify, &mut warnings)?;
    let head = read_note(dir, HEAD_FILE, &key, JournalHead::verify, &mut warnings)?;
    if head.size < checkpoint.size {
        let what = format!("it signs {} entries, the checkpoint {}", head.size, checkpoint.size);
        return Err(VerifyFailure::new(HEAD_FILE, None, what));
    }
    let mut seen = BTreeSet::new();
    seen.extend([VKEY_FILE, CHECKPOINT_FILE, HEAD_FILE, journal::FILE].map(str::to_owned));
    let mut check = Check { dir, checkpoint, head, tree: Tree::default(), seen };
    check.journal(&key, limit)?;
    check.edge()?;
    check.other_files(&mut warnings)?;
    Ok(VerifyReport {
        origin: key.name().to_owned(),
        vkey: key.to_string(),
        key_given: vkey.is_some(),
        entries: check.tree.size(),
        signed: check.checkpoint.size,
        root: check.checkpoint.root,
        files: check.seen.len(),
        warnings,
    })
}

/// Returns the key to verify with, after comparing it with the copy's own.
fn read_key(dir: &Path, given: Option<&str>) -> Result<VerifierKey, VerifyFailure> {
    let failure = |error: LedgerError| VerifyFailure::new(VKEY_FILE, None, error);
    let found = durable::read_text(dir, VKEY_FILE).map_err(failure)?;
    let line = found.strip_suffix('\n').unwrap_or(&found);
    let key: VerifierKey = given.unwrap_or(line).parse().map_err(failure)?;
    if format!("{key}\n") == found {
        return Ok(key);
    }
    Err(VerifyFailure::new(VKEY_FILE, None, format!("it does not hold the key `{key}`")))
}

/// Reads a signed file, which must be spelt exactly as its content is written.
fn read_note<T>(
    dir: &Path,
    name: &str,
    key: &VerifierKey,
    verify: impl Fn(&str, &VerifierKey) -> Result<T, LedgerError>,
    warnings: &mut Vec<String>,
) -> Result<T, VerifyFailure> {
    let failure = |error: LedgerError| VerifyFailure::new(name, None, error);
    let text = durable::read_text(dir, name).map_err(failure)?;
    let value = verify(&text, key).map_err(failure)?;
    let note = Note::parse(&text).map_err(failure)?;
    if note.to_string() != text {
        return Err(VerifyFailure::new(name, None, "it is not spelt as a log spells it"));
    }
    for name_of_other in note.signers_other_than(key) {
        warnings.push(format!("`{name}` has a signature of `{name_of_other}`, not checked"));
    }
    Ok(value)
}

/// A verification under way.
struct Check<'a> {
    dir: &'a Path,
    checkpoint: Checkpoint,
    head: JournalHead,
    tree: Tree,
    /// The files that were compared.
    seen: BTreeSet<String>,
}

impl Check<'_> {
    /// Reads the journal from its start, and compares each tile as it becomes full.
    fn journal(&mut self, key: &VerifierKey, limit: Option<u64>) -> Result<(), VerifyFailure> {
        let failure =
            |index: Option<u64>, what: &str| VerifyFailure::new(journal::FILE, index, what);
        let (header, mut reader) = Reader::open(self.dir)
            .map_err(|error| VerifyFailure::new(journal::FILE, None, error))?;
        if header.origin != key.name() {
            return Err(failure(None, "it belongs to another log"));
        }
        loop {
            let seq = self.tree.size();
            self.signed_here(&reader.mark().chain)?;
            if limit == Some(seq) {
                return Ok(());
            }
            let next = reader
                .next()
                .map_err(|error| failure(Some(seq), &format!("it cannot be read: {error}")))?;
            match next {
                Next::Frame(frame) => {
                    open::check_frame(&frame, seq, header.shard)
                        .map_err(|what| failure(Some(seq), &what))?;
                    let mut full = Vec::new();
                    self.tree.push(&frame.leaf, &mut |file| full.push(file));
                    full.iter().try_for_each(|file| self.full_tile(file))?;
                }
                Next::End if seq >= self.head.size => return Ok(()),
                Next::End => {
                    let what = format!("it ends here, but {} were signed", self.head.size);
                    return Err(failure(Some(seq), &what));
                }
                Next::Broken(what) if seq >= self.head.size => {
                    let what =
                        format!("{what}, behind the last signed entry: opening the ledger cuts it");
                    return Err(failure(Some(seq), &what));
                }
                Next::Broken(what) => return Err(failure(Some(seq), what)),
            }
        }
    }

    /// Compares with the signatures when they speak of the entries read so far.
    fn signed_here(&mut self, chain: &Hash) -> Result<(), VerifyFailure> {
        let seq = self.tree.size();
        if seq == self.head.size && *chain != self.head.chain {
            let what = "the records are not those that were signed";
            return Err(VerifyFailure::new(journal::FILE, None, what));
        }
        if seq != self.checkpoint.size {
            return Ok(());
        }
        if self.tree.root() != self.checkpoint.root {
            let what = "the entries are not those that the checkpoint signs";
            return Err(VerifyFailure::new(journal::FILE, None, what));
        }
        self.tree.partials().iter().try_for_each(|file| {
            // The full tile may have taken its place, in a copy made while the ledger grew.
            let replaced = self.dir.join(file.path.full().to_string()).exists();
            self.compare(file.path, &file.bytes, !replaced)
        })
    }

    /// Compares a full tile and whatever partial ones of its place are left.
    fn full_tile(&mut self, file: &TileFile) -> Result<(), VerifyFailure> {
        let signed = self.tree.size() <= self.checkpoint.size;
        self.compare(file.path, &file.bytes, signed)?;
        self.partial_tiles(file)
    }

    /// Compares the tiles at the right edge of the journal.
    fn edge(&mut self) -> Result<(), VerifyFailure> {
        self.tree.partials().iter().try_for_each(|file| self.partial_tiles(file))
    }

    /// Compares the partial tiles on disk of the place of `file`, which holds as much or more.
    fn partial_tiles(&mut self, file: &TileFile) -> Result<(), VerifyFailure> {
        for name in names_in(self.dir, &file.path.partial_dir())? {
            let width = name.parse().ok().filter(|width| (1..TILE_WIDTH).contains(width));
            let Some(width) = width.filter(|width| *width <= file.path.width) else { continue };
            let path = TilePath { width, ..file.path };
            let bytes = usize::from(width) * path.item_bytes();
            self.compare(path, file.bytes.get(..bytes).unwrap_or_default(), false)?;
        }
        Ok(())
    }

    /// Compares a tile on disk with what it must hold.
    fn compare(
        &mut self,
        path: TilePath,
        expected: &[u8],
        required: bool,
    ) -> Result<(), VerifyFailure> {
        let name = path.to_string();
        let found = match durable::read(self.dir, &name) {
            Err(LedgerError::NotFound(_)) if !required => return Ok(()),
            other => other
                .map_err(|error| VerifyFailure::new(&name, Some(path.first_entry(0)), error))?,
        };
        if found != expected {
            let same = found.iter().zip(expected).take_while(|(a, b)| a == b).count();
            let index = path.first_entry((same / path.item_bytes()) as u64);
            let what = "it does not hold what the journal says";
            return Err(VerifyFailure::new(&name, Some(index), what));
        }
        self.seen.insert(name);
        Ok(())
    }

    /// Reports the files that nothing above has asked for.
    fn other_files(&self, warnings: &mut Vec<String>) -> Result<(), VerifyFailure> {
        let mut folders = vec![String::new()];
        while let Some(folder) = folders.pop() {
            for name in names_in(self.dir, &folder)? {
                let name = if folder.is_empty() { name } else { format!("{folder}/{name}") };
                if self.seen.contains(&name) {
                    continue;
                }
                let is_folder =
                    fs::symlink_metadata(self.dir.join(&name)).is_ok_and(|found| found.is_dir());
                if is_folder {
                    folders.push(name);
                } else if let Ok(path) = name.parse::<TilePath>() {
                    let what = "it holds more than the journal";
                    return Err(VerifyFailure::new(name, Some(path.first_entry(0)), what));
                } else if folder == TMP_DIR {
                    warnings.push(format!("`{name}` was left over when a write was cut short"));
                } else {
                    warnings.push(format!("`{name}` is not a file of the ledger, not checked"));
                }
            }
        }
        Ok(())
    }
}

/// Returns the names in a folder, sorted; none if it is not there.
fn names_in(dir: &Path, folder: &str) -> Result<Vec<String>, VerifyFailure> {
    let unreadable = |error: std::io::Error| {
        VerifyFailure::new(folder, None, format!("cannot be read: {error}"))
    };
    let entries = match fs::read_dir(dir.join(folder)) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other.map_err(unreadable)?,
    };
    let mut names = entries
        .map(|entry| entry.map(|entry| entry.file_name().to_string_lossy().into_owned()))
        .collect::<Result<Vec<_>, _>>()
        .map_err(unreadable)?;
    names.sort_unstable();
    Ok(names)
}

#[cfg(test)]
mod tests;
