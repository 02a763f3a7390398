//! The write-ahead log: one encrypted file after the other, each with a key of its own.
//!
//! [`Wal`] belongs to the writer thread alone. It guarantees that [`Wal::append`] returns only after `fdatasync`, that no
//! counter (hence no nonce) of a file is used twice, and that every file but the one being written ends with an authenticated
//! end record. A file found on disk is never appended to. Bytes: `docs/formats/wal.md`; reading: [`scan`].

mod scan;

use std::io;
use std::sync::Arc;

use loggia_keys::{FrameKey, KeyStore};
use loggia_ledger::Clock;

use crate::config::{Fault, StoreConfig};
use crate::durable::LogFile;
use crate::error::{Error, Result};
use crate::format::frame::{EndHeader, FileHeader, FrameHeader, HEADER_LEN};
use crate::layout;

pub(crate) use scan::{Scanned, WalReader, list, read_header};

/// Label under which end records are authenticated.
const END_LABEL: &str = "loggia/v1/wal-end";

/// Where a committed batch stands in the log.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Position {
    pub(crate) seq: u64,
    pub(crate) counter: u64,
}

/// The log being written.
pub(crate) struct Wal {
    config: StoreConfig,
    keys: Arc<KeyStore>,
    clock: Arc<dyn Clock>,
    next_seq: u64,
    active: Option<Active>,
    buffer: Vec<u8>,
}

struct Active {
    file: LogFile,
    seq: u64,
    key: FrameKey,
    offset: u64,
    frames: u64,
    /// A write failed: nothing more goes into this file but its end.
    broken: bool,
}

impl Wal {
    pub(crate) fn new(
        config: StoreConfig,
        keys: Arc<KeyStore>,
        clock: Arc<dyn Clock>,
        next_seq: u64,
    ) -> Self {
        Self { config, keys, clock, next_seq, active: None, buffer: Vec::new() }
    }

    /// Appends a group of encoded batches with one write and one `fdatasync`. On an error none of them counts as written;
    /// the error is fatal when it may be on disk nevertheless.
    pub(crate) fn append(&mut self, bodies: Vec<Vec<u8>>) -> Result<Vec<Position>> {
        let full = |active: &Active| active.offset >= self.config.wal_segment_bytes_max;
        if self.active.as_ref().is_some_and(|active| active.broken || full(active)) {
            self.finish()?;
        }
        let mut active = match self.active.take() {
            Some(active) => active,
            None => self.begin()?,
        };
        let written = self.write_group(&mut active, bodies);
        active.broken |= written.is_err();
        self.active = Some(active);
        written
    }

    /// Ends the current file, if it holds anything, and answers the number up to which all files are complete.
    pub(crate) fn finish(&mut self) -> Result<u64> {
        if let Some(active) = &self.active {
            self.config.reach("wal.end")?;
            end_file(
                &active.file,
                &self.keys,
                active.seq,
                active.frames,
                active.offset,
                self.clock.now_ns(),
            )?;
            self.active = None;
        }
        Ok(self.next_seq.saturating_sub(1))
    }

    fn begin(&mut self) -> Result<Active> {
        let seq = self.next_seq;
        self.config.reach("wal.create")?;
        let (key, wrapped) = self.keys.wal_key()?;
        let header = FileHeader::encode(seq, wrapped.as_bytes());
        let path = self.config.dir.join(layout::wal_file(seq));
        let file = LogFile::create(&path, &header, self.config.wal_segment_bytes_max)?;
        self.next_seq = seq.saturating_add(1);
        self.config.reach("wal.created")?;
        Ok(Active { file, seq, key, offset: header.len() as u64, frames: 0, broken: false })
    }

    fn write_group(&mut self, active: &mut Active, bodies: Vec<Vec<u8>>) -> Result<Vec<Position>> {
        let group = active.frames;
        let mut positions = Vec::with_capacity(bodies.len());
        self.buffer.clear();
        for (counter, mut body) in (group..).zip(bodies) {
            let header = FrameHeader::new(body.len().saturating_add(TAG_LEN), counter, group);
            active.key.seal_in_place(counter, &header.aad(active.seq), &mut body)?;
            header.put(&mut self.buffer);
            self.buffer.extend_from_slice(&body);
            positions.push(Position { seq: active.seq, counter });
        }
        self.write_buffer(active)?;
        match self.config.fault_at("wal.sync") {
            Fault::None => active.file.sync()?,
            Fault::Crash => return Err(Error::Stopped { point: "wal.sync" }),
            Fault::Io(kind) => return Err(Error::sync("wal.sync".as_ref(), kind.into())),
        }
        active.offset = active.offset.saturating_add(self.buffer.len() as u64);
        active.frames = active.frames.saturating_add(positions.len() as u64);
        self.buffer.shrink_to(self.config.commit_bytes_max);
        Ok(positions)
    }

    fn write_buffer(&self, active: &Active) -> Result<()> {
        let fault = self.config.fault_at("wal.write");
        let half = self.buffer.get(..self.buffer.len() / 2).unwrap_or_default();
        match fault {
            Fault::None => active.file.write_at(&self.buffer, active.offset),
            Fault::Crash => Err(Error::Stopped { point: "wal.write" }),
            Fault::Io(kind) => {
                active.file.write_at(half, active.offset)?;
                Err(Error::io("write", "wal.write".as_ref(), io::Error::from(kind)))
            }
        }
    }
}

/// Bytes that encryption adds to a frame's body.
const TAG_LEN: usize = 16;

/// Writes the end record at `offset`, cuts the file behind it and makes both durable. Done again after a failure it
/// overwrites itself: unlike a frame it has a random nonce.
pub(crate) fn end_file(
    file: &LogFile,
    keys: &KeyStore,
    seq: u64,
    frames: u64,
    offset: u64,
    now_ns: i64,
) -> Result<()> {
    let tag = keys.seal_blob(END_LABEL, &EndHeader::context(frames, offset, seq), &[], now_ns)?;
    let mut record = Vec::with_capacity(HEADER_LEN.saturating_add(tag.len()));
    let len = crate::format::bytes::len_u32(tag.len());
    EndHeader { len, frames, offset }.put(&mut record);
    record.extend_from_slice(&tag);
    file.write_at(&record, offset)?;
    file.cut(offset.saturating_add(record.len() as u64))?;
    file.sync_all()
}

#[cfg(test)]
mod tests;
