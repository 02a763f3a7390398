//! Caches between queries, each with a budget of bytes: fresh rows in Arrow's form and decrypted segment footers.
//!
//! Neither holds content. A footer carries the key of its file, so it is kept for at most a minute (the rule for keys).

use std::fmt;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::arrow::array::RecordBatch;
use datafusion::parquet::file::metadata::ParquetMetaData;
use loggia_keys::Sealed;
use lru::LruCache;

use crate::error::QueryError;

/// How long a decrypted footer may be used.
const FOOTER_LIFETIME_NS: i64 = 60 * 1_000_000_000;

/// Fresh batches in Arrow's form, by write.
pub(crate) struct FreshCache(Budgeted<[u8; 16], RecordBatch>);

impl FreshCache {
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self(Budgeted::new(bytes_max))
    }

    /// The rows of a batch in Arrow's form, converted at most once while they fit the budget.
    pub(crate) fn rows(&self, sealed: &Sealed) -> Result<RecordBatch, QueryError> {
        let write = sealed.write_id();
        if let Some(batch) = self.0.get(&write) {
            return Ok(batch);
        }
        let batch = loggia_store::to_arrow(sealed)
            .map_err(|_columns| QueryError::Failed("fresh rows could not be read".to_owned()))?;
        self.0.put(write, batch.clone(), batch.get_array_memory_size());
        Ok(batch)
    }
}

/// Decrypted footers, by segment.
pub(crate) struct FooterCache(Budgeted<[u8; 16], (i64, Arc<ParquetMetaData>)>);

impl FooterCache {
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self(Budgeted::new(bytes_max))
    }

    pub(crate) fn get(&self, segment: &[u8; 16], now_ns: i64) -> Option<Arc<ParquetMetaData>> {
        let (read_ns, footer) = self.0.get(segment)?;
        let age_ns = now_ns.checked_sub(read_ns)?;
        (0..FOOTER_LIFETIME_NS).contains(&age_ns).then_some(footer)
    }

    pub(crate) fn put(&self, segment: [u8; 16], now_ns: i64, footer: Arc<ParquetMetaData>) {
        let bytes = footer.memory_size();
        self.0.put(segment, (now_ns, footer), bytes);
    }
}

impl fmt::Debug for FreshCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FreshCache([redacted])")
    }
}

impl fmt::Debug for FooterCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FooterCache([redacted])")
    }
}

/// A least-recently-used map that forgets entries until what remains fits its budget.
struct Budgeted<K: Hash + Eq, V> {
    bytes_max: usize,
    entries: Mutex<Entries<K, V>>,
}

struct Entries<K: Hash + Eq, V> {
    bytes: usize,
    map: LruCache<K, (V, usize)>,
}

impl<K: Hash + Eq, V: Clone> Budgeted<K, V> {
    fn new(bytes_max: usize) -> Self {
        Self { bytes_max, entries: Mutex::new(Entries { bytes: 0, map: LruCache::unbounded() }) }
    }

    fn get(&self, key: &K) -> Option<V> {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.map.get(key).map(|(value, _)| value.clone())
    }

    fn put(&self, key: K, value: V, bytes: usize) {
        if bytes > self.bytes_max {
            return;
        }
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, (_, old))) = entries.map.push(key, (value, bytes)) {
            entries.bytes = entries.bytes.saturating_sub(old);
        }
        entries.bytes = entries.bytes.saturating_add(bytes);
        while entries.bytes > self.bytes_max {
            let Some((_, (_, old))) = entries.map.pop_lru() else { return };
            entries.bytes = entries.bytes.saturating_sub(old);
        }
    }
}

#[cfg(test)]
mod tests;
