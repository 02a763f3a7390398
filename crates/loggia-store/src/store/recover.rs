//! Opening: what exists is what the catalog and the log say; everything else on disk is what a crash left behind.
//!
//! The log is replayed by the code that also publishes live commits, so a replayed record is like any other.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::Path;
use std::sync::Arc;

use loggia_keys::KeyStore;
use loggia_ledger::Clock;
use loggia_policy::StreamSchema;

use crate::catalog::{Catalog, Contents, Position};
use crate::config::StoreConfig;
use crate::durable::{self, LogFile};
use crate::error::{Error, Result};
use crate::flush::{remove_announced, remove_drained};
use crate::format::batch;
use crate::format::schema::Catalogue;
use crate::layout;
use crate::memtable::{Committing, Memtable};
use crate::segment::SegmentInfo;
use crate::sidecar::{self, SidecarState};
use crate::wal::{self, Scanned, WalReader};

pub(super) struct Recovered {
    pub(super) lock: File,
    pub(super) memtable: Memtable,
    pub(super) catalog: Catalog,
    pub(super) next_wal_seq: u64,
}

/// The steps of opening a store.
pub(super) fn recover(
    config: &StoreConfig,
    keys: &Arc<KeyStore>,
    schemas: &[Arc<StreamSchema>],
    clock: &dyn Clock,
) -> Result<Recovered> {
    let root = config.dir.as_path();
    durable::create_dir(root)?;
    let lock = lock(root)?;
    for dir in [layout::WAL_DIR, layout::SEGMENTS_DIR] {
        durable::create_dir(&root.join(dir))?;
    }
    unseal_catalog(root)?;
    let (mut catalog, contents) = Catalog::open(root, Arc::clone(keys), clock.now_ns())?;
    remove_leftovers(root, &mut catalog, &contents)?;
    remove_drained(config, keys, catalog.position().wal_flushed)?;
    let mut schemas = Catalogue::new(schemas)?;
    let memtable = Memtable::default();
    memtable.swap(attach_segments(root, contents, &mut schemas)?);
    let next_wal_seq = replay(config, keys, catalog.position(), &mut schemas, &memtable, clock)?;
    Ok(Recovered { lock, memtable, catalog, next_wal_seq })
}

/// Takes the store for this process. The file stays empty: it is a name to lock.
fn lock(root: &Path) -> Result<File> {
    let path = root.join(layout::LOCK_FILE);
    let mut options = OpenOptions::new();
    let opened = options.create(true).truncate(false).write(true).open(&path);
    take(root, opened.map_err(|e| Error::io("open", &path, e))?)
}

/// Takes a store that is only read, perhaps a copy on a medium that cannot be written; without a lock file nobody has it.
pub(crate) fn lock_existing(root: &Path) -> Result<Option<File>> {
    let path = root.join(layout::LOCK_FILE);
    match File::open(&path) {
        Ok(file) => take(root, file).map(Some),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(Error::io("open", &path, e)),
    }
}

fn take(root: &Path, file: File) -> Result<File> {
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Error::Locked { dir: root.to_path_buf() }),
        Err(TryLockError::Error(e)) => Err(Error::io("lock", root, e)),
    }
}

/// Takes the seal of the last clean close off the catalog, and refuses a store that lost its catalog.
fn unseal_catalog(root: &Path) -> Result<()> {
    let path = root.join(layout::CATALOG_FILE);
    if !path.exists() {
        let segments = root.join(layout::SEGMENTS_DIR);
        let empty = |dir: &Path| -> io::Result<bool> { Ok(fs::read_dir(dir)?.next().is_none()) };
        if !empty(&segments).map_err(|e| Error::io("list", &segments, e))? {
            // Going on would take every segment for garbage of a crash.
            return Err(Error::corrupt(
                layout::CATALOG_FILE,
                None,
                "it is missing, and there are segments",
            ));
        }
    } else if sidecar::check_sidecar(&path)? == SidecarState::Changed {
        // Rows are checked by their tags; what else is in the file cannot mislead anyone.
        tracing::warn!("the catalog was changed since the store was closed");
    }
    sidecar::remove_sidecar(&path)
}

fn remove_leftovers(root: &Path, catalog: &mut Catalog, contents: &Contents) -> Result<()> {
    let published: BTreeSet<_> = contents.segments.iter().map(|segment| segment.id).collect();
    let garbage: Vec<_> =
        contents.pending.iter().filter(|file| !published.contains(&file.id)).cloned().collect();
    remove_announced(root, &garbage)?;
    catalog.withdraw(&contents.pending)?;
    let wal = root.join(layout::WAL_DIR);
    for entry in fs::read_dir(&wal).map_err(|e| Error::io("list", &wal, e))? {
        let path = entry.map_err(|e| Error::io("list", &wal, e))?.path();
        if path.extension().is_some_and(|extension| extension == durable::TEMP_SUFFIX) {
            durable::remove(&path)?;
        }
    }
    Ok(())
}

fn attach_segments(
    root: &Path,
    contents: Contents,
    schemas: &mut Catalogue,
) -> Result<Vec<Arc<SegmentInfo>>> {
    let encoded = contents.schemas;
    let attach = |entry: crate::segment::SegmentEntry| {
        let schema = encoded.get(&entry.schema).and_then(|bytes| schemas.attach(bytes));
        let Some(schema) = schema else {
            let what = format!("the schema of segment `{}` cannot be read", entry.id);
            return Err(Error::corrupt(layout::CATALOG_FILE, None, what));
        };
        SegmentInfo::new(root, entry, schema).map(Arc::new)
    };
    contents.segments.into_iter().map(attach).collect()
}

/// Replays the log into the memtable and completes its last file; answers the number of the next file.
fn replay(
    config: &StoreConfig,
    keys: &KeyStore,
    position: Position,
    schemas: &mut Catalogue,
    memtable: &Memtable,
    clock: &dyn Clock,
) -> Result<u64> {
    let found = wal::list(&config.dir)?;
    check_complete(position, &found)?;
    for seq in &found {
        let reader = WalReader::open(&config.dir, *seq)?;
        let mut batches = Vec::new();
        let scanned = reader.scan(keys, |offset, body| {
            let sealed = batch::decode(body, schemas)
                .ok_or_else(|| reader.damaged(offset, "a frame opens, yet is not a batch"))?;
            let bytes = body.len() as u64;
            memtable.reserve(bytes);
            batches.push(Committing { sealed: Arc::new(sealed), bytes });
            Ok(())
        })?;
        if !scanned.ended {
            let is_last = found.last() == Some(seq) && *seq > position.wal_last;
            if !is_last {
                return Err(reader.damaged(scanned.end, "the log ends early"));
            }
            complete(config, keys, *seq, scanned, clock)?;
        }
        memtable.publish(&batches);
    }
    let last = found.last().copied().unwrap_or(0).max(position.wal_flushed).max(position.wal_last);
    Ok(last.saturating_add(1))
}

/// Refuses a log with a file missing.
fn check_complete(position: Position, found: &[u64]) -> Result<()> {
    match first_missing(position, found) {
        None => Ok(()),
        Some(seq) => {
            Err(Error::corrupt(layout::display(&layout::wal_file(seq)), None, "it is missing"))
        }
    }
}

/// The first log file that should be there and is not.
pub(crate) fn first_missing(position: Position, found: &[u64]) -> Option<u64> {
    let first = position.wal_flushed.saturating_add(1);
    let last = found.last().copied().unwrap_or(0).max(position.wal_last);
    (first..=last).find(|seq| found.binary_search(seq).is_err())
}

/// Cuts a torn tail, and ends the file that was being written when the store stopped.
fn complete(
    config: &StoreConfig,
    keys: &KeyStore,
    seq: u64,
    scanned: Scanned,
    clock: &dyn Clock,
) -> Result<()> {
    if let Some(offset) = scanned.torn_at {
        tracing::warn!(seq, offset, "the log's torn tail was cut");
    }
    let file = LogFile::open(&config.dir.join(layout::wal_file(seq)))?;
    wal::end_file(&file, keys, seq, scanned.frames, scanned.end, clock.now_ns())
}
