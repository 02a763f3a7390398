//! Frames of the write-ahead log: header, associated data, and the record that ends a file.
//!
//! ```text
//! header (magic "LGF1", body length u32, counter u64, group u64) ‖ body
//! ```
//! `counter` numbers the frames of a file from 0 and is the nonce. `group` is the counter of the first frame that was
//! written together with this one: everything before it had reached the disk when this frame was written. That tells a torn
//! tail (the damaged frame's own group, never acknowledged) from damage (an older group, acknowledged).

use super::bytes::{Cursor, Put as _, len_u32};

pub(crate) const FRAME_MAGIC: [u8; 4] = *b"LGF1";
pub(crate) const END_MAGIC: [u8; 4] = *b"LGE1";
/// Bytes of a frame's header, and of an end record's.
pub(crate) const HEADER_LEN: usize = 24;
/// First bytes of a WAL file.
pub(crate) const FILE_MAGIC: [u8; 8] = *b"LOGGIAWL";
const FILE_VERSION: u16 = 1;
/// Bytes of a WAL file's header before its variable part.
const FILE_FIXED_LEN: usize = 8 + 2 + 2 + 8 + 4;
const DIGEST_LEN: usize = 32;

/// Header of a frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct FrameHeader {
    pub(crate) len: u32,
    pub(crate) counter: u64,
    pub(crate) group: u64,
}

impl FrameHeader {
    pub(crate) fn new(body_len: usize, counter: u64, group: u64) -> Self {
        Self { len: len_u32(body_len), counter, group }
    }

    pub(crate) fn put(self, out: &mut Vec<u8>) {
        out.put(&FRAME_MAGIC);
        out.put_u32(self.len);
        out.put_u64(self.counter);
        out.put_u64(self.group);
    }

    /// Reads a header; `None` unless the magic is there.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let mut cursor = Cursor::new(bytes);
        (cursor.array()? == FRAME_MAGIC).then_some(())?;
        Some(Self { len: cursor.u32()?, counter: cursor.u64()?, group: cursor.u64()? })
    }

    /// Associated data of the frame's body: its place, so that a frame moved to another file or position does not open.
    pub(crate) fn aad(self, seq: u64) -> Vec<u8> {
        let mut out = Vec::with_capacity(64);
        out.put(b"loggia/v1/wal-frame");
        out.put_u64(seq);
        out.put_u32(self.len);
        out.put_u64(self.counter);
        out.put_u64(self.group);
        out
    }
}

/// What ends a WAL file: how many frames it has and at which byte they end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct EndHeader {
    pub(crate) len: u32,
    pub(crate) frames: u64,
    pub(crate) offset: u64,
}

impl EndHeader {
    pub(crate) fn put(self, out: &mut Vec<u8>) {
        out.put(&END_MAGIC);
        out.put_u32(self.len);
        out.put_u64(self.frames);
        out.put_u64(self.offset);
    }

    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let mut cursor = Cursor::new(bytes);
        (cursor.array()? == END_MAGIC).then_some(())?;
        Some(Self { len: cursor.u32()?, frames: cursor.u64()?, offset: cursor.u64()? })
    }

    /// What the end record's tag authenticates.
    pub(crate) fn context(frames: u64, offset: u64, seq: u64) -> Vec<u8> {
        let mut out = Vec::with_capacity(48);
        out.put(b"loggia/v1/wal-end");
        out.put_u64(seq);
        out.put_u64(frames);
        out.put_u64(offset);
        out
    }
}

/// Header of a WAL file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct FileHeader {
    pub(crate) seq: u64,
    /// What the key store needs to find the file's key; opaque here.
    pub(crate) wrapped_key: Vec<u8>,
    /// Bytes of the whole header: the first frame's offset.
    pub(crate) len: usize,
}

impl FileHeader {
    pub(crate) fn encode(seq: u64, wrapped_key: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(FILE_FIXED_LEN + wrapped_key.len() + DIGEST_LEN);
        out.put(&FILE_MAGIC);
        out.put_u16(FILE_VERSION);
        out.put_u16(0);
        out.put_u64(seq);
        out.put_u32(len_u32(wrapped_key.len()));
        out.put(wrapped_key);
        let digest = super::schema::digest_of(&out);
        out.put(&digest);
        out
    }

    /// Reads a header, or says what is wrong with it.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, &'static str> {
        let mut cursor = Cursor::new(bytes);
        if cursor.array() != Some(FILE_MAGIC) {
            return Err("not a write-ahead log file");
        }
        if cursor.u16() != Some(FILE_VERSION) {
            return Err("written by another version, or damaged");
        }
        let rest = |cursor: &mut Cursor<'_>| {
            (cursor.u16()? == 0).then_some(())?;
            let seq = cursor.u64()?;
            let len = cursor.len()?;
            let wrapped_key = cursor.take(len)?.to_vec();
            let covered = FILE_FIXED_LEN.checked_add(len)?;
            let digest: [u8; DIGEST_LEN] = cursor.array()?;
            (digest == super::schema::digest_of(bytes.get(..covered)?)).then_some(())?;
            Some(Self { seq, wrapped_key, len: covered.checked_add(DIGEST_LEN)? })
        };
        rest(&mut cursor).ok_or("the header's digest does not fit")
    }
}
