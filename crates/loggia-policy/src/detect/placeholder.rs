//! Stable numbered placeholders: the same value gets the same `<KIND_n>` within one conversation.
//!
//! Guarantees: a value is never kept, only a keyed hash of its normal form, truncated to 128 bits and bound to its
//! conversation; memory is bounded (least recently used conversations go first, values per conversation are capped).
//! A conversation that was forgotten starts again at 1, so numbers are stable for as long as it is remembered.
//! A placeholder that a sender wrote into its own text is left as it is: it may look like one of ours.

use std::collections::HashMap;
use std::fmt;
use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};

use aws_lc_rs::hmac;
use lru::LruCache;

use super::kind::EntityKind;

const SHARDS: usize = 16;
/// Values remembered per conversation; later ones get fresh numbers that are not remembered.
const VALUES_MAX: usize = 4096;

/// The conversation that placeholders are numbered in.
#[derive(Clone, Copy, Debug)]
pub struct ConversationRef<'a> {
    /// Tenant that owns the conversation.
    pub tenant: &'a str,
    /// Conversation id within the tenant.
    pub id: &'a str,
}

#[derive(Default)]
struct Numbers {
    by_value: HashMap<u128, u32>,
    last: [u32; 17],
}

impl Numbers {
    fn number(&mut self, kind: EntityKind, value: u128) -> u32 {
        if let Some(number) = self.by_value.get(&value) {
            return *number;
        }
        let Some(last) = self.last.get_mut(kind.index()) else { return 0 };
        *last = last.saturating_add(1);
        if self.by_value.len() < VALUES_MAX {
            self.by_value.insert(value, *last);
        }
        *last
    }
}

/// Remembers which value got which number, per conversation.
pub struct PlaceholderBook {
    key: hmac::Key,
    shards: Box<[Mutex<LruCache<u128, Numbers>>]>,
}

impl fmt::Debug for PlaceholderBook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PlaceholderBook([redacted])")
    }
}

impl PlaceholderBook {
    /// Makes a book that remembers about `capacity` conversations; `hash_key` must be random and is not kept elsewhere.
    pub fn new(hash_key: [u8; 32], capacity: usize) -> Self {
        let per_shard = NonZeroUsize::new(capacity.div_ceil(SHARDS)).unwrap_or(NonZeroUsize::MIN);
        Self {
            key: hmac::Key::new(hmac::HMAC_SHA256, &hash_key),
            shards: (0..SHARDS).map(|_| Mutex::new(LruCache::new(per_shard))).collect(),
        }
    }

    /// Opens the numbering of one text: of its conversation, or of this text alone.
    pub(super) fn numbering<'b>(
        &'b self,
        conversation: Option<&ConversationRef<'_>>,
    ) -> Numbering<'b> {
        let conversation = conversation.map(|conversation| {
            let length = u64::try_from(conversation.tenant.len()).unwrap_or(u64::MAX).to_be_bytes();
            self.hash(&[
                b"conversation",
                &length,
                conversation.tenant.as_bytes(),
                conversation.id.as_bytes(),
            ])
        });
        Numbering { book: self, conversation, own: Numbers::default() }
    }

    fn hash(&self, parts: &[&[u8]]) -> u128 {
        let mut context = hmac::Context::with_key(&self.key);
        for part in parts {
            context.update(part);
        }
        let tag = context.sign();
        tag.as_ref().iter().take(16).fold(0, |hash, byte| hash << 8 | u128::from(*byte))
    }
}

/// The numbering of one text while it is redacted.
pub(super) struct Numbering<'b> {
    book: &'b PlaceholderBook,
    conversation: Option<u128>,
    own: Numbers,
}

impl Numbering<'_> {
    /// Returns the number of a value.
    pub(super) fn number(&mut self, kind: EntityKind, value: &str) -> u32 {
        let normal = normalise(kind, value);
        let conversation = self.conversation.unwrap_or(0);
        let hash = self.book.hash(&[
            b"value",
            &conversation.to_be_bytes(),
            kind.name().as_bytes(),
            b":",
            normal.as_bytes(),
        ]);
        let Some(conversation) = self.conversation else { return self.own.number(kind, hash) };
        let shard = usize::try_from(conversation % SHARDS as u128).unwrap_or(0);
        let Some(shard) = self.book.shards.get(shard) else { return 0 };
        let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
        shard.get_or_insert_mut(conversation, Numbers::default).number(kind, hash)
    }
}

/// The form in which two spellings of one value are equal.
fn normalise(kind: EntityKind, value: &str) -> String {
    match kind {
        EntityKind::Email
        | EntityKind::MacAddress
        | EntityKind::Username
        | EntityKind::IpAddress => {
            value.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase).collect()
        }
        EntityKind::Phone
        | EntityKind::CreditCard
        | EntityKind::UsSsn
        | EntityKind::BankAccount
        | EntityKind::Iban
        | EntityKind::UkNino
        | EntityKind::IdNumber
        | EntityKind::MedicalId => {
            value.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_uppercase).collect()
        }
        EntityKind::Person | EntityKind::Address | EntityKind::DateOfBirth => {
            let words: Vec<String> = value.split_whitespace().map(str::to_lowercase).collect();
            words.join(" ")
        }
        EntityKind::Secret | EntityKind::Crypto => value.to_owned(),
    }
}

/// Returns the end of a placeholder that begins at `start` (at its `<`).
pub(super) fn placeholder_end(bytes: &[u8], start: usize) -> Option<usize> {
    let body = bytes.get(start.checked_add(1)?..)?;
    let end = body.iter().take(32).position(|byte| *byte == b'>')?;
    let name = std::str::from_utf8(body.get(..end)?).ok()?;
    let (kind, number) = name.rsplit_once('_')?;
    let digits =
        !number.is_empty() && number.len() < 11 && number.bytes().all(|byte| byte.is_ascii_digit());
    (digits && EntityKind::from_name(kind).is_some()).then_some(start + end + 2)
}
