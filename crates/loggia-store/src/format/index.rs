//! Content files: header, sealed blocks end to end, encrypted index, trailer.
//!
//! ```text
//! "LGCT" ‖ version u16 ‖ 0 u16 ‖ file id [16]
//! block ‖ block ‖ …
//! index, encrypted with the file's key
//! index offset u64 ‖ index length u32 ‖ "LGCE"
//! ```

use std::collections::BTreeMap;

use loggia_policy::PolicyDigest;

use super::bytes::{Cursor, Put as _, len_u32};

pub(crate) const HEADER_LEN: usize = 24;
pub(crate) const TRAILER_LEN: usize = 16;
const MAGIC: [u8; 4] = *b"LGCT";
const END_MAGIC: [u8; 4] = *b"LGCE";
const VERSION: u16 = 1;

/// One write attempt whose rows are in the segment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BatchOrigin {
    /// Number of the write attempt.
    pub write_id: [u8; 16],
    /// Policy that admitted its rows.
    pub policy: PolicyDigest,
    /// Time of receipt, Unix nanoseconds.
    pub ingest_time_ns: i64,
    /// Rows of it in this segment.
    pub rows: u32,
}

/// Where a block lies in the content file, and whose key opens it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct BlockExtent {
    pub(crate) offset: u64,
    pub(crate) len: u32,
    pub(crate) key_id: [u8; 16],
}

/// What is in a content file.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub(crate) struct BlockIndex {
    pub(crate) batches: Vec<BatchOrigin>,
    pub(crate) blocks: BTreeMap<([u8; 16], u32), BlockExtent>,
}

impl BlockIndex {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(8 + self.batches.len() * 60 + self.blocks.len() * 48);
        out.put_u32(len_u32(self.batches.len()));
        for batch in &self.batches {
            out.put(&batch.write_id);
            out.put(&batch.policy.0);
            out.put_i64(batch.ingest_time_ns);
            out.put_u32(batch.rows);
        }
        out.put_u32(len_u32(self.blocks.len()));
        for ((write_id, block), extent) in &self.blocks {
            out.put(write_id);
            out.put_u32(*block);
            out.put_u64(extent.offset);
            out.put_u32(extent.len);
            out.put(&extent.key_id);
        }
        out
    }

    /// Reads an index whose blocks must lie in the bytes `HEADER_LEN..end`.
    pub(crate) fn decode(bytes: &[u8], end: u64) -> Option<Self> {
        let mut cursor = Cursor::new(bytes);
        let mut out = Self::default();
        for _ in 0..cursor.len()? {
            out.batches.push(BatchOrigin {
                write_id: cursor.array()?,
                policy: PolicyDigest(cursor.array()?),
                ingest_time_ns: cursor.i64()?,
                rows: cursor.u32()?,
            });
        }
        for _ in 0..cursor.len()? {
            let key = (cursor.array()?, cursor.u32()?);
            let extent =
                BlockExtent { offset: cursor.u64()?, len: cursor.u32()?, key_id: cursor.array()? };
            let fits = extent.offset >= HEADER_LEN as u64
                && extent.offset.checked_add(u64::from(extent.len))? <= end;
            (fits && out.blocks.insert(key, extent).is_none()).then_some(())?;
        }
        cursor.is_empty().then_some(out)
    }
}

/// First bytes of the content file of segment `file_id`.
pub(crate) fn header(file_id: [u8; 16]) -> Vec<u8> {
    let mut out = Vec::with_capacity(HEADER_LEN);
    out.put(&MAGIC);
    out.put_u16(VERSION);
    out.put_u16(0);
    out.put(&file_id);
    out
}

/// Last bytes of a content file.
pub(crate) fn trailer(index_offset: u64, index_len: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(TRAILER_LEN);
    out.put_u64(index_offset);
    out.put_u32(len_u32(index_len));
    out.put(&END_MAGIC);
    out
}

/// Offset and length of the index, given the last [`TRAILER_LEN`] bytes of a file of `file_len` bytes.
pub(crate) fn read_trailer(bytes: &[u8], file_len: u64) -> Option<(u64, usize)> {
    let mut cursor = Cursor::new(bytes);
    let (offset, len) = (cursor.u64()?, cursor.u32()?);
    (cursor.array()? == END_MAGIC && cursor.is_empty()).then_some(())?;
    let end = offset.checked_add(u64::from(len))?.checked_add(TRAILER_LEN as u64)?;
    (offset >= HEADER_LEN as u64 && end == file_len).then_some(())?;
    Some((offset, usize::try_from(len).ok()?))
}

/// Associated data of the encrypted index: it belongs to this file and this place in it.
pub(crate) fn index_aad(file_id: [u8; 16], index_offset: u64) -> Vec<u8> {
    let mut out = Vec::with_capacity(48);
    out.put(b"loggia/v1/block-index");
    out.put(&file_id);
    out.put_u64(index_offset);
    out
}
