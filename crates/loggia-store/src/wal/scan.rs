//! Reading log files: every whole frame in order, and a verdict on what follows the last one.
//!
//! A torn tail is what a crash leaves of the last commit group, none of which was acknowledged. Anything else that does not
//! open is damage, and is an error that names file and offset. The two are told apart by looking for a later record that
//! could only have been written after the damaged one had reached the disk.

use std::fs;
use std::io::Read as _;
use std::path::Path;

use loggia_keys::{FrameKey, KeyStore, KeysError};

use super::END_LABEL;
use crate::error::{Error, Result};
use crate::format::frame::{
    END_MAGIC, EndHeader, FRAME_MAGIC, FileHeader, FrameHeader, HEADER_LEN,
};
use crate::layout;

/// More than any header has.
const HEAD_BYTES: usize = 4_096;

/// What a log file was found to hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Scanned {
    /// Whole frames.
    pub(crate) frames: u64,
    /// Byte after the last whole frame.
    pub(crate) end: u64,
    /// Whether a valid end record follows, and nothing else.
    pub(crate) ended: bool,
    /// First byte of something that is neither a frame nor reserved space.
    pub(crate) torn_at: Option<u64>,
}

/// Sequence numbers of the log files in a store, in order.
pub(crate) fn list(root: &Path) -> Result<Vec<u64>> {
    let dir = root.join(layout::WAL_DIR);
    let mut out = Vec::new();
    for entry in fs::read_dir(&dir).map_err(|e| Error::io("list", &dir, e))? {
        let entry = entry.map_err(|e| Error::io("list", &dir, e))?;
        out.extend(entry.file_name().to_str().and_then(layout::wal_seq));
    }
    out.sort_unstable();
    Ok(out)
}

/// Reads the header of a log file alone.
pub(crate) fn read_header(root: &Path, seq: u64) -> Result<FileHeader> {
    let file = layout::wal_file(seq);
    let path = root.join(&file);
    let mut head = Vec::with_capacity(HEAD_BYTES);
    fs::File::open(&path)
        .and_then(|file| file.take(HEAD_BYTES as u64).read_to_end(&mut head))
        .map_err(|e| Error::io("read", &path, e))?;
    FileHeader::read(&head).map_err(|what| Error::corrupt(layout::display(&file), Some(0), what))
}

/// One log file, read whole (its size is bounded by the settings).
pub(crate) struct WalReader {
    name: String,
    header: FileHeader,
    bytes: Vec<u8>,
}

impl WalReader {
    /// Reads the file of `seq` and checks its header.
    pub(crate) fn open(root: &Path, seq: u64) -> Result<Self> {
        let file = layout::wal_file(seq);
        let path = root.join(&file);
        let bytes = fs::read(&path).map_err(|e| Error::io("read", &path, e))?;
        Self::new(layout::display(&file), seq, bytes)
    }

    pub(crate) fn new(name: String, seq: u64, bytes: Vec<u8>) -> Result<Self> {
        let header = FileHeader::read(&bytes)
            .map_err(|what| Error::corrupt(name.as_str(), Some(0), what))?;
        if header.seq != seq {
            return Err(Error::corrupt(name, Some(0), "it is another file of the log, renamed"));
        }
        Ok(Self { name, header, bytes })
    }

    /// The file's key; a key that is gone or does not fit counts as damage to this file.
    pub(crate) fn key(&self, keys: &KeyStore) -> Result<FrameKey> {
        keys.open_wal_key(&self.header.wrapped_key).map_err(|error| {
            let is_damage = matches!(
                error,
                KeysError::KeyDestroyed | KeysError::Tampered { .. } | KeysError::Invalid { .. }
            );
            if is_damage {
                self.damaged(0, &format!("its key is not there: {error}"))
            } else {
                Error::Keys(error)
            }
        })
    }

    /// Gives every whole frame to `each`, in order, with its offset.
    pub(crate) fn scan(
        &self,
        keys: &KeyStore,
        mut each: impl FnMut(u64, &[u8]) -> Result<()>,
    ) -> Result<Scanned> {
        let key = self.key(keys)?;
        let mut scanned =
            Scanned { frames: 0, end: self.header.len as u64, ended: false, torn_at: None };
        loop {
            if let Some(after) = self.end_record(keys, scanned.frames, scanned.end) {
                if after != self.bytes.len() as u64 {
                    return Err(self.damaged(after, "bytes follow the end of the log"));
                }
                return Ok(Scanned { ended: true, ..scanned });
            }
            let Some((body, after)) = self.frame(&key, scanned.frames, scanned.end) else { break };
            each(scanned.end, &body)?;
            scanned.frames = scanned.frames.saturating_add(1);
            scanned.end = after;
        }
        let rest = self.rest(scanned.end);
        if rest.iter().all(|byte| *byte == 0) {
            return Ok(scanned);
        }
        if self.was_durable(keys, &key, scanned.frames, scanned.end) {
            return Err(
                self.damaged(scanned.end, "a record that had been made durable does not open")
            );
        }
        Ok(Scanned { torn_at: Some(scanned.end), ..scanned })
    }

    /// Error for damage at `offset`.
    pub(crate) fn damaged(&self, offset: u64, what: &str) -> Error {
        Error::corrupt(self.name.as_str(), Some(offset), what)
    }

    /// The frame `counter` at `offset`, decrypted, and the offset after it.
    fn frame(&self, key: &FrameKey, counter: u64, offset: u64) -> Option<(Vec<u8>, u64)> {
        let header = FrameHeader::read(self.rest(offset))?;
        (header.counter == counter && header.group <= counter).then_some(())?;
        let body = self.open_body(key, header, offset)?;
        Some((body, offset.checked_add(HEADER_LEN as u64)?.checked_add(u64::from(header.len))?))
    }

    fn open_body(&self, key: &FrameKey, header: FrameHeader, offset: u64) -> Option<Vec<u8>> {
        let body = self.rest(offset).get(HEADER_LEN..)?.get(..header.len as usize)?;
        key.open(header.counter, &header.aad(self.header.seq), body).ok()
    }

    /// Whether a valid end record stands at `offset`; answers the offset after it.
    fn end_record(&self, keys: &KeyStore, frames: u64, offset: u64) -> Option<u64> {
        let header = EndHeader::read(self.rest(offset))?;
        (header.frames == frames && header.offset == offset).then_some(())?;
        self.end_opens(keys, header, offset)
    }

    fn end_opens(&self, keys: &KeyStore, header: EndHeader, offset: u64) -> Option<u64> {
        let tag = self.rest(offset).get(HEADER_LEN..)?.get(..header.len as usize)?;
        let context = EndHeader::context(header.frames, header.offset, self.header.seq);
        keys.open_blob(END_LABEL, &context, tag).ok()?;
        offset.checked_add(HEADER_LEN as u64)?.checked_add(u64::from(header.len))
    }

    /// Whether frame `counter`, which does not open at `offset`, had reached the disk once: some later record says so,
    /// being the file's end or a frame of a group that began after it.
    fn was_durable(&self, keys: &KeyStore, key: &FrameKey, counter: u64, offset: u64) -> bool {
        let rest = self.rest(offset);
        let starts = (offset..).zip(rest.windows(FRAME_MAGIC.len()));
        starts
            .filter(|(_, window)| **window == FRAME_MAGIC || **window == END_MAGIC)
            .any(|(at, _)| self.proves_durable(keys, key, counter, at))
    }

    fn proves_durable(&self, keys: &KeyStore, key: &FrameKey, counter: u64, at: u64) -> bool {
        if let Some(header) = EndHeader::read(self.rest(at)) {
            return self.end_opens(keys, header, at).is_some();
        }
        FrameHeader::read(self.rest(at)).is_some_and(|header| {
            header.group > counter && self.open_body(key, header, at).is_some()
        })
    }

    fn rest(&self, offset: u64) -> &[u8] {
        usize::try_from(offset).ok().and_then(|at| self.bytes.get(at..)).unwrap_or_default()
    }
}
