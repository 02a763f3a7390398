//! [`AdmissionReport`]: what was refused, dropped and found, as counts and names, never as content.

use std::collections::BTreeMap;
use std::fmt;

use crate::detect::EntityKind;
use crate::registry::RegistryClass;

use super::DROPPED_NAMES_MAX;
use super::time::Clamp;

/// Stands for all names beyond the number told apart.
pub(super) const OTHER_NAMES: &str = "(other)";

/// What became of a batch, in numbers.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct AdmissionReport {
    /// Records that came.
    pub rows_in: u64,
    /// Rows that were admitted.
    pub rows_admitted: u64,
    /// Rows that were not, with their reasons.
    pub rows_refused: Vec<RefusedRow>,
    /// Values that were not kept: by stream, name, type and reason. At most [`DROPPED_NAMES_MAX`] entries and `(other)`.
    pub fields_dropped: BTreeMap<DroppedField, DropCount>,
    /// Findings replaced by placeholders, per kind.
    pub detections: BTreeMap<EntityKind, u64>,
    /// Findings in refused texts of streams in observe mode, per kind.
    pub detections_observed: BTreeMap<EntityKind, u64>,
    /// Texts the detectors could not read: `<WITHHELD>` was written in their place.
    pub values_withheld: u64,
    /// Rows without a time of their own: they got the time of receipt.
    pub times_missing: u64,
    /// Rows from too far in the future: they got the time of receipt.
    pub times_future: u64,
    /// Rows already older than the stream's retention: kept, until it is next enforced.
    pub rows_past_retention: u64,
}

/// One row that was not admitted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RefusedRow {
    /// Position among the batch's records, from 0.
    pub row: usize,
    /// Why.
    pub reason: RefusalReason,
}

/// Why a row was not admitted.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum RefusalReason {
    /// No stream of the policy takes such records.
    NoStream,
    /// The stream it was sent to is not in the policy.
    UnknownStream,
    /// It brings more text than a row may hold.
    RowTooLarge,
    /// The batch has grown too large with it.
    BatchTooLarge,
}

impl RefusalReason {
    /// A word for metrics.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::NoStream => "no_stream",
            Self::UnknownStream => "unknown_stream",
            Self::RowTooLarge => "row_too_large",
            Self::BatchTooLarge => "batch_too_large",
        }
    }
}

impl fmt::Display for RefusalReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoStream => "no stream of the policy takes such records",
            Self::UnknownStream => "no such stream",
            Self::RowTooLarge => "the record brings more text than a row may hold",
            Self::BatchTooLarge => "the batch is too large with this record; send smaller batches",
        })
    }
}

/// Which values were not kept.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct DroppedField {
    /// Stream the record went to.
    pub stream: String,
    /// Attribute name; withheld when the name itself holds personal data.
    pub name: String,
    /// Type of the value, as `loggia-record` names it.
    pub value_type: &'static str,
    /// Why.
    pub reason: DropReason,
}

/// Why a value was not kept.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum DropReason {
    /// No field lists its name.
    Unlisted,
    /// No field lists its name, and it is a long text of a Gen AI instrumentation.
    ContentUnlisted,
    /// No field lists its name; the registry knows what it holds.
    Known(RegistryClass),
    /// A field lists it to be dropped.
    ByPolicy,
    /// It does not fit the field's type, or an id is empty or too long.
    BadValue,
}

impl fmt::Display for DropReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unlisted => f.write_str("unlisted"),
            Self::ContentUnlisted => f.write_str("content (unlisted)"),
            Self::Known(class) => write!(f, "{class} (known, unlisted)"),
            Self::ByPolicy => f.write_str("dropped by policy"),
            Self::BadValue => f.write_str("does not fit its field"),
        }
    }
}

/// How much was not kept.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct DropCount {
    /// Number of values.
    pub values: u64,
    /// Bytes of their text.
    pub bytes: u64,
}

impl DropCount {
    pub(super) fn add(&mut self, values: u64, bytes: u64) {
        self.values = self.values.saturating_add(values);
        self.bytes = self.bytes.saturating_add(bytes);
    }
}

impl AdmissionReport {
    /// Number of rows that were not admitted.
    #[must_use]
    pub fn refused(&self) -> usize {
        self.rows_refused.len()
    }

    /// Number of rows that were not admitted, per reason.
    #[must_use]
    pub fn refused_by_reason(&self) -> BTreeMap<RefusalReason, u64> {
        let mut counts = BTreeMap::new();
        for refused in &self.rows_refused {
            let count: &mut u64 = counts.entry(refused.reason).or_default();
            *count = count.saturating_add(1);
        }
        counts
    }

    /// One line for a partial-success answer; empty when every row was admitted.
    #[must_use]
    pub fn refusal_summary(&self) -> String {
        let parts: Vec<String> = self
            .refused_by_reason()
            .into_iter()
            .map(|(reason, count)| format!("{count} refused: {reason}"))
            .collect();
        parts.join("; ")
    }

    /// Adds another report, as for a running total; positions of refused rows are not carried over.
    pub fn merge(&mut self, other: &Self) {
        self.rows_in = self.rows_in.saturating_add(other.rows_in);
        self.rows_admitted = self.rows_admitted.saturating_add(other.rows_admitted);
        for (field, count) in &other.fields_dropped {
            self.add_dropped(field.clone(), *count);
        }
        merge_counts(&mut self.detections, &other.detections);
        merge_counts(&mut self.detections_observed, &other.detections_observed);
        self.values_withheld = self.values_withheld.saturating_add(other.values_withheld);
        self.times_missing = self.times_missing.saturating_add(other.times_missing);
        self.times_future = self.times_future.saturating_add(other.times_future);
        self.rows_past_retention =
            self.rows_past_retention.saturating_add(other.rows_past_retention);
    }

    pub(super) fn refuse(&mut self, row: usize, reason: RefusalReason) {
        self.rows_refused.push(RefusedRow { row, reason });
    }

    pub(super) fn note_time(&mut self, clamp: Clamp) {
        match clamp {
            Clamp::Kept => {}
            Clamp::Missing => self.times_missing = self.times_missing.saturating_add(1),
            Clamp::Future => self.times_future = self.times_future.saturating_add(1),
        }
    }

    /// Adds dropped values; names beyond the limit are counted together.
    pub(super) fn add_dropped(&mut self, mut field: DroppedField, count: DropCount) {
        let full = self.fields_dropped.len() >= DROPPED_NAMES_MAX;
        if full && !self.fields_dropped.contains_key(&field) {
            OTHER_NAMES.clone_into(&mut field.name);
        }
        self.fields_dropped.entry(field).or_default().add(count.values, count.bytes);
    }
}

fn merge_counts(into: &mut BTreeMap<EntityKind, u64>, from: &BTreeMap<EntityKind, u64>) {
    for (kind, count) in from {
        let total = into.entry(*kind).or_default();
        *total = total.saturating_add(*count);
    }
}
