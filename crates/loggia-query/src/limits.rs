//! [`QueryLimits`]: every bound of a query, named.

use std::time::Duration;

/// Bounds of the queries of one service. Plain data; the defaults are what `serve` uses.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct QueryLimits {
    /// Memory that all running queries share for sorting, grouping and joining; nothing is ever spilled to disk.
    pub memory_bytes_max: usize,
    /// Rows one answer may have.
    pub rows_max: u64,
    /// Time one statement may take, from the first poll of its answer to the last row.
    pub timeout: Duration,
    /// Threads of work one query is split into; 0 takes the machine's cores.
    pub partitions: usize,
    /// Bytes of fresh rows kept in Arrow's form between queries.
    pub fresh_cache_bytes_max: usize,
    /// Bytes of decrypted segment footers kept between queries.
    pub footer_cache_bytes_max: usize,
}

impl Default for QueryLimits {
    fn default() -> Self {
        Self {
            memory_bytes_max: 256 << 20,
            rows_max: 1_000_000,
            timeout: Duration::from_secs(60),
            partitions: 0,
            fresh_cache_bytes_max: 64 << 20,
            footer_cache_bytes_max: 32 << 20,
        }
    }
}

impl QueryLimits {
    /// Threads of work, resolved.
    pub(crate) fn partitions(&self) -> usize {
        match self.partitions {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            set => set,
        }
    }
}
