//! Reading content files: positional reads of single blocks through an index that is decrypted once.

use std::fmt;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Arc;

use loggia_keys::{BlockPlace, FileKey};

use super::{BatchOrigin, SegmentInfo};
use crate::error::{Error, Result};
use crate::format::index::{self, BlockIndex};
use crate::layout::SegmentId;

/// An open content file: hands out sealed blocks. Keep one for as long as a query reads a segment.
pub struct ContentReader {
    file: File,
    segment: Arc<SegmentInfo>,
    index: Arc<BlockIndex>,
}

impl ContentReader {
    /// Opens the content file of `segment`; `key` is asked for when its index has not been read before.
    pub(crate) fn open(
        segment: &Arc<SegmentInfo>,
        key: impl FnOnce() -> Result<FileKey>,
    ) -> Result<Self> {
        let path = segment.content_path();
        let file = File::open(path).map_err(|e| missing_or(path, e))?;
        let index = match segment.index.get() {
            Some(index) => Arc::clone(index),
            None => {
                let read = Arc::new(read_index(&file, path, segment.id(), &key()?)?);
                Arc::clone(segment.index.get_or_init(|| read))
            }
        };
        Ok(Self { file, segment: Arc::clone(segment), index })
    }

    /// Reads block `block` of write attempt `write_id`: its place, for the key store, and its bytes.
    ///
    /// # Errors
    /// Fails when the segment has no such block or the file cannot be read.
    pub fn read_block(&self, write_id: &[u8; 16], block: u32) -> Result<(BlockPlace, Vec<u8>)> {
        let Some(extent) = self.index.blocks.get(&(*write_id, block)) else {
            return Err(Error::NotFound { what: format!("block {block} of this write") });
        };
        let mut bytes = vec![0; extent.len as usize];
        self.file
            .read_exact_at(&mut bytes, extent.offset)
            .map_err(|e| Error::io("read", self.segment.content_path(), e))?;
        let place = BlockPlace {
            tenant: self.segment.tenant().to_owned(),
            stream: self.segment.stream().to_owned(),
            write_id: *write_id,
            block,
            key_id: extent.key_id,
        };
        Ok((place, bytes))
    }

    /// The write attempts whose rows are in the segment, with the policy that admitted each.
    #[must_use]
    pub fn batches(&self) -> &[BatchOrigin] {
        &self.index.batches
    }
}

impl fmt::Debug for ContentReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ContentReader").field("segment", &self.segment.id()).finish_non_exhaustive()
    }
}

/// Reads and decrypts the index of a content file.
pub(crate) fn read_index(
    file: &File,
    path: &Path,
    id: SegmentId,
    key: &FileKey,
) -> Result<BlockIndex> {
    let damaged = |what: &str| Error::corrupt(crate::layout::display(path), None, what);
    let read = |len: usize, offset: u64| -> Result<Vec<u8>> {
        let mut bytes = vec![0; len];
        file.read_exact_at(&mut bytes, offset).map_err(|e| Error::io("read", path, e))?;
        Ok(bytes)
    };
    let len = file.metadata().map_err(|e| Error::io("read", path, e))?.len();
    let trailer_at = len
        .checked_sub(index::TRAILER_LEN as u64)
        .filter(|at| *at >= index::HEADER_LEN as u64)
        .ok_or_else(|| damaged("too short for a content file"))?;
    if read(index::HEADER_LEN, 0)? != index::header(id.0) {
        return Err(damaged("not the content file of this segment"));
    }
    let (offset, index_len) = index::read_trailer(&read(index::TRAILER_LEN, trailer_at)?, len)
        .ok_or_else(|| damaged("the trailer does not fit"))?;
    let sealed = read(index_len, offset)?;
    let plain = key
        .open(&index::index_aad(id.0, offset), &sealed)
        .map_err(|e| damaged(&format!("the block index does not open: {e}")))?;
    BlockIndex::decode(&plain, offset).ok_or_else(|| damaged("the block index does not fit"))
}

fn missing_or(path: &Path, error: io::Error) -> Error {
    if error.kind() == io::ErrorKind::NotFound {
        return Error::NotFound { what: format!("`{}`", path.display()) };
    }
    Error::io("open", path, error)
}
