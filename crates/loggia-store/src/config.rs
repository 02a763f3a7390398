//! Settings of a store as plain data, with every limit named, and the hook by which tests break it on purpose.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use crate::error::{Error, Result};

/// What a fault hook wants to happen at a commit step.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Fault {
    /// Go on.
    None,
    /// Stop as if the process had died here: no later step of this operation is taken and the store refuses appends.
    Crash,
    /// Fail this step with an error of the operating system. `wal.write` leaves half of its bytes behind first.
    Io(io::ErrorKind),
}

/// Called with the name of each commit step, on the thread that takes it.
///
/// For tests only: nothing in production sets one. The hook may copy the store's directory to get a crash image of that
/// moment, or ask for a [`Fault`]. Names are listed in `docs/formats/wal.md` and `docs/formats/segment.md`.
pub type FaultHook = Arc<dyn Fn(&str) -> Fault + Send + Sync>;

/// Settings of a store.
#[derive(Clone)]
#[non_exhaustive]
pub struct StoreConfig {
    /// Data directory; `wal/`, `segments/`, `catalog.db` and `lock` live in it.
    pub dir: PathBuf,
    /// Size at which a WAL file is closed and the next begun; also what is reserved on disk for each.
    pub wal_segment_bytes_max: u64,
    /// Rows in memory that start a flush.
    pub flush_rows_max: u64,
    /// Bytes in memory that start a flush.
    pub flush_bytes_max: u64,
    /// Age of the oldest row in memory that starts a flush.
    pub flush_age_ms: u64,
    /// Bytes in memory (waiting and being flushed) past which appends are answered `Busy`.
    pub memory_bytes_max: u64,
    /// Extra wait for company before a group is committed. 0 lets load alone decide: what arrives during one
    /// `fdatasync` shares the next.
    pub commit_delay_us: u64,
    /// Bytes of one commit group.
    pub commit_bytes_max: usize,
    /// Batches waiting for the writer past which appends are answered `Busy`.
    pub queue_batches_max: usize,
    /// Largest encoded batch.
    pub batch_bytes_max: usize,
    /// What `Busy` tells the caller to wait.
    pub busy_retry_ms: u64,
    /// Rows of one Parquet row group.
    pub row_group_rows_max: usize,
    /// Pause before a failed flush is tried again.
    pub flush_retry_ms: u64,
    /// Breaks things on purpose; see [`FaultHook`].
    pub fault_hook: Option<FaultHook>,
}

impl StoreConfig {
    /// Defaults for a store in `dir`.
    #[must_use]
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self {
            dir: dir.into(),
            wal_segment_bytes_max: 64 << 20,
            flush_rows_max: 200_000,
            flush_bytes_max: 64 << 20,
            flush_age_ms: 120_000,
            memory_bytes_max: 192 << 20,
            commit_delay_us: 0,
            commit_bytes_max: 8 << 20,
            queue_batches_max: 256,
            batch_bytes_max: 32 << 20,
            busy_retry_ms: 100,
            row_group_rows_max: 65_536,
            flush_retry_ms: 1_000,
            fault_hook: None,
        }
    }

    /// Takes the hook's verdict at `point` as a result.
    pub(crate) fn reach(&self, point: &'static str) -> Result<()> {
        match self.fault_at(point) {
            Fault::None => Ok(()),
            Fault::Crash => Err(Error::Stopped { point }),
            Fault::Io(kind) => Err(Error::io("take the step", point.as_ref(), kind.into())),
        }
    }

    pub(crate) fn fault_at(&self, point: &'static str) -> Fault {
        self.fault_hook.as_ref().map_or(Fault::None, |hook| hook(point))
    }
}

impl fmt::Debug for StoreConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreConfig")
            .field("dir", &self.dir)
            .field("wal_segment_bytes_max", &self.wal_segment_bytes_max)
            .field("flush_rows_max", &self.flush_rows_max)
            .field("flush_bytes_max", &self.flush_bytes_max)
            .field("flush_age_ms", &self.flush_age_ms)
            .field("memory_bytes_max", &self.memory_bytes_max)
            .field("queue_batches_max", &self.queue_batches_max)
            .finish_non_exhaustive()
    }
}
