//! The [`Unsealer`]: from tokens to content, for one statement of one session.
//!
//! It exists only inside a session, hence after a receipt. It opens each block once per batch, in the order of the file,
//! keeps a few opened ones (zeroed when dropped), counts what it opened, and answers erased content with `‹erased›`.
//! Guarantees: it opens only fields that the grant shows in clear, and only blocks of the statement's own snapshot.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "the failures that matter are listed; every other one says the least"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use datafusion::arrow::array::{ArrayRef, AsArray as _, RecordBatch, StringArray};
use loggia_keys::{KeyStore, KeysError, OpenedBlock, Sealed};
use loggia_policy::{Class, StreamSchema};
use loggia_store::{ContentReader, SegmentInfo, Store};
use lru::LruCache;

use crate::error::QueryError;
use crate::token::{BlockAt, CellAt, Nonce, parse};

/// What a reader sees in place of content whose key was destroyed.
pub const ERASED: &str = "‹erased›";

/// Rows opened at a time: the first ones, and at most.
const SLICE_ROWS_FIRST: usize = 512;
const SLICE_ROWS_MAX: usize = 8_192;
/// Content meant to be in memory at once, which sets how many rows are opened at a time.
const SLICE_BYTES: u64 = 16 << 20;
/// Opened blocks kept for the next rows. A block holds up to 256 KiB of text.
const OPEN_BLOCKS_MAX: NonZeroUsize = NonZeroUsize::MIN.saturating_add(63);
/// Content files kept open for the next blocks.
const OPEN_FILES_MAX: NonZeroUsize = NonZeroUsize::MIN.saturating_add(31);

/// A part of a snapshot that holds sealed content.
pub(crate) enum Part {
    Memory(Arc<Sealed>),
    Segment(Arc<SegmentInfo>),
}

impl Part {
    fn schema(&self) -> &StreamSchema {
        match self {
            Self::Memory(sealed) => sealed.schema(),
            Self::Segment(segment) => segment.schema(),
        }
    }
}

/// A part, and where it keeps each clear content field: positions in the schema its rows were written under.
struct Shelf {
    part: Part,
    fields: BTreeMap<u16, u16>,
}

/// Parts of the streams a statement reads, numbered across streams; tokens carry the number.
#[derive(Default)]
pub(crate) struct Shelves {
    shelves: Vec<Shelf>,
}

impl Shelves {
    /// Adds a part and tells its number. `clear` lists the content fields that the grant shows, by their position and name
    /// in the schema of the grant.
    pub(crate) fn add(&mut self, part: Part, clear: &[(u16, String)]) -> u32 {
        let number = u32::try_from(self.shelves.len()).unwrap_or(u32::MAX);
        let fields = clear
            .iter()
            .filter_map(|(position, name)| {
                let (written, field) = part.schema().field(name)?;
                (field.class == Class::Content).then_some((*position, u16::try_from(written).ok()?))
            })
            .collect();
        self.shelves.push(Shelf { part, fields });
        number
    }
}

/// Counts of what was opened, kept for the outcome.
#[derive(Default)]
struct Tally {
    /// Rows with opened content, as bits per write: a row counts once however often it is opened.
    rows: BTreeMap<[u8; 16], Vec<u64>>,
    keys: BTreeSet<[u8; 16]>,
}

/// What an [`Unsealer`] has opened so far.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(crate) struct Opened {
    pub(crate) rows: u64,
    pub(crate) blocks: u64,
    pub(crate) keys: BTreeSet<[u8; 16]>,
}

/// Opens sealed content for one statement.
pub(crate) struct Unsealer {
    store: Arc<Store>,
    keys: Arc<KeyStore>,
    nonce: Nonce,
    shelves: Shelves,
    cache: Mutex<LruCache<BlockAt, Answer>>,
    files: Mutex<LruCache<u32, Arc<ContentReader>>>,
    tally: Mutex<Tally>,
    blocks: AtomicU64,
    /// Rows passed and bytes of content they had, to choose how many to open at once.
    passed_rows: AtomicU64,
    passed_bytes: AtomicU64,
}

/// What became of a block.
#[derive(Clone)]
enum Answer {
    Open(Arc<OpenedBlock>, [u8; 16]),
    Erased,
}

impl Unsealer {
    pub(crate) fn new(
        store: Arc<Store>,
        keys: Arc<KeyStore>,
        nonce: Nonce,
        shelves: Shelves,
    ) -> Self {
        Self {
            store,
            keys,
            nonce,
            shelves,
            cache: Mutex::new(LruCache::new(OPEN_BLOCKS_MAX)),
            files: Mutex::new(LruCache::new(OPEN_FILES_MAX)),
            tally: Mutex::default(),
            blocks: AtomicU64::new(0),
            passed_rows: AtomicU64::new(0),
            passed_bytes: AtomicU64::new(0),
        }
    }

    fn slice_rows(&self) -> usize {
        let rows = self.passed_rows.load(Ordering::Relaxed);
        if rows == 0 {
            return SLICE_ROWS_FIRST;
        }
        let row_bytes = (self.passed_bytes.load(Ordering::Relaxed) / rows).max(1);
        usize::try_from(SLICE_BYTES / row_bytes).unwrap_or(SLICE_ROWS_MAX).clamp(1, SLICE_ROWS_MAX)
    }

    /// Replaces the token columns at `positions` by the content they stand for.
    pub(crate) fn open_columns(
        &self,
        batch: RecordBatch,
        positions: &[usize],
    ) -> Result<RecordBatch, QueryError> {
        if positions.is_empty() || batch.num_rows() == 0 {
            return Ok(batch);
        }
        let mut wanted = Vec::new();
        for (slot, position) in positions.iter().enumerate() {
            let tokens =
                batch.columns().get(*position).and_then(|column| column.as_string_opt::<i32>());
            let tokens =
                tokens.ok_or_else(|| internal("a sealed column has an unexpected type"))?;
            for (at, token) in tokens.iter().enumerate() {
                let Some(token) = token else { continue };
                let cell = parse(self.nonce, token)
                    .ok_or_else(|| internal("a sealed column holds something else"))?;
                wanted.push((cell, slot, at));
            }
        }
        wanted.sort_unstable();
        let texts = self.open_cells(&wanted, positions.len(), batch.num_rows())?;
        let bytes: usize = texts.iter().flatten().flatten().map(String::len).sum();
        self.passed_rows
            .fetch_add(u64::try_from(batch.num_rows()).unwrap_or_default(), Ordering::Relaxed);
        self.passed_bytes.fetch_add(u64::try_from(bytes).unwrap_or_default(), Ordering::Relaxed);
        let mut columns = batch.columns().to_vec();
        for (position, texts) in positions.iter().zip(texts) {
            if let Some(column) = columns.get_mut(*position) {
                *column = Arc::new(StringArray::from(texts)) as ArrayRef;
            }
        }
        RecordBatch::try_new(batch.schema(), columns)
            .map_err(|_values| internal("opened content does not fit its columns"))
    }

    /// Opens cells that are sorted by block; the answer is one list of `rows` texts for each of `width` columns.
    fn open_cells(
        &self,
        wanted: &[(CellAt, usize, usize)],
        width: usize,
        rows: usize,
    ) -> Result<Vec<Vec<Option<String>>>, QueryError> {
        let mut texts = vec![vec![None; rows]; width];
        let mut current: Option<(BlockAt, Answer)> = None;
        for (cell, slot, at) in wanted {
            let field = self.written_field(cell)?;
            let answer = match &current {
                Some((block, answer)) if *block == cell.block => answer.clone(),
                Some(_) | None => {
                    let answer = self.block(&cell.block)?;
                    current = Some((cell.block, answer.clone()));
                    answer
                }
            };
            let text = match (&answer, field) {
                (Answer::Erased, Some(_)) => Some(ERASED.to_owned()),
                (Answer::Open(block, key), Some(field)) => {
                    let text = block.get(cell.row, field).map(str::to_owned);
                    if text.is_some() {
                        self.count(cell, *key);
                    }
                    text
                }
                (Answer::Open(..) | Answer::Erased, None) => None,
            };
            if let Some(place) = texts.get_mut(*slot).and_then(|column| column.get_mut(*at)) {
                *place = text;
            }
        }
        Ok(texts)
    }

    /// Where the cell's field lies in its block; `None` when the rows were written without that field.
    fn written_field(&self, cell: &CellAt) -> Result<Option<u16>, QueryError> {
        Ok(self.shelf(&cell.block)?.fields.get(&cell.field).copied())
    }

    fn shelf(&self, at: &BlockAt) -> Result<&Shelf, QueryError> {
        let shelf = usize::try_from(at.part).ok().and_then(|part| self.shelves.shelves.get(part));
        shelf.ok_or_else(|| internal("a sealed value lies outside the snapshot"))
    }

    fn block(&self, at: &BlockAt) -> Result<Answer, QueryError> {
        if let Some(answer) = lock(&self.cache).get(at) {
            return Ok(answer.clone());
        }
        let answer = self.open_block(at)?;
        lock(&self.cache).put(*at, answer.clone());
        Ok(answer)
    }

    fn open_block(&self, at: &BlockAt) -> Result<Answer, QueryError> {
        let (place, opened) = match &self.shelf(at)?.part {
            Part::Memory(sealed) => {
                let block =
                    usize::try_from(at.block).ok().and_then(|block| sealed.blocks().get(block));
                let (Some(place), Some(block)) = (sealed.place(at.block), block) else {
                    return Err(internal("a sealed value lies outside the snapshot"));
                };
                let opened = self.keys.open_block(&place, &block.bytes);
                (place, opened)
            }
            Part::Segment(segment) => {
                let file = self.file(at.part, segment).map_err(|error| store_error(&error))?;
                let (place, bytes) =
                    file.read_block(&at.write_id, at.block).map_err(|error| store_error(&error))?;
                let opened = self.keys.open_block(&place, &bytes);
                (place, opened)
            }
        };
        match opened {
            Ok(block) => {
                self.blocks.fetch_add(1, Ordering::Relaxed);
                Ok(Answer::Open(Arc::new(block), place.key_id))
            }
            Err(KeysError::KeyDestroyed) => Ok(Answer::Erased),
            Err(KeysError::Unavailable { .. }) => Err(QueryError::Unavailable(
                "the key store cannot answer now; try again shortly".to_owned(),
            )),
            Err(KeysError::Tampered { .. }) => Err(QueryError::Corrupt(
                "sealed content did not verify; run the store's verification".to_owned(),
            )),
            Err(_) => Err(internal("sealed content could not be opened")),
        }
    }

    fn file(
        &self,
        part: u32,
        segment: &Arc<SegmentInfo>,
    ) -> Result<Arc<ContentReader>, loggia_store::Error> {
        if let Some(file) = lock(&self.files).get(&part) {
            return Ok(Arc::clone(file));
        }
        let file = Arc::new(self.store.open_content(segment)?);
        lock(&self.files).put(part, Arc::clone(&file));
        Ok(file)
    }

    fn count(&self, cell: &CellAt, key: [u8; 16]) {
        let mut tally = lock(&self.tally);
        let bits = tally.rows.entry(cell.block.write_id).or_default();
        let word = (cell.row / u64::BITS) as usize;
        if bits.len() <= word {
            bits.resize(word.saturating_add(1), 0);
        }
        if let Some(bits) = bits.get_mut(word) {
            *bits |= 1 << (cell.row % u64::BITS);
        }
        tally.keys.insert(key);
    }

    /// What has been opened so far.
    pub(crate) fn opened(&self) -> Opened {
        let tally = lock(&self.tally);
        let rows = tally.rows.values().flatten().map(|bits| u64::from(bits.count_ones())).sum();
        Opened { rows, blocks: self.blocks.load(Ordering::Relaxed), keys: tally.keys.clone() }
    }
}

impl fmt::Debug for Unsealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Unsealer([redacted])")
    }
}

/// A batch that is opened slice by slice, so that content is in memory for a bounded number of rows.
#[derive(Default)]
pub(crate) struct Slices {
    rest: Option<RecordBatch>,
}

impl Slices {
    /// Takes a batch; the one before must have been used up.
    pub(crate) fn refill(&mut self, batch: RecordBatch) {
        self.rest = Some(batch);
    }

    /// The next rows, as many as `unsealer` may well open at once.
    pub(crate) fn next(&mut self, unsealer: &Unsealer) -> Option<RecordBatch> {
        let batch = self.rest.take()?;
        let rows = unsealer.slice_rows();
        if batch.num_rows() <= rows {
            return Some(batch);
        }
        self.rest = Some(batch.slice(rows, batch.num_rows().saturating_sub(rows)));
        Some(batch.slice(0, rows))
    }
}

fn store_error(error: &loggia_store::Error) -> QueryError {
    match error {
        loggia_store::Error::Corrupt { .. } => QueryError::Corrupt(
            "sealed content did not verify; run the store's verification".to_owned(),
        ),
        loggia_store::Error::Keys(KeysError::KeyDestroyed)
        | loggia_store::Error::NotFound { .. } => {
            QueryError::Unavailable("a segment has just expired; run the query again".to_owned())
        }
        _ => QueryError::Unavailable("sealed content could not be read; try again".to_owned()),
    }
}

fn internal(what: &str) -> QueryError {
    QueryError::Failed(what.to_owned())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
