//! The rows of the key database as values: what a key is for, what each row is bound by, how new rows are numbered.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use rusqlite::Connection;

use crate::error::{KeysError, Result};
use crate::secret::{KeyedHash, label, random_id};

/// 128 bits that name a key, a look-up or a suppression.
pub(crate) type Id = [u8; 16];

/// Numbers for new rows. Rows made one after the other lie side by side in the database, which is what keeps a commit of many
/// new keys small: only the keyed hashes are scattered. A number is taken while the writer is held.
pub(crate) struct Numbers {
    lookup: AtomicI64,
    key: AtomicU64,
}

/// Bytes of a key's id that count upwards; the others are random.
const COUNTED_LEN: usize = 6;

impl Numbers {
    /// Goes on after the rows that are there.
    pub(crate) fn after(connection: &Connection) -> Result<Self> {
        let failed = "read its last rows";
        let last_lookup: Option<i64> = connection
            .query_row("SELECT max(seq) FROM lookups", [], |row| row.get(0))
            .map_err(KeysError::database(failed))?;
        let last_key: Option<Id> = connection
            .query_row("SELECT max(id) FROM keys", [], |row| row.get(0))
            .map_err(KeysError::database(failed))?;
        let mut counted = [0_u8; 8];
        counted
            .iter_mut()
            .skip(8 - COUNTED_LEN)
            .zip(last_key.unwrap_or_default())
            .for_each(|(to, from)| *to = from);
        Ok(Self {
            lookup: AtomicI64::new(last_lookup.unwrap_or(0).saturating_add(1)),
            key: AtomicU64::new(u64::from_be_bytes(counted).saturating_add(1)),
        })
    }

    /// Sequence number of a new look-up.
    pub(crate) fn next_lookup(&self) -> i64 {
        self.lookup.fetch_add(1, Ordering::Relaxed)
    }

    /// Id of a new key: a 48-bit count, then 80 random bits.
    pub(crate) fn next_key(&self) -> Result<Id> {
        let mut id = random_id()?;
        let count = self.key.fetch_add(1, Ordering::Relaxed).to_be_bytes();
        let counted = count.iter().skip(8 - COUNTED_LEN);
        id.iter_mut().zip(counted).for_each(|(to, from)| *to = *from);
        Ok(id)
    }
}

/// What a key is for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Kind {
    Subject,
    Conversation,
    StreamDay,
    Lookup,
    Graveyard,
    Pseudonym,
    Index,
    Blob,
    Wal,
    Seed,
}

impl Kind {
    pub(crate) const ALL: [Self; 10] = [
        Self::Subject,
        Self::Conversation,
        Self::StreamDay,
        Self::Lookup,
        Self::Graveyard,
        Self::Pseudonym,
        Self::Index,
        Self::Blob,
        Self::Wal,
        Self::Seed,
    ];

    /// Number in the database.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Subject => 1,
            Self::Conversation => 2,
            Self::StreamDay => 3,
            Self::Lookup => 4,
            Self::Graveyard => 5,
            Self::Pseudonym => 6,
            Self::Index => 7,
            Self::Blob => 8,
            Self::Wal => 9,
            Self::Seed => 10,
        }
    }

    pub(crate) fn from_code(code: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| i64::from(kind.code()) == code)
    }

    /// Name for people.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Subject => "subject",
            Self::Conversation => "conversation",
            Self::StreamDay => "stream day",
            Self::Lookup => "look-up",
            Self::Graveyard => "graveyard",
            Self::Pseudonym => "pseudonym",
            Self::Index => "index",
            Self::Blob => "blob",
            Self::Wal => "log segment",
            Self::Seed => "signing seed",
        }
    }

    /// Whether keys of this kind seal content blocks.
    pub(crate) fn seals_content(self) -> bool {
        matches!(self, Self::Subject | Self::Conversation | Self::StreamDay)
    }
}

/// One row of `keys`.
pub(crate) struct KeyRow {
    pub(crate) id: Id,
    pub(crate) kind: Kind,
    pub(crate) tenant: String,
    pub(crate) name: Option<String>,
    /// Sequence number of the look-up the key belongs to.
    pub(crate) owner: Option<i64>,
    pub(crate) wrapped: Vec<u8>,
    pub(crate) created_ms: i64,
}

impl KeyRow {
    /// The row's description, which its wrapped key is bound to.
    pub(crate) fn description(&self) -> Vec<u8> {
        let owner = self.owner.unwrap_or_default().to_le_bytes();
        let name = self.name.as_ref().map_or(&[][..], |name| name.as_bytes());
        label(&[
            b"loggia/v1/key-row",
            &self.id,
            &[self.kind.code(), u8::from(self.name.is_some()), u8::from(self.owner.is_some())],
            self.tenant.as_bytes(),
            name,
            &owner,
            &self.created_ms.to_le_bytes(),
        ])
    }
}

/// One row of `lookups`: a person or a conversation.
#[derive(Clone)]
pub(crate) struct LookupRow {
    /// Sequence number, by which other rows refer to this one.
    pub(crate) seq: i64,
    pub(crate) id: Id,
    pub(crate) kind: Kind,
    pub(crate) tenant: String,
    /// Sequence number of the subject the row belongs to; a subject's own row names itself.
    pub(crate) subject: Option<i64>,
    /// Handle of the subject, on its own row only.
    pub(crate) handle: Option<Id>,
    /// Key that seals new content.
    pub(crate) key_id: Option<Id>,
    /// What goes to the suppression list on erasure.
    pub(crate) grave: Id,
    pub(crate) created_ms: i64,
}

impl LookupRow {
    /// Keyed tag over the row.
    pub(crate) fn tag(&self, index: &KeyedHash) -> Id {
        index.short(&label(&[
            b"loggia/v1/lookup-row",
            &self.seq.to_le_bytes(),
            &self.id,
            &[self.kind.code(), u8::from(self.subject.is_some())],
            self.tenant.as_bytes(),
            &self.subject.unwrap_or_default().to_le_bytes(),
            self.handle.as_ref().map_or(&[][..], |id| id.as_slice()),
            self.key_id.as_ref().map_or(&[][..], |id| id.as_slice()),
            &self.grave,
            &self.created_ms.to_le_bytes(),
        ]))
    }
}

/// Keyed tag over a row of `suppression`.
pub(crate) fn suppression_tag(index: &KeyedHash, id: &Id, tenant: &str, at_ms: i64) -> Id {
    index.short(&label(&[
        b"loggia/v1/suppression-row",
        id,
        tenant.as_bytes(),
        &at_ms.to_le_bytes(),
    ]))
}
