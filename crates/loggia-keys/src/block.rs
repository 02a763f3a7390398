//! The sealed block: content of the rows that share a key, compressed, committed to that key and encrypted.
//!
//! Byte layout and derivation: `docs/formats/keys.md`. A block opens only under its own key (checked by a 32-byte
//! commitment before decryption, which AES-GCM alone would not give) and only in its own place (bound as associated data).

use std::cell::RefCell;
use std::fmt;

use aws_lc_rs::aead::Aad;
use zeroize::Zeroizing;
use zstd::bulk::{Compressor, Decompressor};

use crate::error::{KeysError, Result};
use crate::frame::{TAG_LEN, counter_nonce};
use crate::sealed::BlockPlace;
use crate::secret::{KEY_LEN, Secret, cipher, equal, label, push_field};

/// Format of the block.
const FORMAT: u8 = 1;
/// No compression dictionary.
const NO_DICTIONARY: u8 = 0;
/// Bytes before the ciphertext: format, dictionary, commitment.
const HEADER_LEN: usize = 2 + KEY_LEN;
/// Bytes at the head of the plaintext: codec and raw length.
const INNER_LEN: usize = 5;
/// Content laid down as it is.
const CODEC_RAW: u8 = 0;
/// Content compressed by zstd.
const CODEC_ZSTD: u8 = 1;
/// Fast level: compression is the main cost of sealing.
const ZSTD_LEVEL: i32 = 1;
/// A block is closed once its text reaches this size, so that reading one row never opens a huge block.
pub(crate) const BLOCK_TEXT_BYTES: usize = 256 * 1024;
/// Largest plaintext a block may unpack to; beyond it the block is taken for a broken one.
const BLOCK_RAW_BYTES_MAX: usize = 1 << 30;

/// Content of one block while it is being filled.
#[derive(Default)]
pub(crate) struct BlockBuilder {
    cells: usize,
    last_row: u32,
    directory: Vec<u8>,
    text: Vec<u8>,
}

impl BlockBuilder {
    /// Empties the builder, keeping its buffers.
    pub(crate) fn clear(&mut self) {
        self.cells = 0;
        self.last_row = 0;
        self.directory.clear();
        self.text.clear();
    }

    /// Adds the text of one field of one row. Rows come in rising order.
    pub(crate) fn push(&mut self, row: u32, field: u16, text: &str) {
        push_number(&mut self.directory, row.saturating_sub(self.last_row));
        push_number(&mut self.directory, u32::from(field));
        push_number(&mut self.directory, u32::try_from(text.len()).unwrap_or(u32::MAX));
        self.text.extend_from_slice(text.as_bytes());
        self.last_row = row;
        self.cells = self.cells.saturating_add(1);
    }

    /// Whether the block should be closed before the next row.
    pub(crate) fn is_full(&self) -> bool {
        self.text.len() >= BLOCK_TEXT_BYTES
    }

    /// Compresses and encrypts what was pushed.
    pub(crate) fn seal(
        &self,
        key: &Secret,
        place: &Place<'_>,
        context: &mut SealContext,
    ) -> Result<Vec<u8>> {
        let raw = &mut context.raw;
        raw.clear();
        push_number(raw, u32::try_from(self.cells).unwrap_or(u32::MAX));
        raw.extend_from_slice(&self.directory);
        raw.extend_from_slice(&self.text);
        if raw.len() > BLOCK_RAW_BYTES_MAX {
            return Err(KeysError::Invalid {
                what: "the content of one record is larger than 1 GiB",
            });
        }
        let raw_len = u32::try_from(raw.len()).map_err(|_too_large| KeysError::Invalid {
            what: "the content of one record is too large",
        })?;
        let body_at = HEADER_LEN + INNER_LEN;
        let room = zstd::zstd_safe::compress_bound(raw.len()).max(raw.len());
        let mut bytes = vec![0_u8; body_at.saturating_add(room).saturating_add(TAG_LEN)];
        let failed = || KeysError::Crypto { what: "compress content" };
        let body = bytes.get_mut(body_at..).ok_or_else(failed)?;
        let packed = context.compressor.compress_to_buffer(raw, body).map_err(|_io| failed())?;
        let (codec, body_len) =
            if packed < raw.len() { (CODEC_ZSTD, packed) } else { (CODEC_RAW, raw.len()) };
        if codec == CODEC_RAW {
            body.get_mut(..body_len).ok_or_else(failed)?.copy_from_slice(raw);
        }
        bytes.truncate(body_at.saturating_add(body_len));
        let cell = CellKey::derive(key, place)?;
        let mut header = [0_u8; HEADER_LEN];
        header
            .iter_mut()
            .zip([FORMAT, NO_DICTIONARY].iter().chain(&cell.commitment))
            .for_each(|(to, from)| *to = *from);
        let mut inner = [codec, 0, 0, 0, 0];
        inner.iter_mut().skip(1).zip(raw_len.to_le_bytes()).for_each(|(to, from)| *to = from);
        for (to, from) in bytes.iter_mut().zip(header.iter().chain(&inner)) {
            *to = *from;
        }
        let plain = bytes.get_mut(HEADER_LEN..).ok_or_else(failed)?;
        let tag = cell
            .cipher()?
            .seal_in_place_separate_tag(
                counter_nonce(u64::from(place.block)),
                Aad::from(place.associated_data()),
                plain,
            )
            .map_err(|_unspecified| KeysError::Crypto { what: "encrypt content" })?;
        bytes.extend_from_slice(tag.as_ref());
        Ok(bytes)
    }
}

/// Buffers and the compressor that one thread reuses from block to block.
pub(crate) struct SealContext {
    compressor: Compressor<'static>,
    raw: Zeroizing<Vec<u8>>,
}

thread_local! {
    static CONTEXT: RefCell<Option<SealContext>> = const { RefCell::new(None) };
    static UNPACKER: RefCell<Option<Decompressor<'static>>> = const { RefCell::new(None) };
}

/// Runs `work` with this thread's sealing context.
pub(crate) fn with_context<T>(work: impl FnOnce(&mut SealContext) -> Result<T>) -> Result<T> {
    CONTEXT.with(|cell| {
        let mut slot = cell.borrow_mut();
        if slot.is_none() {
            let compressor = Compressor::new(ZSTD_LEVEL)
                .map_err(|_io| KeysError::Crypto { what: "set up compression" })?;
            *slot = Some(SealContext { compressor, raw: Zeroizing::new(Vec::new()) });
        }
        slot.as_mut().map_or(Err(KeysError::Crypto { what: "set up compression" }), work)
    })
}

/// Borrowed form of a block's place.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) tenant: &'a str,
    pub(crate) stream: &'a str,
    pub(crate) write_id: &'a [u8; 16],
    pub(crate) block: u32,
    pub(crate) key_id: &'a [u8; 16],
}

impl<'a> From<&'a BlockPlace> for Place<'a> {
    fn from(place: &'a BlockPlace) -> Self {
        Self {
            tenant: &place.tenant,
            stream: &place.stream,
            write_id: &place.write_id,
            block: place.block,
            key_id: &place.key_id,
        }
    }
}

impl Place<'_> {
    /// Everything that says where the block belongs, length-prefixed.
    fn associated_data(&self) -> Vec<u8> {
        let mut out = label(&[
            b"loggia/v1/block",
            &[FORMAT, NO_DICTIONARY],
            self.tenant.as_bytes(),
            self.stream.as_bytes(),
            self.write_id,
            self.key_id,
        ]);
        push_field(&mut out, &self.block.to_le_bytes());
        out
    }
}

/// The key of one subject's cells within one write, and the commitment to it.
struct CellKey {
    material: Zeroizing<[u8; 2 * KEY_LEN]>,
    commitment: [u8; KEY_LEN],
}

impl CellKey {
    /// HKDF-SHA-256 with the write attempt as salt; fresh for each attempt, so the block number may serve as nonce.
    fn derive(key: &Secret, place: &Place<'_>) -> Result<Self> {
        let info = label(&[
            b"loggia/v1/cell",
            place.tenant.as_bytes(),
            place.stream.as_bytes(),
            b"content",
        ]);
        let mut material = Zeroizing::new([0_u8; 2 * KEY_LEN]);
        key.derive_into(place.write_id, &info, material.as_mut_slice())?;
        let commitment = material
            .last_chunk::<KEY_LEN>()
            .copied()
            .ok_or(KeysError::Crypto { what: "derive a key" })?;
        Ok(Self { material, commitment })
    }

    fn cipher(&self) -> Result<aws_lc_rs::aead::LessSafeKey> {
        cipher(self.material.first_chunk::<KEY_LEN>().map_or(&[][..], |key| key.as_slice()))
    }
}

/// One text within an opened block.
struct Cell {
    row: u32,
    field: u16,
    start: usize,
    end: usize,
}

/// Content of one block in clear; zeroed when dropped.
pub struct OpenedBlock {
    cells: Vec<Cell>,
    text: Zeroizing<String>,
}

impl OpenedBlock {
    /// Text of a field of a row (its number within the write); `None` when it has none in this block.
    #[must_use]
    pub fn get(&self, row: u32, field: u16) -> Option<&str> {
        let at =
            self.cells.binary_search_by(|cell| (cell.row, cell.field).cmp(&(row, field))).ok()?;
        let cell = self.cells.get(at)?;
        self.text.get(cell.start..cell.end)
    }

    /// Number of texts in the block.
    #[must_use]
    pub fn len(&self) -> usize {
        self.cells.len()
    }

    /// Whether the block holds no text.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    /// All texts with their row and field, in that order.
    pub fn iter(&self) -> impl Iterator<Item = (u32, u16, &str)> {
        self.cells
            .iter()
            .filter_map(|cell| Some((cell.row, cell.field, self.text.get(cell.start..cell.end)?)))
    }
}

impl fmt::Debug for OpenedBlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OpenedBlock({} texts, [redacted])", self.cells.len())
    }
}

const BROKEN: KeysError = KeysError::Tampered { what: "a sealed block" };

/// Opens a block under its key.
pub(crate) fn open(key: &Secret, place: &Place<'_>, sealed: &[u8]) -> Result<OpenedBlock> {
    let Some((header, body)) = sealed.split_first_chunk::<HEADER_LEN>() else { return Err(BROKEN) };
    let [format, dictionary, commitment @ ..] = header;
    if *format != FORMAT || *dictionary != NO_DICTIONARY {
        return Err(KeysError::Tampered { what: "a sealed block (its format is not known here)" });
    }
    let cell = CellKey::derive(key, place)?;
    if !equal(commitment, &cell.commitment) {
        return Err(KeysError::Tampered {
            what: "a sealed block (it was sealed under another key)",
        });
    }
    let mut plain = Zeroizing::new(body.to_vec());
    let length = cell
        .cipher()?
        .open_in_place(
            counter_nonce(u64::from(place.block)),
            Aad::from(place.associated_data()),
            plain.as_mut_slice(),
        )
        .map_err(|_unspecified| BROKEN)?
        .len();
    plain.truncate(length);
    parse(&unpack(&plain)?)
}

/// Undoes the compression.
fn unpack(plain: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
    let Some((inner, body)) = plain.split_first_chunk::<INNER_LEN>() else { return Err(BROKEN) };
    let [codec, raw_len @ ..] = inner;
    let raw_len = u32::from_le_bytes(*raw_len) as usize;
    if raw_len > BLOCK_RAW_BYTES_MAX {
        return Err(BROKEN);
    }
    let raw = match *codec {
        CODEC_RAW => Zeroizing::new(body.to_vec()),
        CODEC_ZSTD => UNPACKER.with(|cell| {
            let mut slot = cell.borrow_mut();
            if slot.is_none() {
                *slot = Decompressor::new().ok();
            }
            let unpacker =
                slot.as_mut().ok_or(KeysError::Crypto { what: "set up decompression" })?;
            unpacker.decompress(body, raw_len).map(Zeroizing::new).map_err(|_io| BROKEN)
        })?,
        _ => return Err(BROKEN),
    };
    if raw.len() == raw_len { Ok(raw) } else { Err(BROKEN) }
}

/// Reads the directory and checks that its texts are the rest of the block, in order.
fn parse(raw: &[u8]) -> Result<OpenedBlock> {
    let mut rest = raw;
    let count = take_number(&mut rest)? as usize;
    // A cell takes at least three bytes of directory.
    if count > raw.len() / 3 {
        return Err(BROKEN);
    }
    let mut cells = Vec::with_capacity(count);
    let mut row = 0_u32;
    let mut end = 0_usize;
    for _ in 0..count {
        row = row.checked_add(take_number(&mut rest)?).ok_or(BROKEN)?;
        let field = u16::try_from(take_number(&mut rest)?).map_err(|_too_large| BROKEN)?;
        let start = end;
        end = start.checked_add(take_number(&mut rest)? as usize).ok_or(BROKEN)?;
        cells.push(Cell { row, field, start, end });
    }
    let text = std::str::from_utf8(rest).map_err(|_not_text| BROKEN)?;
    let ordered =
        cells.windows(2).all(|pair| matches!(pair, [a, b] if (a.row, a.field) < (b.row, b.field)));
    let fits = text.len() == end && cells.iter().all(|cell| text.is_char_boundary(cell.end));
    if !ordered || !fits {
        return Err(BROKEN);
    }
    Ok(OpenedBlock { cells, text: Zeroizing::new(text.to_owned()) })
}

/// Appends a number in LEB128.
fn push_number(out: &mut Vec<u8>, mut number: u32) {
    while number >= 0x80 {
        out.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    out.push((number & 0x7f) as u8);
}

/// Takes a number in LEB128 off the front.
fn take_number(rest: &mut &[u8]) -> Result<u32> {
    let mut number = 0_u64;
    for shift in [0_u32, 7, 14, 21, 28] {
        let (byte, after) = rest.split_first().ok_or(BROKEN)?;
        *rest = after;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return u32::try_from(number).map_err(|_too_large| BROKEN);
        }
    }
    Err(BROKEN)
}

#[cfg(test)]
mod tests;
