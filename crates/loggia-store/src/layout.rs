//! Where each file of a store lies, and how names, ids and days become path components.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

pub(crate) const WAL_DIR: &str = "wal";
pub(crate) const SEGMENTS_DIR: &str = "segments";
pub(crate) const CATALOG_FILE: &str = "catalog.db";
pub(crate) const LOCK_FILE: &str = "lock";
const WAL_EXTENSION: &str = "wal";
/// Longest tenant or stream name, in bytes once escaped, that a file system takes as one component.
const COMPONENT_BYTES_MAX: usize = 240;
const NANOS_PER_DAY: i64 = 86_400_000_000_000;

/// Names a segment: 16 bytes that sort by time of creation (UUID version 7).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SegmentId(pub(crate) [u8; 16]);

impl SegmentId {
    /// Makes an id from the time and 10 random bytes.
    pub(crate) fn new(now_ns: i64, random: [u8; 10]) -> Self {
        let ms = u64::try_from(now_ns.div_euclid(1_000_000)).unwrap_or_default();
        let mut raw = [0; 16];
        let [_, _, time @ ..] = ms.to_be_bytes();
        let parts = time.iter().chain(random.iter());
        raw.iter_mut().zip(parts).for_each(|(to, from)| *to = *from);
        let [.., version, _, variant, _, _, _, _, _, _, _] = &mut raw;
        *version = *version & 0x0f | 0x70;
        *variant = *variant & 0x3f | 0x80;
        Self(raw)
    }

    /// The bytes of the id, which also select the file's key.
    #[must_use]
    pub fn bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for SegmentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, byte) in self.0.iter().enumerate() {
            if matches!(place, 4 | 6 | 8 | 10) {
                f.write_str("-")?;
            }
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for SegmentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SegmentId({self})")
    }
}

/// Number of the UTC day of a time, counted from 1970-01-01.
pub(crate) fn day_number(time_ns: i64) -> i64 {
    time_ns.div_euclid(NANOS_PER_DAY)
}

/// A day as `YYYY-MM-DD` in the proleptic Gregorian calendar.
pub(crate) fn day_name(day: i64) -> String {
    // Days are counted from 0000-03-01, so that the leap day is the last of its year (Howard Hinnant's algorithm).
    let shifted = day + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_shifted = (5 * of_year + 2) / 153;
    let date = of_year - (153 * month_shifted + 2) / 5 + 1;
    let month = if month_shifted < 10 { month_shifted + 3 } else { month_shifted - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{date:02}")
}

/// Path of a WAL file, relative to the store.
pub(crate) fn wal_file(seq: u64) -> PathBuf {
    Path::new(WAL_DIR).join(format!("{seq:016x}.{WAL_EXTENSION}"))
}

/// Number of a WAL file, from its name.
pub(crate) fn wal_seq(name: &str) -> Option<u64> {
    let (stem, extension) = name.split_once('.')?;
    let exact = extension == WAL_EXTENSION && stem.len() == 16;
    exact.then(|| u64::from_str_radix(stem, 16).ok()).flatten()
}

/// Directory of a stream's day, relative to the store.
pub(crate) fn day_dir(tenant: &str, stream: &str, day: &str) -> Result<PathBuf> {
    Ok(Path::new(SEGMENTS_DIR).join(component(tenant)?).join(component(stream)?).join(day))
}

/// Skeleton and content file of a segment in its directory.
pub(crate) fn segment_files(dir: &Path, id: SegmentId) -> (PathBuf, PathBuf) {
    (dir.join(format!("{id}.parquet")), dir.join(format!("{id}.content")))
}

/// A name as one path component: what is not a lower-case letter, digit, `-` or `_` is written `%xx`, so that no name
/// can leave its directory and no two names share one, whatever the file system folds.
pub(crate) fn component(name: &str) -> Result<String> {
    let mut out = String::with_capacity(name.len());
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02x}")),
        }
    }
    if out.is_empty() || out.len() > COMPONENT_BYTES_MAX {
        return Err(Error::invalid(format!("the name `{name}` is empty or too long")));
    }
    Ok(out)
}

/// A path as reports name it: relative to the store, with `/`.
pub(crate) fn display(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests;
