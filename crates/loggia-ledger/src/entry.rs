//! The leaf of the tree: 119 bytes that hold no personal data, ever.
//!
//! A leaf says what kind of thing happened, when, under which policy, and commits to the payload
//! ([`Commitment`]) and to an optional object (a digest that the caller makes). The payload itself
//! travels beside it in the journal as an opaque sealed record.

use std::fmt;

use crate::commitment::Commitment;
use crate::error::LedgerError;
use crate::kind::EntryKind;

/// A SHA-256 value: a leaf hash, a node of the tree, a digest.
pub type Hash = [u8; 32];

/// The size of an encoded leaf.
pub const ENTRY_BYTES: usize = 119;

/// The largest sealed record that one entry can carry beside its leaf.
pub const RECORD_BYTES_MAX: usize = 1 << 20;

const VERSION: u8 = 1;

/// The digest that stands for "no object".
const NO_OBJECT: Hash = [0; 32];

/// What a caller appends; the ledger adds sequence number, shard and time.
#[derive(Clone, Copy)]
pub struct NewEntry<'a> {
    /// What kind of thing happened.
    pub kind: EntryKind,
    /// The digest of the policy in force.
    pub policy: Hash,
    /// The commitment to the payload that is sealed in `record`.
    pub commitment: Commitment,
    /// The digest of an object the entry is about, such as a segment; never of a person.
    pub object: Option<Hash>,
    /// The sealed payload with the blind of the commitment; opaque to the ledger.
    pub record: &'a [u8],
}

impl fmt::Debug for NewEntry<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewEntry")
            .field("kind", &self.kind)
            .field("commitment", &self.commitment)
            .field("record", &"[redacted]")
            .finish_non_exhaustive()
    }
}

/// One leaf, decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What kind of thing happened.
    pub kind: EntryKind,
    /// The shard of the ledger that the entry belongs to.
    pub shard: u32,
    /// The number of the entry in its shard; also its place in the tree.
    pub seq: u64,
    /// When the ledger took the entry, in Unix milliseconds.
    pub time_ms: u64,
    /// The digest of the policy in force.
    pub policy: Hash,
    /// The commitment to the payload.
    pub commitment: Commitment,
    /// The digest of the object the entry is about.
    pub object: Option<Hash>,
}

impl Entry {
    /// Encodes the leaf.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; ENTRY_BYTES] {
        let object = self.object.unwrap_or(NO_OBJECT);
        let fields: [&[u8]; 8] = [
            &[VERSION],
            &self.kind.code().to_be_bytes(),
            &self.shard.to_be_bytes(),
            &self.seq.to_be_bytes(),
            &self.time_ms.to_be_bytes(),
            &self.policy,
            self.commitment.as_bytes(),
            &object,
        ];
        let mut out = [0_u8; ENTRY_BYTES];
        for (to, from) in out.iter_mut().zip(fields.into_iter().flatten()) {
            *to = *from;
        }
        out
    }

    /// Decodes a leaf.
    ///
    /// # Errors
    /// Fails when the size or the version is not ours. An unknown kind is no error.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, LedgerError> {
        if bytes.len() != ENTRY_BYTES {
            return Err(LedgerError::invalid(format!(
                "an entry has {ENTRY_BYTES} bytes, not {}",
                bytes.len()
            )));
        }
        let mut fields = Fields(bytes);
        let [version] = fields.take::<1>()?;
        if version != VERSION {
            return Err(LedgerError::invalid(format!("entry version {version} is not known")));
        }
        let kind = EntryKind::from_code(u16::from_be_bytes(fields.take()?));
        let shard = u32::from_be_bytes(fields.take()?);
        let seq = u64::from_be_bytes(fields.take()?);
        let time_ms = u64::from_be_bytes(fields.take()?);
        let policy = fields.take()?;
        let commitment = Commitment::from_bytes(fields.take()?);
        let object: Hash = fields.take()?;
        let object = (object != NO_OBJECT).then_some(object);
        Ok(Self { kind, shard, seq, time_ms, policy, commitment, object })
    }
}

/// Takes fixed-size fields from the front of a byte string.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], LedgerError> {
        let (field, rest) = self
            .0
            .split_first_chunk::<N>()
            .ok_or_else(|| LedgerError::invalid("the entry is too short"))?;
        self.0 = rest;
        Ok(*field)
    }
}

/// The proof, inside this process, that an entry is on disk.
///
/// Only the ledger can make one, and only after the entry is durable: a function that takes a
/// `Receipt` cannot run before its read was written down.
#[derive(Debug, PartialEq, Eq)]
pub struct Receipt {
    index: u64,
    time_ms: u64,
    leaf_hash: Hash,
}

impl Receipt {
    pub(crate) const fn new(index: u64, time_ms: u64, leaf_hash: Hash) -> Self {
        Self { index, time_ms, leaf_hash }
    }

    /// Returns the number of the entry.
    #[must_use]
    pub const fn index(&self) -> u64 {
        self.index
    }

    /// Returns when the ledger took the entry, in Unix milliseconds.
    #[must_use]
    pub const fn time_ms(&self) -> u64 {
        self.time_ms
    }

    /// Returns the hash of the leaf in the tree.
    #[must_use]
    pub const fn leaf_hash(&self) -> &Hash {
        &self.leaf_hash
    }
}

/// Prints bytes as lower-case hexadecimal.
pub(crate) struct Hex<'a>(pub(crate) &'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests;
