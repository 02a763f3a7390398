//! [`Admitted`]: rows that passed the policy and the detectors, column by column.
//!
//! Only this crate makes one (see `admit`), so whoever holds it knows that every value is of a listed field and has had
//! its treatment, save the two that need keys: subject ids and pseudonyms, which `loggia-keys` replaces before anything is written.

use std::fmt;
use std::sync::Arc;

use crate::schema::{PolicyDigest, StreamSchema};

/// Text values laid end to end; value `i` is `bytes[offsets[i]..offsets[i+1]]`.
#[derive(Clone, PartialEq, Eq)]
pub struct TextColumn {
    offsets: Vec<u32>,
    bytes: String,
}

impl Default for TextColumn {
    fn default() -> Self {
        Self { offsets: vec![0], bytes: String::new() }
    }
}

impl TextColumn {
    /// An empty column with room for `rows` values.
    #[must_use]
    pub fn with_capacity(rows: usize, bytes: usize) -> Self {
        let mut offsets = Vec::with_capacity(rows.saturating_add(1));
        offsets.push(0);
        Self { offsets, bytes: String::with_capacity(bytes) }
    }

    /// Appends one value. A column never grows past 4 GiB: batches are bounded long before.
    pub fn push(&mut self, value: &str) {
        self.bytes.push_str(value);
        self.offsets.push(u32::try_from(self.bytes.len()).unwrap_or(u32::MAX));
    }

    /// Appends one value written by `write` straight into the column.
    pub fn push_with<T>(&mut self, write: impl FnOnce(&mut String) -> T) -> T {
        let answer = write(&mut self.bytes);
        self.offsets.push(u32::try_from(self.bytes.len()).unwrap_or(u32::MAX));
        answer
    }

    /// Value `row`, or `None` past the end.
    #[must_use]
    pub fn get(&self, row: usize) -> Option<&str> {
        let start = *self.offsets.get(row)? as usize;
        let end = *self.offsets.get(row.checked_add(1)?)? as usize;
        self.bytes.get(start..end)
    }

    /// Number of values.
    #[must_use]
    pub fn len(&self) -> usize {
        self.offsets.len().saturating_sub(1)
    }

    /// Whether there is no value.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All values end to end.
    #[must_use]
    pub fn bytes(&self) -> &str {
        &self.bytes
    }

    /// `len() + 1` byte offsets into [`Self::bytes`].
    #[must_use]
    pub fn offsets(&self) -> &[u32] {
        &self.offsets
    }

    /// Rebuilds a column from its parts; `None` unless the offsets fit the bytes.
    #[must_use]
    pub fn from_parts(offsets: Vec<u32>, bytes: String) -> Option<Self> {
        let ordered = offsets.windows(2).all(|pair| matches!(pair, [a, b] if a <= b));
        let fits = offsets.first() == Some(&0)
            && offsets.last().is_some_and(|end| *end as usize == bytes.len())
            && offsets.iter().all(|offset| bytes.is_char_boundary(*offset as usize));
        (ordered && fits).then_some(Self { offsets, bytes })
    }
}

impl fmt::Debug for TextColumn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TextColumn({} values, [redacted])", self.len())
    }
}

/// Values of one column; a null row holds the type's default.
#[derive(Clone, PartialEq)]
pub enum ColumnData {
    /// Booleans.
    Bool(Vec<bool>),
    /// Integers.
    Int(Vec<i64>),
    /// Floats.
    Float(Vec<f64>),
    /// Unix nanoseconds.
    Timestamp(Vec<i64>),
    /// Text.
    Text(TextColumn),
}

impl fmt::Debug for ColumnData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ColumnData([redacted])")
    }
}

/// One column of a batch: values and which of them are present.
#[derive(Clone, PartialEq)]
pub struct Column {
    validity: Vec<bool>,
    data: ColumnData,
}

impl Column {
    /// Joins values and validity; `None` when their lengths differ.
    #[must_use]
    pub fn new(validity: Vec<bool>, data: ColumnData) -> Option<Self> {
        let len = match &data {
            ColumnData::Bool(values) => values.len(),
            ColumnData::Int(values) | ColumnData::Timestamp(values) => values.len(),
            ColumnData::Float(values) => values.len(),
            ColumnData::Text(values) => values.len(),
        };
        (len == validity.len()).then_some(Self { validity, data })
    }

    /// Number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.validity.len()
    }

    /// Whether there is no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.validity.is_empty()
    }

    /// Which rows are present.
    #[must_use]
    pub fn validity(&self) -> &[bool] {
        &self.validity
    }

    /// The values.
    #[must_use]
    pub fn data(&self) -> &ColumnData {
        &self.data
    }

    /// Text of `row`, when the column is text and the row present.
    #[must_use]
    pub fn text(&self, row: usize) -> Option<&str> {
        match &self.data {
            ColumnData::Text(values) if self.validity.get(row) == Some(&true) => values.get(row),
            ColumnData::Text(_)
            | ColumnData::Bool(_)
            | ColumnData::Int(_)
            | ColumnData::Float(_)
            | ColumnData::Timestamp(_) => None,
        }
    }
}

impl fmt::Debug for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Column({} rows, [redacted])", self.len())
    }
}

/// Rows of one stream that the policy lets in. Made only by `Policy::admit`.
pub struct Admitted {
    pub(crate) schema: Arc<StreamSchema>,
    pub(crate) tenant: String,
    pub(crate) policy: PolicyDigest,
    pub(crate) now_ns: i64,
    pub(crate) times: Vec<i64>,
    pub(crate) columns: Vec<Column>,
}

impl Admitted {
    /// Assembles rows that no policy has seen, for the tests of other crates; `None` when the lengths differ.
    #[cfg(feature = "testing")]
    #[must_use]
    pub fn assemble(
        schema: Arc<StreamSchema>,
        tenant: &str,
        policy: PolicyDigest,
        now_ns: i64,
        times: Vec<i64>,
        columns: Vec<Column>,
    ) -> Option<Self> {
        let fits = columns.len() == schema.fields().len()
            && columns.iter().all(|column| column.len() == times.len());
        fits.then(|| Self { schema, tenant: tenant.to_owned(), policy, now_ns, times, columns })
    }

    /// Schema the columns follow.
    #[must_use]
    pub fn schema(&self) -> &Arc<StreamSchema> {
        &self.schema
    }

    /// Tenant the rows belong to.
    #[must_use]
    pub fn tenant(&self) -> &str {
        &self.tenant
    }

    /// Digest of the policy that admitted the rows.
    #[must_use]
    pub fn policy(&self) -> PolicyDigest {
        self.policy
    }

    /// Number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.times.len()
    }

    /// Event time of each row, Unix nanoseconds; at most [`crate::FUTURE_SKEW_MAX_NS`] in the future of the receipt.
    #[must_use]
    pub fn times(&self) -> &[i64] {
        &self.times
    }

    /// Time of receipt, Unix nanoseconds.
    #[must_use]
    pub fn now_ns(&self) -> i64 {
        self.now_ns
    }

    /// One column per field of the schema, in its order.
    #[must_use]
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// Gives the columns away.
    #[must_use]
    pub fn into_columns(self) -> Vec<Column> {
        self.columns
    }
}

impl fmt::Debug for Admitted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Admitted({} rows of `{}`, [redacted])", self.rows(), self.schema.name())
    }
}
