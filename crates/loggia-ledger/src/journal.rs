//! The journal: the one file whose `fdatasync` makes an entry exist.
//!
//! It is a header and then frames: length, leaf, sealed record, check. The check is half of a SHA-256
//! that runs on from frame to frame, so a changed, removed or moved frame is seen, and the value
//! after the last signed frame is itself signed. After the last frame there may be zeros, which were
//! written ahead so that a sync need not change the size of the file.

use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, Read, Seek as _, SeekFrom, Write as _};
use std::ops::Range;
use std::path::Path;

use crate::durable::io_error;
use crate::entry::{ENTRY_BYTES, Hash, RECORD_BYTES_MAX};
use crate::error::LedgerError;
use crate::merkle::sha256;
use crate::tree::Leaf;

/// The name of the journal in its folder.
pub(crate) const FILE: &str = "journal";

const MAGIC: &[u8; 16] = b"loggia-journal1\n";

/// The part of the chain value that stands in the file.
const CHECK_BYTES: usize = 16;

/// How many zeros are written ahead at a time.
const AHEAD_BYTES: u64 = 1 << 20;

/// What starts each journal and gives the chain its first value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) shard: u32,
    pub(crate) origin: String,
}

impl Header {
    fn body(&self) -> Vec<u8> {
        let mut body = MAGIC.to_vec();
        body.extend_from_slice(&self.shard.to_be_bytes());
        // An origin has at most 255 bytes.
        body.push(u8::try_from(self.origin.len()).unwrap_or(u8::MAX));
        body.extend_from_slice(self.origin.as_bytes());
        body
    }

    /// Returns the chain value before the first frame.
    pub(crate) fn chain(&self) -> Hash {
        sha256(&[&self.body()])
    }

    /// Returns the header as it stands in the file.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.body();
        bytes.extend_from_slice(check_of(&self.chain()));
        bytes
    }

    /// Reads a header; `None` when these bytes are none.
    fn read(input: &mut impl Read) -> io::Result<Option<Self>> {
        let mut fixed = [0_u8; 21];
        if read_up_to(input, &mut fixed)? < fixed.len() {
            return Ok(None);
        }
        let [magic @ .., s0, s1, s2, s3, origin_len] = fixed;
        let mut origin = vec![0; usize::from(origin_len)];
        let mut check = [0_u8; CHECK_BYTES];
        if read_up_to(input, &mut origin)? < origin.len()
            || read_up_to(input, &mut check)? < CHECK_BYTES
        {
            return Ok(None);
        }
        let Ok(origin) = String::from_utf8(origin) else { return Ok(None) };
        let header = Self { shard: u32::from_be_bytes([s0, s1, s2, s3]), origin };
        let whole = magic == *MAGIC && check == *check_of(&header.chain());
        Ok(whole.then_some(header))
    }
}

fn check_of(chain: &Hash) -> &[u8; CHECK_BYTES] {
    let ([check, _rest], []) = chain.as_chunks::<CHECK_BYTES>() else { return &[0; CHECK_BYTES] };
    check
}

/// Reads until `buffer` is full or the input ends; returns how much was read.
fn read_up_to(input: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut done = 0;
    while let Some(rest) = buffer.get_mut(done..).filter(|rest| !rest.is_empty()) {
        match input.read(rest) {
            Ok(0) => break,
            Ok(count) => done += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(done)
}

/// A frame that still lacks its leaf and its check.
pub(crate) struct Draft(Vec<u8>);

impl Draft {
    /// Lays out a frame around `record`, whose size the caller has checked.
    pub(crate) fn new(record: &[u8]) -> Self {
        let body_len = u32::try_from(ENTRY_BYTES + record.len()).unwrap_or(u32::MAX);
        let mut bytes = Vec::with_capacity(4 + ENTRY_BYTES + record.len() + CHECK_BYTES);
        bytes.extend_from_slice(&body_len.to_be_bytes());
        bytes.extend_from_slice(&[0; ENTRY_BYTES]);
        bytes.extend_from_slice(record);
        Self(bytes)
    }

    /// Returns the size so far.
    pub(crate) const fn len(&self) -> usize {
        self.0.len()
    }

    /// Puts the leaf in, continues the chain and returns the frame.
    pub(crate) fn complete(mut self, leaf: &Leaf, chain: &mut Hash) -> Vec<u8> {
        for (to, from) in self.0.iter_mut().skip(4).zip(leaf) {
            *to = *from;
        }
        *chain = sha256(&[chain, &self.0]);
        self.0.extend_from_slice(check_of(chain));
        self.0
    }
}

/// One frame, read and checked.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) leaf: Leaf,
    pub(crate) record: Vec<u8>,
}

/// What comes next in a journal.
#[derive(Debug)]
pub(crate) enum Next {
    /// A whole frame whose check fits.
    Frame(Frame),
    /// The end; nothing but zeros may follow.
    End,
    /// Bytes that are no frame of this chain.
    Broken(&'static str),
}

/// Reads the frames of a journal in order.
pub(crate) struct Reader<R> {
    input: R,
    chain: Hash,
    /// Where the next frame starts.
    offset: u64,
}

impl Reader<BufReader<File>> {
    /// Opens the journal in `dir` at its first frame.
    pub(crate) fn open(dir: &Path) -> Result<(Header, Self), LedgerError> {
        File::open(dir.join(FILE))
            .and_then(|file| Self::from_start(BufReader::with_capacity(1 << 16, file)))
            .map_err(|error| io_error("read", FILE, error))?
            .ok_or_else(|| LedgerError::Corrupt {
                file: FILE.into(),
                index: None,
                what: "the header is damaged".into(),
            })
    }

    /// Opens the journal in `dir` at a frame in the middle.
    pub(crate) fn open_at(dir: &Path, mark: &Mark) -> Result<Self, LedgerError> {
        let open = || -> io::Result<Self> {
            let mut file = File::open(dir.join(FILE))?;
            file.seek(SeekFrom::Start(mark.offset))?;
            let input = BufReader::with_capacity(1 << 16, file);
            Ok(Self { input, chain: mark.chain, offset: mark.offset })
        };
        open().map_err(|error| io_error("read", FILE, error))
    }
}

impl<R: Read> Reader<R> {
    /// Reads the header, after which the first frame is next; `None` when there is no header.
    pub(crate) fn from_start(mut input: R) -> io::Result<Option<(Header, Self)>> {
        let Some(header) = Header::read(&mut input)? else { return Ok(None) };
        let (chain, offset) = (header.chain(), header.to_bytes().len() as u64);
        Ok(Some((header, Self { input, chain, offset })))
    }

    /// Returns where the next frame starts and the chain value before it.
    pub(crate) const fn mark(&self) -> Mark {
        Mark { offset: self.offset, chain: self.chain }
    }

    /// Reads the next frame; after anything but a frame, nothing more may be read.
    pub(crate) fn next(&mut self) -> io::Result<Next> {
        let mut length = [0_u8; 4];
        let got = read_up_to(&mut self.input, &mut length)?;
        if length == [0; 4] {
            return self.only_zeros_left();
        }
        if got < length.len() {
            return Ok(Next::Broken("the file ends inside a frame"));
        }
        let body_len = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
        if !(ENTRY_BYTES..=ENTRY_BYTES + RECORD_BYTES_MAX).contains(&body_len) {
            return Ok(Next::Broken("the length of the frame is impossible"));
        }
        let mut leaf = [0_u8; ENTRY_BYTES];
        let mut record = vec![0; body_len - ENTRY_BYTES];
        let mut check = [0_u8; CHECK_BYTES];
        let mut got = 0;
        for part in [leaf.as_mut_slice(), record.as_mut_slice(), check.as_mut_slice()] {
            got += read_up_to(&mut self.input, part)?;
        }
        if got < body_len + CHECK_BYTES {
            return Ok(Next::Broken("the file ends inside a frame"));
        }
        let chain = sha256(&[&self.chain, &length, &leaf, &record]);
        if check != *check_of(&chain) {
            return Ok(Next::Broken("the check of the frame does not fit"));
        }
        self.chain = chain;
        self.offset += (4 + body_len + CHECK_BYTES) as u64;
        Ok(Next::Frame(Frame { leaf, record }))
    }

    fn only_zeros_left(&mut self) -> io::Result<Next> {
        let mut buffer = [0_u8; 4096];
        loop {
            let got = read_up_to(&mut self.input, &mut buffer)?;
            if got == 0 {
                return Ok(Next::End);
            }
            if buffer.iter().take(got).any(|byte| *byte != 0) {
                return Ok(Next::Broken("there are bytes after the last frame"));
            }
        }
    }
}

/// A place between two frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) offset: u64,
    pub(crate) chain: Hash,
}

/// How many entries lie between two marks that are kept.
const MARK_EVERY: u64 = 64;

/// Where the frames are: a mark for every 64th, so that ten million entries need six megabytes.
#[derive(Debug)]
pub(crate) struct Index {
    marks: Vec<Mark>,
    entries: u64,
    end: Mark,
}

impl Index {
    pub(crate) const fn new(first: Mark) -> Self {
        Self { marks: Vec::new(), entries: 0, end: first }
    }

    /// Notes that one more frame lies before `end`.
    pub(crate) fn push(&mut self, end: Mark) {
        if self.entries.is_multiple_of(MARK_EVERY) {
            self.marks.push(self.end);
        }
        self.entries += 1;
        self.end = end;
    }

    pub(crate) const fn entries(&self) -> u64 {
        self.entries
    }

    pub(crate) const fn end(&self) -> Mark {
        self.end
    }

    /// Returns the nearest mark before entry `index` and how many entries lie between.
    pub(crate) fn seek(&self, index: u64) -> Option<(Mark, u64)> {
        let at = usize::try_from(index / MARK_EVERY).ok()?;
        (index < self.entries)
            .then(|| self.marks.get(at).map(|mark| (*mark, index % MARK_EVERY)))?
    }
}

/// What the writer needs of a disk; a seam, so that tests can make it fail.
pub(crate) trait Disk: Send {
    /// Writes `bytes` after everything written before.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// Makes everything written durable.
    fn sync(&mut self) -> io::Result<()>;
    /// Cuts what was only written ahead, at the end of a life.
    fn finish(&mut self) -> io::Result<()>;
}

/// The journal as a file.
pub(crate) struct JournalFile {
    file: File,
    end: u64,
    allocated: u64,
}

impl JournalFile {
    /// Opens the journal for appending at `end`; what is behind is cut off for good.
    pub(crate) fn open(dir: &Path, end: u64) -> Result<Self, LedgerError> {
        let open = || -> io::Result<Self> {
            let file = OpenOptions::new().read(true).write(true).open(dir.join(FILE))?;
            file.set_len(end)?;
            file.sync_all()?;
            Ok(Self { file, end, allocated: end })
        };
        open().map_err(|error| io_error("open", FILE, error))
    }

    /// Writes zeros over `range`, so that later syncs need not change the size of the file.
    fn write_ahead(&mut self, range: Range<u64>) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(range.start))?;
        io::copy(&mut io::repeat(0).take(range.end - range.start), &mut self.file)?;
        self.allocated = range.end;
        Ok(())
    }
}

impl Disk for JournalFile {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let end = self.end + bytes.len() as u64;
        if end > self.allocated {
            self.write_ahead(self.allocated..end + AHEAD_BYTES)?;
        }
        self.file.seek(SeekFrom::Start(self.end))?;
        self.file.write_all(bytes)?;
        self.end = end;
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        self.file.sync_data()
    }

    fn finish(&mut self) -> io::Result<()> {
        self.file.set_len(self.end)?;
        self.file.sync_all()
    }
}

#[cfg(test)]
mod tests;
