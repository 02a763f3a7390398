//! Sealing: admitted rows become [`Sealed`] ones.
//!
//! The steps: name the people, conversations and days of the batch by keyed hashes; find or make their keys; leave out rows of
//! erased people; replace ids by handles and pseudonyms; seal the content, one block per key. After this no value of a
//! sealed field and no id of a person is in clear anywhere.

use std::borrow::Cow;
use std::collections::HashMap;

use loggia_policy::{Admitted, Class, Column, ColumnData, StreamSchema, TextColumn, Treatment};

use crate::block::{BlockBuilder, Place, SealContext, with_context};
use crate::cache::HeldKey;
use crate::calendar;
use crate::database::{Id, Kind};
use crate::error::{KeysError, Result};
use crate::resolve::{
    ConversationSlot, ConversationState, DaySlot, Request, SubjectSlot, SubjectState,
};
use crate::sealed::{NO_BLOCK, Sealed, SealedBlock, StoredSealed};
use crate::secret::{prefixed, random_id};
use crate::store::{KeyStore, TenantHashers, Whose};

/// What sealing a batch gave.
#[derive(Debug)]
pub struct SealOutcome {
    /// The rows, ready for the store.
    pub sealed: Sealed,
    /// Rows left out because their subject has been erased.
    pub refused_erased: usize,
}

impl KeyStore {
    /// Seals rows. New people, conversations and days get their keys, in one durable transaction at most; rows of erased
    /// people are left out and counted. Each call draws a new write number, so sealing the same rows again gives other bytes.
    pub fn seal(&self, admitted: Admitted) -> Result<SealOutcome> {
        self.cache().hear(admitted.now_ns());
        let schema = std::sync::Arc::clone(admitted.schema());
        let (tenant, policy, now_ns) =
            (admitted.tenant().to_owned(), admitted.policy(), admitted.now_ns());
        let times = admitted.times().to_vec();
        let columns = admitted.into_columns();
        let hashers = self.tenant_hashers(&tenant)?;

        let plan = Plan::of(&schema, &columns, &times, now_ns);
        let request = self.resolve(plan.request(&hashers, &tenant, now_ns), |request| {
            plan.bury(&hashers, request);
        })?;
        let owners = plan.owners;

        let kept = kept_rows(&owners, &request);
        let refused_erased = times.len().saturating_sub(kept.len());
        let write_id = random_id()?;
        let batch = Batch { tenant: &tenant, stream: schema.name(), write_id: &write_id };
        let content = Content::of(&schema, &columns);
        let (row_blocks, blocks) = with_context(|context| {
            batch.seal_content(&content, &owners, &kept, &request, context)
        })?;
        let skeleton = self.skeleton(&schema, &tenant, columns, &owners, &kept, &request)?;
        let times = if refused_erased == 0 { times } else { pick(&times, &kept) };
        let sealed = Sealed::assemble(StoredSealed {
            schema,
            tenant,
            policy,
            write_id,
            ingest_time_ns: now_ns,
            times,
            skeleton,
            row_blocks,
            blocks,
        });
        Ok(SealOutcome { sealed, refused_erased })
    }

    /// The clear columns: ids replaced by handles and pseudonyms, refused rows left out.
    fn skeleton(
        &self,
        schema: &StreamSchema,
        tenant: &str,
        columns: Vec<Column>,
        owners: &[Owner],
        kept: &[u32],
        request: &Request,
    ) -> Result<Vec<(u16, Column)>> {
        let all = kept.len() == owners.len();
        let mut out = Vec::with_capacity(columns.len());
        for (index, (field, column)) in schema.fields().iter().zip(columns).enumerate() {
            if field.class != Class::Skeleton {
                continue;
            }
            let at = u16::try_from(index).map_err(|_too_many| KeysError::Invalid {
                what: "a stream has at most 65,535 fields",
            })?;
            let column = match field.treatment {
                Treatment::Subject if schema.subject() == Some(index) => {
                    handles(owners, kept, request)?
                }
                // A second subject field, should a policy ever have one, must not stay in clear.
                Treatment::Subject | Treatment::Pseudonymise => {
                    self.pseudonyms(tenant, &field.name, &column, kept)?
                }
                Treatment::Keep
                | Treatment::Drop
                | Treatment::Redact
                | Treatment::Generalise
                | Treatment::Seal => {
                    if all {
                        column
                    } else {
                        pick_column(&column, kept)?
                    }
                }
            };
            out.push((at, column));
        }
        Ok(out)
    }

    /// A column of pseudonyms, each value hashed once.
    fn pseudonyms(
        &self,
        tenant: &str,
        domain: &str,
        column: &Column,
        kept: &[u32],
    ) -> Result<Column> {
        let hasher = self.hasher(Kind::Pseudonym, tenant, domain)?;
        let mut known: HashMap<Cow<'_, str>, String> = HashMap::new();
        let mut text = TextColumn::with_capacity(kept.len(), kept.len().saturating_mul(24));
        let mut validity = Vec::with_capacity(kept.len());
        for row in kept {
            let value = value_text(column, *row as usize);
            validity.push(value.is_some());
            match value {
                None => text.push(""),
                Some(value) => {
                    if let Some(pseudonym) = known.get(value.as_ref()) {
                        text.push(pseudonym);
                    } else {
                        let pseudonym = prefixed("p_", &hasher.short(value.as_bytes()));
                        text.push(&pseudonym);
                        known.insert(value, pseudonym);
                    }
                }
            }
        }
        join(validity, ColumnData::Text(text))
    }
}

/// Whose key a row's content is sealed under, and who the row is about.
#[derive(Clone, Copy, Default)]
struct Owner {
    subject: Option<u32>,
    conversation: Option<u32>,
    day: Option<u32>,
}

/// Distinct values of the batch, numbered in order of appearance.
#[derive(Default)]
struct Distinct<'a> {
    numbers: HashMap<Cow<'a, str>, u32>,
    values: Vec<Cow<'a, str>>,
}

impl<'a> Distinct<'a> {
    fn number(&mut self, value: Cow<'a, str>) -> Option<u32> {
        if let Some(number) = self.numbers.get(value.as_ref()) {
            return Some(*number);
        }
        let number = u32::try_from(self.values.len()).ok()?;
        self.values.push(value.clone());
        self.numbers.insert(value, number);
        Some(number)
    }
}

/// Who and what the rows of a batch are about.
struct Plan<'a> {
    owners: Vec<Owner>,
    subjects: Vec<Cow<'a, str>>,
    conversations: Vec<Cow<'a, str>>,
    /// Per conversation: a subject of a row that names both.
    links: Vec<Option<u32>>,
    /// Per conversation: whether content is sealed under its key.
    wants_key: Vec<bool>,
    days: Vec<String>,
}

impl<'a> Plan<'a> {
    fn of(schema: &StreamSchema, columns: &'a [Column], times: &[i64], now_ns: i64) -> Self {
        let subject_column = schema.subject().and_then(|index| columns.get(index));
        let conversation_column = schema.conversation().and_then(|index| columns.get(index));
        let content = Content::of(schema, columns);
        let mut subjects = Distinct::default();
        let mut conversations = Distinct::default();
        let mut links: Vec<Option<u32>> = Vec::new();
        let mut wants_key: Vec<bool> = Vec::new();
        let mut day_numbers: Vec<i64> = Vec::new();
        let mut owners = Vec::with_capacity(times.len());
        for (row, time) in times.iter().enumerate() {
            let mut owner = Owner {
                subject: id_of(subject_column, row).and_then(|id| subjects.number(id)),
                conversation: id_of(conversation_column, row)
                    .and_then(|id| conversations.number(id)),
                day: None,
            };
            links.resize(conversations.values.len(), None);
            wants_key.resize(conversations.values.len(), false);
            let has_content = content.has(row);
            match (owner.subject, owner.conversation.map(|number| number as usize)) {
                (Some(subject), Some(number)) => {
                    if let Some(link) = links.get_mut(number) {
                        link.get_or_insert(subject);
                    }
                }
                (None, Some(number)) => {
                    if let Some(wants) = wants_key.get_mut(number) {
                        *wants |= has_content;
                    }
                }
                (None, None) if has_content => {
                    owner.day =
                        day_slot(&mut day_numbers, calendar::day_number((*time).min(now_ns)));
                }
                (Some(_) | None, None) => {}
            }
            owners.push(owner);
        }
        let stream = schema.name();
        let days = day_numbers
            .iter()
            .map(|day| format!("{stream}/{}", calendar::day_text(*day)))
            .collect();
        Self {
            owners,
            subjects: subjects.values,
            conversations: conversations.values,
            links,
            wants_key,
            days,
        }
    }

    /// The keys the batch needs.
    fn request(&self, hashers: &TenantHashers, tenant: &str, now_ns: i64) -> Request {
        let subjects = self.subjects.iter().map(|id| SubjectSlot {
            id: hashers.lookup(Whose::Subject, id),
            grave: Id::default(),
            state: SubjectState::Pending,
        });
        let conversations =
            self.conversations.iter().zip(self.links.iter().zip(&self.wants_key)).map(
                |(id, (link, wants_key))| ConversationSlot {
                    id: hashers.lookup(Whose::Conversation, id),
                    grave: Id::default(),
                    link: link.map(|number| number as usize),
                    wants_key: *wants_key,
                    state: ConversationState::Pending,
                },
            );
        Request {
            tenant: tenant.to_owned(),
            now_ms: now_ns.div_euclid(1_000_000),
            subjects: subjects.collect(),
            conversations: conversations.collect(),
            days: self.days.iter().map(|name| DaySlot { name: name.clone(), key: None }).collect(),
        }
    }

    /// Fills in the keyed hashes by which the batch's people would be refused after an erasure.
    fn bury(&self, hashers: &TenantHashers, request: &mut Request) {
        for (slot, id) in request.subjects.iter_mut().zip(&self.subjects) {
            if matches!(slot.state, SubjectState::Pending) {
                slot.grave = hashers.grave(Whose::Subject, id);
            }
        }
        let open: Vec<bool> =
            request.conversations.iter().map(|slot| !request.settled(slot)).collect();
        let slots = request.conversations.iter_mut().zip(open);
        for ((slot, open), id) in slots.zip(&self.conversations) {
            if open {
                slot.grave = hashers.grave(Whose::Conversation, id);
            }
        }
    }
}

/// Position of a day in the short list of the batch's days, added when new.
fn day_slot(days: &mut Vec<i64>, day: i64) -> Option<u32> {
    let at = days.iter().position(|known| *known == day).unwrap_or_else(|| {
        days.push(day);
        days.len().saturating_sub(1)
    });
    u32::try_from(at).ok()
}

/// The id in a row, unless it is null or empty: an empty id would make one person of everybody.
fn id_of(column: Option<&Column>, row: usize) -> Option<Cow<'_, str>> {
    value_text(column?, row).filter(|id| !id.is_empty())
}

/// A value as text; `None` when it is null.
fn value_text(column: &Column, row: usize) -> Option<Cow<'_, str>> {
    if column.validity().get(row) != Some(&true) {
        return None;
    }
    match column.data() {
        ColumnData::Text(values) => values.get(row).map(Cow::Borrowed),
        ColumnData::Int(values) | ColumnData::Timestamp(values) => {
            values.get(row).map(|value| Cow::Owned(value.to_string()))
        }
        ColumnData::Float(values) => values.get(row).map(|value| Cow::Owned(value.to_string())),
        ColumnData::Bool(values) => values.get(row).map(|value| Cow::Owned(value.to_string())),
    }
}

/// The columns that are sealed.
struct Content<'a>(Vec<(u16, &'a Column)>);

impl<'a> Content<'a> {
    fn of(schema: &StreamSchema, columns: &'a [Column]) -> Self {
        let fields = schema.fields().iter().zip(columns).zip(0_u16..);
        Self(
            fields
                .filter(|((field, _), _)| field.class == Class::Content)
                .map(|((_, column), index)| (index, column))
                .collect(),
        )
    }

    /// Whether a row has any sealed value.
    fn has(&self, row: usize) -> bool {
        self.0.iter().any(|(_, column)| column.validity().get(row) == Some(&true))
    }
}

/// Rows of people who have not been erased.
fn kept_rows(owners: &[Owner], request: &Request) -> Vec<u32> {
    let erased_subject = |number: u32| {
        request
            .subjects
            .get(number as usize)
            .is_none_or(|slot| matches!(slot.state, SubjectState::Erased))
    };
    let erased_conversation = |number: u32| {
        request
            .conversations
            .get(number as usize)
            .is_none_or(|slot| matches!(slot.state, ConversationState::Erased))
    };
    let keeps = |owner: &Owner| match (owner.subject, owner.conversation) {
        (Some(subject), _) => !erased_subject(subject),
        (None, Some(conversation)) => !erased_conversation(conversation),
        (None, None) => true,
    };
    owners.iter().zip(0_u32..).filter(|(owner, _)| keeps(owner)).map(|(_, row)| row).collect()
}

/// Where the blocks of a batch belong.
struct Batch<'a> {
    tenant: &'a str,
    stream: &'a str,
    write_id: &'a Id,
}

impl Batch<'_> {
    /// Seals the content of the kept rows, the rows of one key together, in order of the keys' first appearance.
    fn seal_content(
        &self,
        content: &Content<'_>,
        owners: &[Owner],
        kept: &[u32],
        request: &Request,
        context: &mut SealContext,
    ) -> Result<(Vec<u32>, Vec<SealedBlock>)> {
        let mut row_blocks = vec![NO_BLOCK; kept.len()];
        let mut blocks = Vec::new();
        let mut builder = BlockBuilder::default();
        for (key, rows) in group(content, owners, kept, request)? {
            builder.clear();
            for (at, row) in rows {
                if builder.is_full() {
                    self.close(&mut builder, key, &mut blocks, context)?;
                }
                for (field, column) in &content.0 {
                    if let Some(text) = value_text(column, row as usize) {
                        builder.push(at, *field, &text);
                    }
                }
                if let Some(block) = row_blocks.get_mut(at as usize) {
                    *block = next_block(&blocks)?;
                }
            }
            self.close(&mut builder, key, &mut blocks, context)?;
        }
        Ok((row_blocks, blocks))
    }

    fn close(
        &self,
        builder: &mut BlockBuilder,
        key: &HeldKey,
        blocks: &mut Vec<SealedBlock>,
        context: &mut SealContext,
    ) -> Result<()> {
        let place = Place {
            tenant: self.tenant,
            stream: self.stream,
            write_id: self.write_id,
            block: next_block(blocks)?,
            key_id: &key.id,
        };
        let bytes = builder.seal(&key.secret, &place, context)?;
        blocks.push(SealedBlock { key_id: key.id, bytes });
        builder.clear();
        Ok(())
    }
}

/// Number of the block that comes next.
fn next_block(blocks: &[SealedBlock]) -> Result<u32> {
    u32::try_from(blocks.len())
        .ok()
        .filter(|number| *number != NO_BLOCK)
        .ok_or(KeysError::Invalid { what: "a batch has too many blocks" })
}

/// A row that is kept: its number among the kept rows, and its number in the batch.
type KeptRow = (u32, u32);

/// Groups kept rows that have content by their key.
fn group<'r>(
    content: &Content<'_>,
    owners: &[Owner],
    kept: &[u32],
    request: &'r Request,
) -> Result<Vec<(&'r HeldKey, Vec<KeptRow>)>> {
    const MISSING: KeysError =
        KeysError::Tampered { what: "the key database (a look-up without key)" };
    let (subjects, conversations) = (request.subjects.len(), request.conversations.len());
    let total = subjects.saturating_add(conversations).saturating_add(request.days.len());
    let mut place_of: Vec<Option<usize>> = vec![None; total];
    let mut groups: Vec<(&HeldKey, Vec<KeptRow>)> = Vec::new();
    for (row, at) in kept.iter().zip(0_u32..) {
        if !content.has(*row as usize) {
            continue;
        }
        let owner = owners.get(*row as usize).copied().unwrap_or_default();
        let (number, key) = match (owner.subject, owner.conversation, owner.day) {
            (Some(subject), _, _) => (subject as usize, subject_key(request, subject)),
            (None, Some(conversation), _) => {
                let number = subjects.saturating_add(conversation as usize);
                (number, conversation_key(request, conversation))
            }
            (None, None, Some(day)) => {
                let number = subjects.saturating_add(conversations).saturating_add(day as usize);
                (number, request.days.get(day as usize).and_then(|slot| slot.key.as_ref()))
            }
            (None, None, None) => return Err(MISSING),
        };
        let place = place_of.get_mut(number).ok_or(MISSING)?;
        let group = match *place {
            Some(group) => group,
            None => {
                groups.push((key.ok_or(MISSING)?, Vec::new()));
                *place.insert(groups.len().saturating_sub(1))
            }
        };
        if let Some((_, rows)) = groups.get_mut(group) {
            rows.push((at, *row));
        }
    }
    Ok(groups)
}

fn subject_key(request: &Request, number: u32) -> Option<&HeldKey> {
    match &request.subjects.get(number as usize)?.state {
        SubjectState::Known(entry) => Some(&entry.key),
        SubjectState::Pending | SubjectState::Erased => None,
    }
}

fn conversation_key(request: &Request, number: u32) -> Option<&HeldKey> {
    match &request.conversations.get(number as usize)?.state {
        ConversationState::Known(entry) => entry.key.as_ref(),
        ConversationState::Pending | ConversationState::Erased => None,
    }
}

/// The subject column: handles instead of ids.
fn handles(owners: &[Owner], kept: &[u32], request: &Request) -> Result<Column> {
    let texts: Vec<Option<String>> = request
        .subjects
        .iter()
        .map(|slot| match &slot.state {
            SubjectState::Known(entry) => Some(prefixed("s_", &entry.handle)),
            SubjectState::Pending | SubjectState::Erased => None,
        })
        .collect();
    let mut text = TextColumn::with_capacity(kept.len(), kept.len().saturating_mul(24));
    let mut validity = Vec::with_capacity(kept.len());
    for row in kept {
        let subject = owners.get(*row as usize).and_then(|owner| owner.subject);
        let handle = subject.and_then(|number| texts.get(number as usize)?.as_deref());
        validity.push(handle.is_some());
        text.push(handle.unwrap_or_default());
    }
    join(validity, ColumnData::Text(text))
}

/// The values of the kept rows.
fn pick<T: Clone>(values: &[T], kept: &[u32]) -> Vec<T> {
    kept.iter().filter_map(|row| values.get(*row as usize).cloned()).collect()
}

fn pick_column(column: &Column, kept: &[u32]) -> Result<Column> {
    let data = match column.data() {
        ColumnData::Bool(values) => ColumnData::Bool(pick(values, kept)),
        ColumnData::Int(values) => ColumnData::Int(pick(values, kept)),
        ColumnData::Float(values) => ColumnData::Float(pick(values, kept)),
        ColumnData::Timestamp(values) => ColumnData::Timestamp(pick(values, kept)),
        ColumnData::Text(values) => {
            let mut text = TextColumn::with_capacity(kept.len(), 0);
            for row in kept {
                text.push(values.get(*row as usize).unwrap_or_default());
            }
            ColumnData::Text(text)
        }
    };
    join(pick(column.validity(), kept), data)
}

fn join(validity: Vec<bool>, data: ColumnData) -> Result<Column> {
    Column::new(validity, data)
        .ok_or(KeysError::Invalid { what: "columns of a batch differ in length" })
}

#[cfg(test)]
mod tests;
