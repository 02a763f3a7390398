//! What goes into the ledger, and how an entry's record is sealed and read back.
//!
//! A ledger leaf carries only kinds, times, digests and a commitment. Beside it lies this module's *record*: the actor's
//! part, the statement's literals and the set of subjects, each sealed under a key of its own label, so that one part can
//! be destroyed without the others. The commitment covers all parts; its blinding value lives in the actor's part.
//!
//! Record layout: `0x01`, then per part `kind u8 | length u32 LE | sealed bytes`; kinds 1 actor, 2 literals, 3 subjects.

use loggia_keys::KeyStore;
use loggia_ledger::{Blind, EntryKind, Ledger, NewEntry, Receipt, commit};
use loggia_policy::{PolicyDigest, Principal};
use serde::{Deserialize, Serialize};

use crate::error::EngineError;

const VERSION: u8 = 1;
const ACTOR: u8 = 1;
const LITERALS: u8 = 2;
const SUBJECTS: u8 = 3;

/// What an entry says, in the clear: only for those who may read the ledger.
#[derive(Clone, Debug, Default, Serialize, Deserialize, PartialEq)]
#[serde(default)]
pub(crate) struct Event {
    pub(crate) principal: String,
    pub(crate) role: String,
    pub(crate) tenant: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) token_id: Option<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) action: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) purpose: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ticket: Option<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) protocol: String,
    /// Normalised statement, literals replaced by `?`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) statement: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) streams: Vec<String>,
    /// Columns the grant shows in clear, `stream.column`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) columns: Vec<String>,
    /// Short fact: a reason, an object, an outcome. Never record content.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) note: String,
    /// Index of the receipt this completes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) receipt: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) rows: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) revealed: Option<u64>,
    /// Number of distinct subjects among the rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) subjects: Option<u64>,
}

impl Event {
    pub(crate) fn of(principal: &Principal) -> Self {
        Self {
            principal: principal.id.clone(),
            role: principal.role.clone(),
            tenant: principal.tenant.clone(),
            token_id: principal.token_id.clone(),
            ..Self::default()
        }
    }

    pub(crate) fn system(note: impl Into<String>) -> Self {
        Self {
            principal: "system".into(),
            role: "system".into(),
            note: note.into(),
            ..Self::default()
        }
    }
}

/// The parts that are sealed apart from the actor's.
#[derive(Debug, Default)]
pub(crate) struct Apart {
    pub(crate) literals: Vec<String>,
    pub(crate) subjects: Vec<String>,
}

#[derive(Serialize, Deserialize)]
struct ActorPart {
    blind: String,
    event: Event,
}

/// Writes `event` and waits until it is durable.
pub(crate) fn record(
    ledger: &Ledger,
    keys: &KeyStore,
    kind: EntryKind,
    policy: PolicyDigest,
    event: &Event,
    apart: &Apart,
    now_ns: i64,
) -> Result<Receipt, EngineError> {
    let event_json = to_json(event)?;
    let literals = to_json(&apart.literals)?;
    let subjects = to_json(&apart.subjects)?;
    let (commitment, blind) = commit(&payload(&event_json, &literals, &subjects))?;
    let actor = to_json(&ActorPart { blind: hex(blind.as_bytes()), event: event.clone() })?;
    let mut bytes = vec![VERSION];
    push_part(&mut bytes, ACTOR, &keys.seal_blob("ledger/actor", &[ACTOR], &actor, now_ns)?);
    if !apart.literals.is_empty() {
        let sealed = keys.seal_blob("ledger/literals", &[LITERALS], &literals, now_ns)?;
        push_part(&mut bytes, LITERALS, &sealed);
    }
    if !apart.subjects.is_empty() {
        let sealed = keys.seal_blob("ledger/subjects", &[SUBJECTS], &subjects, now_ns)?;
        push_part(&mut bytes, SUBJECTS, &sealed);
    }
    Ok(ledger.append(NewEntry {
        kind,
        policy: policy.0,
        commitment,
        object: None,
        record: &bytes,
    })?)
}

/// One ledger entry as an authorised reader sees it.
#[derive(Clone, Debug, Serialize)]
pub struct AuditEntry {
    /// Leaf index.
    pub index: u64,
    /// Kind, such as `access.granted`.
    pub kind: String,
    /// Unix milliseconds.
    pub time_ms: u64,
    /// Digest of the policy in force, hex.
    pub policy: String,
    /// Digest of the object the entry is about (a segment, a file), hex; absent for most kinds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object: Option<String>,
    /// What happened; absent when the record's key is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event: Option<serde_json::Value>,
    /// Literals of the statement, in order; absent when there were none or their key is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub literals: Option<Vec<String>>,
    /// Handles of the subjects whose rows were read; absent when none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subjects: Option<Vec<String>>,
    /// Whether the opened record matches the leaf's commitment.
    pub verified: bool,
}

/// Opens entry `index`: its record, and whether it is what the leaf commits to.
///
/// # Errors
/// When the ledger cannot be read.
pub fn open_entry(ledger: &Ledger, keys: &KeyStore, index: u64) -> Result<AuditEntry, EngineError> {
    let (entry, record) = ledger.read(index)?;
    let mut answer = AuditEntry {
        index,
        kind: entry.kind.to_string(),
        time_ms: entry.time_ms,
        policy: hex(&entry.policy),
        object: entry.object.map(|digest| hex(&digest)),
        event: None,
        literals: None,
        subjects: None,
        verified: false,
    };
    let open = |kind: u8, label: &str| {
        part(&record, kind).and_then(|sealed| keys.open_blob(label, &[kind], sealed).ok())
    };
    let Some(actor) = open(ACTOR, "ledger/actor") else { return Ok(answer) };
    let Ok(actor) = serde_json::from_slice::<ActorPart>(&actor) else { return Ok(answer) };
    let empty = || b"[]".to_vec();
    let literals = open(LITERALS, "ledger/literals").map_or_else(empty, |bytes| bytes.to_vec());
    let subjects = open(SUBJECTS, "ledger/subjects").map_or_else(empty, |bytes| bytes.to_vec());
    let clear = payload(&to_json(&actor.event)?, &literals, &subjects);
    answer.verified = unhex(&actor.blind)
        .is_some_and(|blind| entry.commitment.opens_to(&Blind::from_bytes(blind), &clear));
    answer.event = serde_json::to_value(&actor.event).ok();
    answer.literals = non_empty(&literals);
    answer.subjects = non_empty(&subjects);
    Ok(answer)
}

fn non_empty(json: &[u8]) -> Option<Vec<String>> {
    serde_json::from_slice::<Vec<String>>(json).ok().filter(|values| !values.is_empty())
}

/// What the commitment covers: the three parts, each after its length.
fn payload(event: &[u8], literals: &[u8], subjects: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(event.len() + literals.len() + subjects.len() + 24);
    for part in [event, literals, subjects] {
        bytes.extend_from_slice(&(part.len() as u64).to_le_bytes());
        bytes.extend_from_slice(part);
    }
    bytes
}

fn push_part(bytes: &mut Vec<u8>, kind: u8, sealed: &[u8]) {
    bytes.push(kind);
    bytes.extend_from_slice(&u32::try_from(sealed.len()).unwrap_or(u32::MAX).to_le_bytes());
    bytes.extend_from_slice(sealed);
}

/// Finds the sealed bytes of part `kind` in a record.
fn part(record: &[u8], kind: u8) -> Option<&[u8]> {
    let (version, mut rest) = record.split_first()?;
    if *version != VERSION {
        return None;
    }
    while let Some((found, after)) = rest.split_first() {
        let (length, after) = after.split_first_chunk::<4>()?;
        let length = u32::from_le_bytes(*length) as usize;
        let sealed = after.get(..length)?;
        if *found == kind {
            return Some(sealed);
        }
        rest = after.get(length..)?;
    }
    None
}

fn to_json(value: &impl Serialize) -> Result<Vec<u8>, EngineError> {
    serde_json::to_vec(value).map_err(|error| EngineError::unavailable("the ledger", error))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String cannot fail.
        write!(text, "{byte:02x}").unwrap_or_default();
        text
    })
}

pub(crate) fn unhex(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0_u8; 32];
    if text.len() != 64 {
        return None;
    }
    for (slot, pair) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
        let pair = std::str::from_utf8(pair).ok()?;
        *slot = u8::from_str_radix(pair, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests;
