//! The bytes of this crate's own formats: frames of the write-ahead log and the index of content files.
//!
//! Everything here is pure: bytes in, values out, and every reader is total (damage is an answer, not a panic). The pages
//! `docs/formats/wal.md` and `docs/formats/segment.md` describe the same bytes; change both together, with a new version.

pub(crate) mod batch;
pub(crate) mod bytes;
pub(crate) mod frame;
pub(crate) mod index;
pub(crate) mod schema;

#[cfg(test)]
mod tests;
