//! Verification: every file of a store is read, and whatever is not as it was written is named.
//!
//! Bytes are covered by an authenticated tag (frames, block indexes, Parquet modules), by a digest in a tagged catalog row
//! (segments), or by a sidecar (databases, at a clean close). Sealed content is checked by its file's digest and never
//! opened: that would need a receipt.

mod segments;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use loggia_keys::KeyStore;

use crate::catalog::{Catalog, Contents, Position};
use crate::error::{Error, Result};
use crate::format::batch;
use crate::health::describe;
use crate::layout;
use crate::segment::{SegmentEntry, SegmentInfo};
use crate::sidecar::{self, SidecarState};
use crate::store::{first_missing, lock_existing};
use crate::wal::{self, WalReader};

/// What to look at besides the store's own files.
#[derive(Clone, Default, Debug)]
pub struct VerifyOptions {
    /// Further files that were given a sidecar at a clean close, such as those of the key store.
    pub sealed_files: Vec<PathBuf>,
    /// Files and directories under the data directory that others verify, such as the ledger's.
    pub foreign: Vec<PathBuf>,
}

/// One thing found wrong.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VerifyProblem {
    /// The file, relative to the data directory where it lies there.
    pub file: String,
    /// What is wrong.
    pub what: String,
}

/// What a verification found.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct VerifyReport {
    /// Files that were read.
    pub files: u64,
    /// Bytes of them.
    pub bytes: u64,
    /// Log frames that opened.
    pub frames: u64,
    /// Rows of segments that were read.
    pub rows: u64,
    /// What is wrong.
    pub errors: Vec<VerifyProblem>,
    /// What could not be checked to the byte, and why.
    pub notes: Vec<VerifyProblem>,
}

impl VerifyReport {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.errors.is_empty()
    }

    fn error(&mut self, file: impl Into<String>, what: impl Into<String>) {
        self.errors.push(VerifyProblem { file: file.into(), what: what.into() });
    }

    fn note(&mut self, file: impl Into<String>, what: impl Into<String>) {
        self.notes.push(VerifyProblem { file: file.into(), what: what.into() });
    }

    /// Takes an error under the name of the file it is about: its own, where it knows one.
    fn failed(&mut self, file: impl Into<String>, error: &Error) {
        if let Error::Corrupt { file, offset, what } = error {
            let at = offset.map(|offset| format!(" at byte {offset}")).unwrap_or_default();
            self.error(file.as_str(), format!("{what}{at}"));
        } else {
            self.error(file, describe(error));
        }
    }
}

/// Checks every file of a store that no process has open.
///
/// Sidecars are compared first, before anything is opened: give the key store's files in
/// [`VerifyOptions::sealed_files`] and `keys` as a function that opens it.
///
/// # Errors
/// Fails when the store is in use or cannot be listed; damage is in the report.
pub fn verify_dir(
    dir: &Path,
    options: &VerifyOptions,
    keys: impl FnOnce() -> loggia_keys::Result<Arc<KeyStore>>,
) -> Result<VerifyReport> {
    let _lock = lock_existing(dir)?;
    let mut report = VerifyReport::default();
    let sealed: Vec<PathBuf> = [dir.join(layout::CATALOG_FILE)]
        .into_iter()
        .chain(options.sealed_files.iter().cloned())
        .collect();
    for file in &sealed {
        check_sealed(&mut report, dir, file);
    }
    check_lock_file(&mut report, dir);
    let contents = match keys() {
        Err(error) => {
            let place = options.sealed_files.first().and_then(|file| file.parent());
            report.error(
                place.map_or_else(|| "keys".to_owned(), |place| name_in(dir, place)),
                format!("the key store does not open, so nothing encrypted was checked: {error}"),
            );
            None
        }
        Ok(keys) => check_encrypted(&mut report, dir, &keys),
    };
    check_tree(&mut report, dir, options, &sealed, contents.as_ref())?;
    report.errors.sort_by(|a, b| a.file.cmp(&b.file));
    Ok(report)
}

/// Checks the segments of an open store; `catalog` is what its own check found.
pub(crate) fn verify_open(
    dir: &Path,
    keys: &KeyStore,
    catalog: Result<()>,
    segments: &[Arc<SegmentInfo>],
) -> VerifyReport {
    let mut report = VerifyReport::default();
    if let Err(error) = catalog {
        report.failed(layout::CATALOG_FILE, &error);
    }
    for segment in segments {
        segments::check(&mut report, dir, keys, &segment.entry, &segment.schema);
    }
    report
}

/// Everything that needs keys: catalog, log, segments.
fn check_encrypted(
    report: &mut VerifyReport,
    dir: &Path,
    keys: &Arc<KeyStore>,
) -> Option<(Position, Contents)> {
    let opened = match dir.join(layout::CATALOG_FILE).exists() {
        true => Catalog::open_read_only(dir, Arc::clone(keys)),
        false => Err(Error::corrupt(layout::CATALOG_FILE, None, "it is missing")),
    };
    let (catalog, contents) = match opened {
        Ok(opened) => opened,
        Err(error) => {
            report.failed(layout::CATALOG_FILE, &error);
            check_log(report, dir, keys, None);
            return None;
        }
    };
    check_log(report, dir, keys, Some(catalog.position()));
    let mut schemas = crate::format::schema::Catalogue::default();
    for entry in &contents.segments {
        match contents.schemas.get(&entry.schema).and_then(|bytes| schemas.attach(bytes)) {
            Some(schema) => segments::check(report, dir, keys, entry, &schema),
            None => report.error(
                layout::CATALOG_FILE,
                format!("the schema of segment `{}` cannot be read", entry.id),
            ),
        }
    }
    Some((catalog.position(), contents))
}

fn check_sealed(report: &mut VerifyReport, dir: &Path, file: &Path) {
    let name = name_in(dir, file);
    if !file.exists() {
        return report.error(name, "it is missing");
    }
    match sidecar::check_sidecar(file) {
        Ok(SidecarState::Same) => {}
        Ok(SidecarState::Changed) => {
            report.error(name, "it is not as it was when the store was closed");
        }
        Ok(SidecarState::Damaged) => {
            report.error(name_in(dir, &sidecar::sidecar_of(file)), "it is damaged");
        }
        Ok(SidecarState::Absent) => {
            report.note(
                name,
                "no clean close, so bytes that no reader looks at could not be checked",
            );
        }
        Err(error) => report.failed(name, &error),
    }
}

fn check_lock_file(report: &mut VerifyReport, dir: &Path) {
    if fs::metadata(dir.join(layout::LOCK_FILE)).is_ok_and(|file| file.len() > 0) {
        report.error(layout::LOCK_FILE, "it is not empty");
    }
}

fn check_log(report: &mut VerifyReport, dir: &Path, keys: &KeyStore, position: Option<Position>) {
    let found = match wal::list(dir) {
        Ok(found) => found,
        Err(error) => return report.failed(layout::WAL_DIR, &error),
    };
    let position = position.unwrap_or_else(|| Position {
        wal_flushed: found.first().copied().unwrap_or(1).saturating_sub(1),
        wal_last: 0,
    });
    if let Some(seq) = first_missing(position, &found) {
        report.error(layout::display(&layout::wal_file(seq)), "it is missing");
    }
    for seq in &found {
        let name = layout::display(&layout::wal_file(*seq));
        let is_last = found.last() == Some(seq) && *seq > position.wal_last;
        if let Err(error) = check_log_file(report, dir, keys, *seq, is_last) {
            report.failed(name, &error);
        }
    }
}

fn check_log_file(
    report: &mut VerifyReport,
    dir: &Path,
    keys: &KeyStore,
    seq: u64,
    is_last: bool,
) -> Result<()> {
    let reader = WalReader::open(dir, seq)?;
    let mut frames = 0_u64;
    let scanned = reader.scan(keys, |offset, body| {
        if !batch::is_batch(body) {
            return Err(reader.damaged(offset, "a frame opens, yet is not a batch"));
        }
        frames = frames.saturating_add(1);
        Ok(())
    })?;
    report.frames = report.frames.saturating_add(frames);
    if let Some(offset) = scanned.torn_at {
        return Err(
            reader.damaged(offset, "what follows the last whole frame is a torn write or damage")
        );
    }
    if !scanned.ended && !is_last {
        return Err(reader.damaged(scanned.end, "the log ends early"));
    }
    Ok(())
}

/// Compares the files that are there with those that should be.
fn check_tree(
    report: &mut VerifyReport,
    dir: &Path,
    options: &VerifyOptions,
    sealed: &[PathBuf],
    contents: Option<&(Position, Contents)>,
) -> Result<()> {
    let mut known: BTreeSet<PathBuf> = sealed.iter().cloned().collect();
    known.extend(sealed.iter().map(|file| sidecar::sidecar_of(file)));
    known.insert(dir.join(layout::LOCK_FILE));
    for suffix in ["-wal", "-shm"] {
        known.insert(dir.join(format!("{}{suffix}", layout::CATALOG_FILE)));
    }
    for entry in contents.iter().flat_map(|(_, contents)| &contents.segments) {
        known.extend(files_of(dir, entry));
    }
    let foreign: BTreeSet<PathBuf> = options.foreign.iter().map(|path| dir.join(path)).collect();
    let mut stack = vec![dir.to_path_buf()];
    while let Some(parent) = stack.pop() {
        for entry in fs::read_dir(&parent).map_err(|e| Error::io("list", &parent, e))? {
            let path = entry.map_err(|e| Error::io("list", &parent, e))?.path();
            if foreign.contains(&path) {
                continue;
            }
            if path.is_dir() {
                stack.push(path);
                continue;
            }
            report.files = report.files.saturating_add(1);
            report.bytes =
                report.bytes.saturating_add(fs::metadata(&path).map_or(0, |file| file.len()));
            let is_log = path.parent() == Some(dir.join(layout::WAL_DIR).as_path())
                && path
                    .file_name()
                    .and_then(|name| name.to_str())
                    .and_then(layout::wal_seq)
                    .is_some();
            let segments_unknown =
                contents.is_none() && path.starts_with(dir.join(layout::SEGMENTS_DIR));
            if !known.contains(&path) && !is_log && !segments_unknown {
                report.error(name_in(dir, &path), orphan(&path));
            }
        }
    }
    Ok(())
}

fn orphan(path: &Path) -> &'static str {
    match sidecar::owner_of(path).is_some_and(|owner| owner.exists()) {
        true => "a sidecar of a file that has none",
        false => "an orphan: nothing refers to it",
    }
}

fn files_of(dir: &Path, entry: &SegmentEntry) -> Vec<PathBuf> {
    match layout::day_dir(&entry.tenant, &entry.stream, &entry.day) {
        Ok(day) => {
            let (parquet, content) = layout::segment_files(&dir.join(day), entry.id);
            vec![parquet, content]
        }
        Err(_) => Vec::new(),
    }
}

fn name_in(dir: &Path, file: &Path) -> String {
    layout::display(file.strip_prefix(dir).unwrap_or(file))
}
