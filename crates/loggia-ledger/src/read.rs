//! Reading entries back out of the journal, each checked against the chain.

use std::fmt;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use crate::durable::io_error;
use crate::entry::Entry;
use crate::error::LedgerError;
use crate::journal::{self, Frame, Header, Mark, Next, Reader};
use crate::open;

/// Entries with their sealed records, in order.
pub struct Entries {
    reader: Option<Reader<BufReader<File>>>,
    shard: u32,
    next: u64,
    left: u64,
}

impl Entries {
    pub(crate) const fn empty() -> Self {
        Self { reader: None, shard: 0, next: 0, left: 0 }
    }

    /// Starts at entry `first`, which lies `skip` frames behind `mark`, for `left` entries.
    pub(crate) fn open(
        dir: &Path,
        header: &Header,
        mark: &Mark,
        first: u64,
        skip: u64,
        left: u64,
    ) -> Result<Self, LedgerError> {
        let reader = Some(Reader::open_at(dir, mark)?);
        let mut entries =
            Self { reader, shard: header.shard, next: first.saturating_sub(skip), left };
        for _skipped in 0..skip {
            entries.frame()?;
        }
        Ok(entries)
    }

    fn frame(&mut self) -> Result<(Entry, Frame), LedgerError> {
        let index = self.next;
        let corrupt = |what: String| LedgerError::Corrupt {
            file: journal::FILE.into(),
            index: Some(index),
            what,
        };
        let reader = self.reader.as_mut().ok_or_else(|| LedgerError::internal("no journal"))?;
        match reader.next().map_err(|error| io_error("read", journal::FILE, error))? {
            Next::Frame(frame) => {
                let entry = open::check_frame(&frame, index, self.shard).map_err(corrupt)?;
                self.next += 1;
                Ok((entry, frame))
            }
            Next::End => Err(corrupt("the journal ends here".into())),
            Next::Broken(what) => Err(corrupt(what.into())),
        }
    }
}

impl Iterator for Entries {
    type Item = Result<(Entry, Vec<u8>), LedgerError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.left == 0 {
            return None;
        }
        let item = self.frame().map(|(entry, frame)| (entry, frame.record));
        // Behind damage nothing can be trusted, so the iteration ends there.
        self.left = if item.is_ok() { self.left - 1 } else { 0 };
        Some(item)
    }
}

impl fmt::Debug for Entries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entries")
            .field("next", &self.next)
            .field("left", &self.left)
            .finish_non_exhaustive()
    }
}
