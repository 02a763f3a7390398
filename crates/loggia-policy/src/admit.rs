//! Records in, admitted columns out: the one way into the store.
//!
//! For each record: route it to a stream, map its attributes to the stream's fields, refuse and count the rest, treat each
//! value and write it into its column. Guarantees: nothing that is not a listed field is in the result; every text in it
//! has passed the detectors (save ids that keys turn into handles and pseudonyms); where a detector cannot read a text,
//! `<WITHHELD>` stands in its place; every row that was not admitted is counted with its reason.

mod columns;
mod convert;
mod join;
mod report;
mod route;
mod text;
mod time;

use std::collections::{BTreeMap, HashMap};
use std::hash::BuildHasherDefault;

use loggia_record::{Attr, Batch, RecordView, Value, intrinsic};

use crate::admitted::Admitted;
use crate::compile::CompiledStream;
use crate::detect::{ConversationRef, PlaceholderBook};
use crate::document::Mode;
use crate::patterns::{KeyHasher, Matched};
use crate::policy::Policy;
use crate::registry::{RegistryClass, UNLISTED_CONTENT_BYTES, is_gen_ai_name};
use crate::schema::Treatment;

use columns::StreamColumns;
use text::TextDesk;

pub use report::{AdmissionReport, DropCount, DropReason, DroppedField, RefusalReason, RefusedRow};
pub use time::FUTURE_SKEW_MAX_NS;

/// Most text that one row may bring, in bytes; a longer row is refused.
pub const ROW_TEXT_BYTES_MAX: usize = 4 << 20;
/// Most text that one call admits, in bytes: a resource attribute counts once per row, so a small request could otherwise
/// become a large one.
pub const BATCH_TEXT_BYTES_MAX: usize = 256 << 20;
/// Most names of refused fields that one report tells apart.
pub const DROPPED_NAMES_MAX: usize = 1_000;

/// What admission needs to know besides the records.
#[derive(Clone, Copy, Debug)]
pub struct AdmitContext<'a> {
    /// Tenant the records belong to.
    pub tenant: &'a str,
    /// Now, Unix nanoseconds.
    pub now_ns: i64,
    /// Placeholders given so far, per conversation.
    pub placeholders: &'a PlaceholderBook,
    /// Stream that takes all records, instead of the policy's routes.
    pub stream: Option<&'a str>,
}

/// What became of a batch.
#[derive(Debug)]
pub struct Admission {
    /// Admitted rows, one entry per stream that has any.
    pub admitted: Vec<Admitted>,
    /// What was refused, dropped and found.
    pub report: AdmissionReport,
}

impl Policy {
    /// Admits a batch: what the policy lists is treated and kept, everything else is refused and counted.
    #[must_use]
    pub fn admit(&self, batch: &Batch<'_>, context: &AdmitContext<'_>) -> Admission {
        let mut run = Run::new(self, context);
        for (row, record) in batch.records().enumerate() {
            if let Err(reason) = run.record(&record) {
                run.report.refuse(row, reason);
            }
        }
        run.finish(batch.len())
    }
}

/// One attribute that goes to one field.
#[derive(Clone, Copy)]
struct Match<'b, 'a> {
    attr: &'b Attr<'a>,
    field: u16,
    rank: u16,
    matched: Matched,
}

/// The matches of one field in one row.
#[derive(Clone, Copy)]
struct Slot {
    /// Position of the preferred match.
    best: usize,
    best_rank: u16,
    count: usize,
}

impl Slot {
    const EMPTY: Self = Self { best: 0, best_rank: u16::MAX, count: 0 };
}

/// What became of the attributes that many records share, worked out once.
struct SharedPlan<'b, 'a> {
    stream: usize,
    matches: Vec<Match<'b, 'a>>,
    refused: Vec<(&'b Attr<'a>, DropReason)>,
    text_bytes: usize,
    rows: u64,
}

/// Name, type and reason of something refused, in terms of the batch.
type DropKey<'b> = (usize, &'b str, &'static str, DropReason);

/// One call of [`Policy::admit`].
struct Run<'p, 'b, 'a> {
    policy: &'p Policy,
    context: &'p AdmitContext<'p>,
    streams: Vec<Option<StreamColumns>>,
    shared: Vec<SharedPlan<'b, 'a>>,
    shared_index: HashMap<(usize, u32), usize, BuildHasherDefault<KeyHasher>>,
    last_shared: Option<((usize, u32), usize)>,
    matches: Vec<Match<'b, 'a>>,
    slots: Vec<Slot>,
    key: String,
    text: TextDesk<'p>,
    text_bytes: usize,
    dropped: BTreeMap<DropKey<'b>, DropCount>,
    report: AdmissionReport,
}

impl<'p, 'b, 'a> Run<'p, 'b, 'a> {
    fn new(policy: &'p Policy, context: &'p AdmitContext<'p>) -> Self {
        Self {
            policy,
            context,
            streams: policy.streams.iter().map(|_| None).collect(),
            shared: Vec::new(),
            shared_index: HashMap::default(),
            last_shared: None,
            matches: Vec::new(),
            slots: Vec::new(),
            key: String::new(),
            text: TextDesk::new(&policy.detector, context.placeholders),
            text_bytes: 0,
            dropped: BTreeMap::new(),
            report: AdmissionReport::default(),
        }
    }

    /// Admits one record, or says why not.
    fn record(&mut self, record: &RecordView<'b, 'a>) -> Result<(), RefusalReason> {
        let policy = self.policy;
        let index = route::stream_of(policy, self.context.stream, record)?;
        let stream = policy.streams.get(index).ok_or(RefusalReason::NoStream)?;
        let shared = self.shared_plan(index, stream, record);
        let own_bytes = self.match_own(index, stream, record.own());
        let shared_bytes = self.take_shared(shared);
        self.check_size(own_bytes.saturating_add(shared_bytes))?;
        self.fill_slots(index, stream);
        self.write_row(index, stream, record);
        Ok(())
    }

    /// Matches the record's own attributes; returns how much text the matched ones bring.
    fn match_own(&mut self, index: usize, stream: &CompiledStream, own: &'b [Attr<'a>]) -> usize {
        self.matches.clear();
        let event = if stream.event_bodies { route::event_name(own) } else { None };
        let mut bytes = 0_usize;
        for attr in own {
            let Some(found) = self.find(stream, event, attr) else {
                if !matches!(attr.value, Value::Null) {
                    let reason = self.unlisted(attr, own);
                    self.drop_value(index, &attr.key, &attr.value, reason);
                    self.observe(stream, attr);
                }
                continue;
            };
            bytes = bytes.saturating_add(convert::text_bytes(&attr.value));
            self.matches.push(found);
        }
        bytes
    }

    /// The field that an attribute feeds; the body of an event looks for an alias with the event's name first.
    fn find(
        &mut self,
        stream: &CompiledStream,
        event: Option<&str>,
        attr: &'b Attr<'a>,
    ) -> Option<Match<'b, 'a>> {
        let mut found = None;
        if let Some(event) = event
            && attr.key == intrinsic::BODY
        {
            let name = format!("{event}.{}", attr.key);
            found = stream.targets.find(&name, &mut self.key);
        }
        let (target, matched) = found.or_else(|| stream.targets.find(&attr.key, &mut self.key))?;
        Some(Match { attr, field: target.field, rank: target.rank, matched })
    }

    /// Works out the attributes a record shares with others, once per stream and `shared_id`.
    fn shared_plan(
        &mut self,
        index: usize,
        stream: &CompiledStream,
        record: &RecordView<'b, 'a>,
    ) -> usize {
        let key = (index, record.shared_id());
        if let Some((last, plan)) = self.last_shared
            && last == key
        {
            return plan;
        }
        if let Some(plan) = self.shared_index.get(&key) {
            self.last_shared = Some((key, *plan));
            return *plan;
        }
        let mut plan = SharedPlan {
            stream: index,
            matches: Vec::new(),
            refused: Vec::new(),
            text_bytes: 0,
            rows: 0,
        };
        for attr in record.shared() {
            if let Some(found) = self.find(stream, None, attr) {
                plan.text_bytes = plan.text_bytes.saturating_add(convert::text_bytes(&attr.value));
                plan.matches.push(found);
            } else if !matches!(attr.value, Value::Null) {
                let reason = self.unlisted(attr, &[]);
                plan.refused.push((attr, reason));
                self.observe(stream, attr);
            }
        }
        let position = self.shared.len();
        self.shared.push(plan);
        self.shared_index.insert(key, position);
        self.last_shared = Some((key, position));
        position
    }

    /// Adds the shared matches behind the record's own; returns how much text they bring.
    fn take_shared(&mut self, plan: usize) -> usize {
        let Some(plan) = self.shared.get_mut(plan) else { return 0 };
        plan.rows = plan.rows.saturating_add(1);
        self.matches.extend_from_slice(&plan.matches);
        plan.text_bytes
    }

    fn check_size(&mut self, bytes: usize) -> Result<(), RefusalReason> {
        if bytes > ROW_TEXT_BYTES_MAX {
            return Err(RefusalReason::RowTooLarge);
        }
        let total = self.text_bytes.saturating_add(bytes);
        if total > BATCH_TEXT_BYTES_MAX {
            return Err(RefusalReason::BatchTooLarge);
        }
        self.text_bytes = total;
        Ok(())
    }

    /// Groups the matches by field, and counts what a listed field drops.
    fn fill_slots(&mut self, index: usize, stream: &CompiledStream) {
        self.slots.clear();
        self.slots.resize(stream.fields.len(), Slot::EMPTY);
        let matches = std::mem::take(&mut self.matches);
        for (position, found) in matches.iter().enumerate() {
            if matches!(found.attr.value, Value::Null) {
                continue;
            }
            let field = stream.fields.get(usize::from(found.field));
            if field.is_none_or(|field| field.schema.treatment == Treatment::Drop) {
                self.drop_value(index, &found.attr.key, &found.attr.value, DropReason::ByPolicy);
                continue;
            }
            if let Some(slot) = self.slots.get_mut(usize::from(found.field)) {
                if slot.count == 0 || found.rank < slot.best_rank {
                    slot.best = position;
                    slot.best_rank = found.rank;
                }
                slot.count = slot.count.saturating_add(1);
            }
        }
        self.matches = matches;
    }

    /// Writes one row: a value or a null into every column.
    fn write_row(&mut self, index: usize, stream: &CompiledStream, record: &RecordView<'b, 'a>) {
        let conversation = self.conversation(stream, record.own());
        let tenant = self.context.tenant;
        let conversation = conversation.map(|id| ConversationRef { tenant, id });
        let (time, clamp) = time::clamp(record.event_time_ns(), self.context.now_ns);
        self.report.note_time(clamp);
        let oldest = time::oldest(self.context.now_ns, stream.schema.retention().skeleton_days);
        if time < oldest {
            self.report.rows_past_retention = self.report.rows_past_retention.saturating_add(1);
        }
        let Some(place) = self.streams.get_mut(index) else { return };
        let columns = place.get_or_insert_with(|| StreamColumns::new(stream));
        columns.times.push(time);
        let mut failed: Vec<(&'b str, &'b Value<'a>)> = Vec::new();
        for ((field, slot), column) in
            stream.fields.iter().zip(&self.slots).zip(&mut columns.columns)
        {
            let Some(best) = self.matches.get(slot.best).filter(|_| slot.count > 0) else {
                column.push_null();
                continue;
            };
            let written = if slot.count > 1 && field.schema.treatment == Treatment::Seal {
                let parts = self
                    .matches
                    .iter()
                    .filter(|found| found.field == best.field)
                    .map(|found| (found.attr, found.matched));
                join::write(parts, conversation.as_ref(), &mut self.text, column)
            } else {
                convert::write(
                    field,
                    &best.attr.value,
                    conversation.as_ref(),
                    &mut self.text,
                    column,
                )
            };
            if !written {
                column.push_null();
                failed.push((&best.attr.key, &best.attr.value));
            }
        }
        for (name, value) in failed {
            self.drop_value(index, name, value, DropReason::BadValue);
        }
        self.report.rows_admitted = self.report.rows_admitted.saturating_add(1);
    }

    /// The conversation that placeholders are numbered in: the stream's conversation id, else the trace.
    fn conversation(&self, stream: &CompiledStream, own: &'b [Attr<'a>]) -> Option<&'b str> {
        let by_field = stream.schema.conversation().and_then(|field| {
            let slot = self.slots.get(field).filter(|slot| slot.count > 0)?;
            self.matches.get(slot.best)?.attr.value.as_text()
        });
        let by_trace = || {
            own.iter()
                .find(|attr| attr.key == intrinsic::TRACE_ID)
                .and_then(|attr| attr.value.as_text())
        };
        by_field.or_else(by_trace).filter(|id| !id.is_empty())
    }

    /// Why an attribute that no field lists is refused. The body of a Gen AI event counts under the event's name.
    fn unlisted(&mut self, attr: &Attr<'_>, own: &[Attr<'_>]) -> DropReason {
        let event = if attr.key == intrinsic::BODY { route::event_name(own) } else { None };
        let event_body = event
            .filter(|event| is_gen_ai_name(event))
            .map(|event| format!("{event}.{}", intrinsic::BODY));
        let name = event_body.as_deref().unwrap_or(&attr.key);
        match self.policy.registry.find(name, &mut self.key) {
            Some(known) => DropReason::Known(known.class),
            None if is_gen_ai_name(name)
                && convert::text_bytes(&attr.value) > UNLISTED_CONTENT_BYTES =>
            {
                DropReason::ContentUnlisted
            }
            None => DropReason::Unlisted,
        }
    }

    /// In observe mode, reports what the detectors would have found in a refused text.
    fn observe(&mut self, stream: &CompiledStream, attr: &Attr<'_>) {
        if stream.mode == Mode::Observe
            && let Some(text) = attr.value.as_text()
        {
            self.text.observe(text);
        }
    }

    fn drop_value(&mut self, stream: usize, name: &'b str, value: &Value<'_>, reason: DropReason) {
        let bytes = u64::try_from(convert::text_bytes(value)).unwrap_or(u64::MAX);
        self.count_dropped((stream, name, value.type_name(), reason), 1, bytes);
    }

    /// Counts refused values; names beyond the limit are counted together.
    fn count_dropped(&mut self, key: DropKey<'b>, values: u64, bytes: u64) {
        let full = self.dropped.len() >= DROPPED_NAMES_MAX;
        let key = if full && !self.dropped.contains_key(&key) {
            (key.0, report::OTHER_NAMES, key.2, key.3)
        } else {
            key
        };
        self.dropped.entry(key).or_default().add(values, bytes);
    }

    /// Puts the answer together.
    fn finish(mut self, rows: usize) -> Admission {
        for plan in std::mem::take(&mut self.shared) {
            for (attr, reason) in &plan.refused {
                let each = u64::try_from(convert::text_bytes(&attr.value)).unwrap_or(u64::MAX);
                let key = (plan.stream, attr.key.as_ref(), attr.value.type_name(), *reason);
                self.count_dropped(key, plan.rows, each.saturating_mul(plan.rows));
            }
        }
        let mut report = self.report;
        report.rows_in = u64::try_from(rows).unwrap_or(u64::MAX);
        for ((stream, name, value_type, reason), count) in self.dropped {
            let stream = self.policy.streams.get(stream).map_or("", |stream| stream.schema.name());
            let name = self.text.safe_name(name);
            report.add_dropped(
                DroppedField {
                    stream: stream.to_owned(),
                    name: name.to_owned(),
                    value_type,
                    reason,
                },
                count,
            );
        }
        self.text.finish(&mut report);
        let mut admitted = Vec::new();
        for (stream, columns) in self.policy.streams.iter().zip(self.streams) {
            let Some(columns) = columns else { continue };
            if let Some(batch) = columns.finish(stream, self.policy.digest, self.context) {
                admitted.push(batch);
            }
        }
        Admission { admitted, report }
    }
}

/// Class of a registered attribute, for those who only have its name.
#[must_use]
pub fn registry_class(name: &str) -> Option<RegistryClass> {
    crate::registry::Registry::gen_ai().find(name, &mut String::new()).map(|known| known.class)
}

#[cfg(test)]
mod tests;
