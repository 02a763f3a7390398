//! [`Sealed`]: rows whose content is encrypted and whose people are handles; the only thing the store appends.
//!
//! It is made by `KeyStore::seal`, or restored from a frame that was authenticated: [`Sealed::restore`] checks
//! that every part fits the others, so a reader never meets a row without its columns or a block that is not there.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use loggia_policy::{Class, Column, ColumnData, FieldType, PolicyDigest, StreamSchema, Treatment};

use crate::error::{KeysError, Result};
use crate::secret::prefixed;

/// Value of [`Sealed::row_blocks`] for a row without content.
pub const NO_BLOCK: u32 = u32::MAX;

/// The random name of a data subject. It says nothing about the person, and stands in the subject column.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubjectHandle(pub [u8; 16]);

impl fmt::Display for SubjectHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&prefixed("s_", &self.0))
    }
}

impl fmt::Debug for SubjectHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for SubjectHandle {
    type Err = KeysError;

    fn from_str(text: &str) -> Result<Self> {
        use base64::Engine as _;
        let wrong = KeysError::Invalid {
            what: "not a subject handle; one is `s_` and 22 letters, digits, `-` or `_`",
        };
        let Some(body) = text.strip_prefix("s_") else { return Err(wrong) };
        base64::engine::general_purpose::URL_SAFE_NO_PAD
            .decode(body)
            .ok()
            .and_then(|bytes| <[u8; 16]>::try_from(bytes).ok())
            .map(Self)
            .ok_or(wrong)
    }
}

/// Who is meant: by the platform's own id, or by handle.
#[derive(Clone, Copy)]
pub enum SubjectRef<'a> {
    /// The id the platform knows the person by.
    UserId(&'a str),
    /// The handle the store knows the person by.
    Handle(SubjectHandle),
}

impl fmt::Debug for SubjectRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UserId(_) => f.write_str("UserId([redacted])"),
            Self::Handle(handle) => write!(f, "Handle({handle})"),
        }
    }
}

/// Where a sealed block belongs. All of it is bound into the block: elsewhere it does not open.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BlockPlace {
    /// Tenant of the rows.
    pub tenant: String,
    /// Stream of the rows.
    pub stream: String,
    /// The write attempt that made the block.
    pub write_id: [u8; 16],
    /// Number of the block within the write.
    pub block: u32,
    /// Key the block is sealed under.
    pub key_id: [u8; 16],
}

/// One encrypted block: content of rows that share a key.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedBlock {
    /// Key the block is sealed under.
    pub key_id: [u8; 16],
    /// The block as it goes to disk.
    pub bytes: Vec<u8>,
}

impl fmt::Debug for SealedBlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealedBlock({} bytes)", self.bytes.len())
    }
}

/// Rows of one stream, ready for disk: clear columns of the skeleton, sealed blocks of the content.
pub struct Sealed {
    parts: StoredSealed,
}

/// The parts of a [`Sealed`], as a frame stores them.
#[derive(Clone, PartialEq)]
pub struct StoredSealed {
    /// Schema of the stream.
    pub schema: Arc<StreamSchema>,
    /// Tenant of the rows.
    pub tenant: String,
    /// Policy that admitted the rows.
    pub policy: PolicyDigest,
    /// Random number of this write attempt.
    pub write_id: [u8; 16],
    /// Time of receipt, Unix nanoseconds.
    pub ingest_time_ns: i64,
    /// Event time of each row, Unix nanoseconds.
    pub times: Vec<i64>,
    /// Clear columns with their index in the schema, in schema order; subjects and pseudonyms are text.
    pub skeleton: Vec<(u16, Column)>,
    /// Block number of each row's content, or [`NO_BLOCK`].
    pub row_blocks: Vec<u32>,
    /// The sealed blocks.
    pub blocks: Vec<SealedBlock>,
}

impl fmt::Debug for StoredSealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "StoredSealed({} rows, {} blocks, [redacted])",
            self.times.len(),
            self.blocks.len()
        )
    }
}

impl Sealed {
    /// Joins parts made by this crate.
    pub(crate) fn assemble(parts: StoredSealed) -> Self {
        Self { parts }
    }

    /// Restores rows from an authenticated frame; fails unless every part fits the others.
    pub fn restore(parts: StoredSealed) -> Result<Self> {
        check(&parts)?;
        Ok(Self { parts })
    }

    /// Gives the parts away, for the frame's encoder.
    #[must_use]
    pub fn into_stored(self) -> StoredSealed {
        self.parts
    }

    /// The parts, for the frame's encoder.
    #[must_use]
    pub fn stored(&self) -> &StoredSealed {
        &self.parts
    }

    /// Schema of the stream.
    #[must_use]
    pub fn schema(&self) -> &Arc<StreamSchema> {
        &self.parts.schema
    }

    /// Name of the stream.
    #[must_use]
    pub fn stream(&self) -> &str {
        self.parts.schema.name()
    }

    /// Tenant of the rows.
    #[must_use]
    pub fn tenant(&self) -> &str {
        &self.parts.tenant
    }

    /// Digest of the policy that admitted the rows.
    #[must_use]
    pub fn policy(&self) -> PolicyDigest {
        self.parts.policy
    }

    /// Number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.parts.times.len()
    }

    /// Random number of this write attempt; a retry of the same rows has another.
    #[must_use]
    pub fn write_id(&self) -> [u8; 16] {
        self.parts.write_id
    }

    /// Time of receipt, Unix nanoseconds.
    #[must_use]
    pub fn ingest_time_ns(&self) -> i64 {
        self.parts.ingest_time_ns
    }

    /// Event time of each row, Unix nanoseconds.
    #[must_use]
    pub fn times(&self) -> &[i64] {
        &self.parts.times
    }

    /// Clear columns with their index in the schema.
    #[must_use]
    pub fn skeleton(&self) -> &[(u16, Column)] {
        &self.parts.skeleton
    }

    /// Block number of each row's content, or [`NO_BLOCK`].
    #[must_use]
    pub fn row_blocks(&self) -> &[u32] {
        &self.parts.row_blocks
    }

    /// The sealed blocks.
    #[must_use]
    pub fn blocks(&self) -> &[SealedBlock] {
        &self.parts.blocks
    }

    /// Where block `block` belongs; `None` when there is no such block.
    #[must_use]
    pub fn place(&self, block: u32) -> Option<BlockPlace> {
        let found = self.parts.blocks.get(usize::try_from(block).ok()?)?;
        Some(BlockPlace {
            tenant: self.parts.tenant.clone(),
            stream: self.stream().to_owned(),
            write_id: self.parts.write_id,
            block,
            key_id: found.key_id,
        })
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sealed({} rows of `{}`, [redacted])", self.rows(), self.stream())
    }
}

/// Whether the clear column of `field` is text whatever the field's own type: handles and pseudonyms are.
#[must_use]
pub fn becomes_text(treatment: Treatment) -> bool {
    matches!(treatment, Treatment::Subject | Treatment::Pseudonymise)
}

/// Checks that the parts fit each other.
fn check(parts: &StoredSealed) -> Result<()> {
    let rows = parts.times.len();
    if parts.row_blocks.len() != rows {
        return Err(KeysError::Tampered { what: "a sealed batch (rows and block numbers differ)" });
    }
    let blocks = u32::try_from(parts.blocks.len())
        .map_err(|_too_many| KeysError::Tampered { what: "a sealed batch (too many blocks)" })?;
    let mut used = vec![false; parts.blocks.len()];
    for number in parts.row_blocks.iter().filter(|number| **number != NO_BLOCK) {
        match used.get_mut(*number as usize) {
            Some(flag) if *number < blocks => *flag = true,
            Some(_) | None => {
                return Err(KeysError::Tampered { what: "a sealed batch (a block is missing)" });
            }
        }
    }
    if used.contains(&false) {
        return Err(KeysError::Tampered { what: "a sealed batch (a block without rows)" });
    }
    check_skeleton(parts, rows)
}

/// Checks that the clear columns are exactly those of the schema, in order, of the right type and length.
fn check_skeleton(parts: &StoredSealed, rows: usize) -> Result<()> {
    let mut columns = parts.skeleton.iter();
    for (index, field) in parts.schema.fields().iter().enumerate() {
        if field.class != Class::Skeleton {
            continue;
        }
        let fits = columns.next().is_some_and(|(at, column)| {
            usize::from(*at) == index
                && column.len() == rows
                && fits_type(column.data(), field.kind, field.treatment)
        });
        if !fits {
            return Err(KeysError::Tampered {
                what: "a sealed batch (columns do not fit the schema)",
            });
        }
    }
    match columns.next() {
        None => Ok(()),
        Some(_) => Err(KeysError::Tampered { what: "a sealed batch (too many columns)" }),
    }
}

/// Whether a column's values are of the type its field declares.
fn fits_type(data: &ColumnData, kind: FieldType, treatment: Treatment) -> bool {
    let kind = if becomes_text(treatment) { FieldType::Text } else { kind };
    matches!(
        (data, kind),
        (ColumnData::Bool(_), FieldType::Bool)
            | (ColumnData::Int(_), FieldType::Int)
            | (ColumnData::Float(_), FieldType::Float)
            | (ColumnData::Timestamp(_), FieldType::Timestamp)
            | (ColumnData::Text(_), FieldType::Text)
    )
}

#[cfg(test)]
mod tests;
