//! Segments: the immutable files rows live in once flushed, a Parquet file of clear columns and a content file of sealed blocks.
//!
//! A segment exists when its catalog row does; nothing changes its files afterwards. [`SegmentInfo`] is what the catalog says
//! about one, with its block index read at most once.

mod content;
mod encryption;
mod write;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use loggia_policy::{PolicyDigest, StreamSchema};

use crate::format::index::BlockIndex;
use crate::format::schema::SchemaDigest;

pub use crate::format::index::BatchOrigin;
pub use crate::layout::SegmentId;
pub use content::ContentReader;
pub(crate) use content::read_index;
pub(crate) use encryption::decryption;
pub(crate) use write::{Day, NewSegment, split_by_day, write_segment};

/// What the catalog says about one segment.
pub struct SegmentInfo {
    pub(crate) entry: SegmentEntry,
    pub(crate) schema: Arc<StreamSchema>,
    pub(crate) path: PathBuf,
    pub(crate) content_path: PathBuf,
    pub(crate) index: OnceLock<Arc<BlockIndex>>,
    pub(crate) ledger_index: OnceLock<u64>,
}

/// The stored facts of a segment, as a catalog row holds them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct SegmentEntry {
    pub(crate) id: SegmentId,
    pub(crate) tenant: String,
    pub(crate) stream: String,
    pub(crate) day: String,
    pub(crate) rows: u64,
    pub(crate) bytes: u64,
    pub(crate) content_bytes: u64,
    pub(crate) time_min_ns: i64,
    pub(crate) time_max_ns: i64,
    pub(crate) sha256: [u8; 32],
    pub(crate) content_sha256: [u8; 32],
    pub(crate) policies: Vec<PolicyDigest>,
    pub(crate) schema: SchemaDigest,
    pub(crate) published_ns: i64,
    /// Index of its ledger entry, once that is written.
    pub(crate) ledger_index: Option<u64>,
}

impl SegmentInfo {
    pub(crate) fn new(
        root: &Path,
        entry: SegmentEntry,
        schema: Arc<StreamSchema>,
    ) -> crate::error::Result<Self> {
        let dir = crate::layout::day_dir(&entry.tenant, &entry.stream, &entry.day)?;
        let (path, content_path) = crate::layout::segment_files(&root.join(dir), entry.id);
        let ledger_index = entry.ledger_index.map(OnceLock::from).unwrap_or_default();
        Ok(Self { entry, schema, path, content_path, index: OnceLock::new(), ledger_index })
    }

    /// Id of the segment; its bytes select the file's key.
    #[must_use]
    pub fn id(&self) -> SegmentId {
        self.entry.id
    }

    /// Tenant of all rows.
    #[must_use]
    pub fn tenant(&self) -> &str {
        &self.entry.tenant
    }

    /// Stream of all rows.
    #[must_use]
    pub fn stream(&self) -> &str {
        &self.entry.stream
    }

    /// UTC day of all rows, `YYYY-MM-DD`, by the earlier of event and ingest time.
    #[must_use]
    pub fn day(&self) -> &str {
        &self.entry.day
    }

    /// The schema the rows were written under. Fields may have moved, come or gone since: match them by name, and use this
    /// one's positions to read content.
    #[must_use]
    pub fn schema(&self) -> &Arc<StreamSchema> {
        &self.schema
    }

    /// Policies that admitted the rows.
    #[must_use]
    pub fn policies(&self) -> &[PolicyDigest] {
        &self.entry.policies
    }

    /// The Parquet file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The content file.
    #[must_use]
    pub fn content_path(&self) -> &Path {
        &self.content_path
    }

    /// Number of rows.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.entry.rows
    }

    /// Bytes of the Parquet file.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.entry.bytes
    }

    /// Bytes of the content file.
    #[must_use]
    pub fn content_bytes(&self) -> u64 {
        self.entry.content_bytes
    }

    /// Earliest event time, Unix nanoseconds.
    #[must_use]
    pub fn time_min_ns(&self) -> i64 {
        self.entry.time_min_ns
    }

    /// Latest event time, Unix nanoseconds.
    #[must_use]
    pub fn time_max_ns(&self) -> i64 {
        self.entry.time_max_ns
    }

    /// SHA-256 of the Parquet file.
    #[must_use]
    pub fn sha256(&self) -> &[u8; 32] {
        &self.entry.sha256
    }

    /// SHA-256 of the content file.
    #[must_use]
    pub fn content_sha256(&self) -> &[u8; 32] {
        &self.entry.content_sha256
    }

    /// Index of the ledger entry that published the segment, once written.
    #[must_use]
    pub fn ledger_index(&self) -> Option<u64> {
        self.ledger_index.get().copied()
    }
}

impl fmt::Debug for SegmentInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SegmentInfo")
            .field("id", &self.entry.id)
            .field("stream", &self.entry.stream)
            .field("day", &self.entry.day)
            .field("rows", &self.entry.rows)
            .finish_non_exhaustive()
    }
}
