//! Columns under construction: one per stored field, always of one length.

use std::sync::Arc;

use crate::admitted::{Admitted, Column, ColumnData, TextColumn};
use crate::compile::CompiledStream;
use crate::patterns::short_hash;
use crate::schema::{FieldType, PolicyDigest, Treatment};

use super::AdmitContext;

/// Longest text the memory of clean values holds.
const CLEAN_BYTES_MAX: usize = 64;
/// Number of clean values remembered per column.
const CLEAN_SLOTS: usize = 8;

/// The rows of one stream so far.
pub(super) struct StreamColumns {
    pub(super) times: Vec<i64>,
    pub(super) columns: Vec<ColumnBuilder>,
}

impl StreamColumns {
    pub(super) fn new(stream: &CompiledStream) -> Self {
        let stored = stream.fields.iter().filter(|field| field.schema.treatment != Treatment::Drop);
        let columns = stored.map(|field| ColumnBuilder::new(field.schema.kind)).collect();
        Self { times: Vec::new(), columns }
    }

    /// The admitted rows; `None` when there are none, or when a column is not whole, which writing one value or null per
    /// row rules out.
    pub(super) fn finish(
        self,
        stream: &CompiledStream,
        policy: PolicyDigest,
        context: &AdmitContext<'_>,
    ) -> Option<Admitted> {
        let rows = self.times.len();
        let columns: Vec<Column> = self
            .columns
            .into_iter()
            .map(|column| Column::new(column.validity, column.data))
            .collect::<Option<_>>()?;
        let whole = columns.iter().all(|column| column.len() == rows);
        (rows > 0 && whole).then(|| Admitted {
            schema: Arc::clone(&stream.schema),
            tenant: context.tenant.to_owned(),
            policy,
            now_ns: context.now_ns,
            times: self.times,
            columns,
        })
    }
}

/// One column under construction.
pub(super) struct ColumnBuilder {
    validity: Vec<bool>,
    data: ColumnData,
    clean: [String; CLEAN_SLOTS],
}

impl ColumnBuilder {
    pub(super) fn new(kind: FieldType) -> Self {
        let data = match kind {
            FieldType::Text => ColumnData::Text(TextColumn::default()),
            FieldType::Int => ColumnData::Int(Vec::new()),
            FieldType::Float => ColumnData::Float(Vec::new()),
            FieldType::Bool => ColumnData::Bool(Vec::new()),
            FieldType::Timestamp => ColumnData::Timestamp(Vec::new()),
        };
        Self { validity: Vec::new(), data, clean: Default::default() }
    }

    /// All texts, for tests.
    #[cfg(test)]
    pub(super) fn texts(&self) -> Vec<&str> {
        let ColumnData::Text(values) = &self.data else { return Vec::new() };
        (0..values.len()).filter_map(|row| values.get(row)).collect()
    }

    pub(super) fn push_null(&mut self) {
        match &mut self.data {
            ColumnData::Bool(values) => values.push(false),
            ColumnData::Int(values) | ColumnData::Timestamp(values) => values.push(0),
            ColumnData::Float(values) => values.push(0.0),
            ColumnData::Text(values) => values.push(""),
        }
        self.validity.push(false);
    }

    /// Appends text; false when the column is not text.
    pub(super) fn push_text(&mut self, text: &str) -> bool {
        let ColumnData::Text(values) = &mut self.data else { return false };
        values.push(text);
        self.validity.push(true);
        true
    }

    pub(super) fn push_int(&mut self, value: i64) -> bool {
        let (ColumnData::Int(values) | ColumnData::Timestamp(values)) = &mut self.data else {
            return false;
        };
        values.push(value);
        self.validity.push(true);
        true
    }

    pub(super) fn push_float(&mut self, value: f64) -> bool {
        let ColumnData::Float(values) = &mut self.data else { return false };
        values.push(value);
        self.validity.push(true);
        true
    }

    pub(super) fn push_bool(&mut self, value: bool) -> bool {
        let ColumnData::Bool(values) = &mut self.data else { return false };
        values.push(value);
        self.validity.push(true);
        true
    }

    /// Whether the detectors found nothing in this very text earlier in the batch.
    pub(super) fn is_known_clean(&self, text: &str) -> bool {
        !text.is_empty() && self.clean.get(slot_of(text)).is_some_and(|known| known == text)
    }

    /// Remembers a text in which the detectors found nothing.
    pub(super) fn remember_clean(&mut self, text: &str) {
        if text.len() <= CLEAN_BYTES_MAX
            && let Some(known) = self.clean.get_mut(slot_of(text))
        {
            known.clear();
            known.push_str(text);
        }
    }
}

fn slot_of(text: &str) -> usize {
    usize::try_from(short_hash(text) % CLEAN_SLOTS as u64).unwrap_or(0)
}
