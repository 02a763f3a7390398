//! Checkpoints (C2SP tlog-checkpoint), cosignatures of witnesses, and the signed head of the journal.
//!
//! A checkpoint says "this log has this many entries and this root", under the log's signature. The
//! journal head says the same of the journal's chain, so that the sealed records, which are not in
//! the tree, cannot be changed either without the signing key. The two texts cannot be taken for one
//! another: a head starts with a line that is no valid origin for us.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::entry::Hash;
use crate::error::LedgerError;
use crate::note::{KeyUse, Note, Signer, VerifierKey};

/// The first line of a journal head.
const HEAD_FORMAT: &str = "loggia-journal/v1";

/// What a checkpoint says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The name of the log.
    pub origin: String,
    /// The number of entries.
    pub size: u64,
    /// The root of the tree over them.
    pub root: Hash,
}

impl Checkpoint {
    fn text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, STANDARD.encode(self.root))
    }

    pub(crate) fn sign(&self, signer: &Signer) -> Result<String, LedgerError> {
        signer.sign(&self.text())
    }

    /// Reads a checkpoint that `key` has signed.
    ///
    /// # Errors
    /// Fails when the signature is missing or wrong, or the text is no checkpoint of that log.
    pub fn verify(note: &str, key: &VerifierKey) -> Result<Self, LedgerError> {
        let checkpoint = Self::from_text(Note::parse(note)?.verify(key)?)?;
        if checkpoint.origin != key.name() {
            return Err(LedgerError::invalid(format!(
                "the checkpoint is of `{}`, not of `{}`",
                checkpoint.origin,
                key.name()
            )));
        }
        Ok(checkpoint)
    }

    /// Reads the text of a checkpoint. Extension lines are allowed and say nothing to us.
    fn from_text(text: &str) -> Result<Self, LedgerError> {
        let wrong = |what: &str| LedgerError::invalid(format!("this is no checkpoint: {what}"));
        let lines = text.strip_suffix('\n').ok_or_else(|| wrong("it does not end in a newline"))?;
        let mut lines = lines.split('\n');
        let (Some(origin), Some(size), Some(root)) = (lines.next(), lines.next(), lines.next())
        else {
            return Err(wrong("it needs three lines"));
        };
        if origin.is_empty() || lines.any(str::is_empty) {
            return Err(wrong("a line is empty"));
        }
        let size = decimal(size).ok_or_else(|| wrong("the size is no decimal number"))?;
        let root = hash(root).ok_or_else(|| wrong("the root is no base64 of 32 bytes"))?;
        Ok(Self { origin: origin.to_owned(), size, root })
    }
}

/// Reads a decimal number as the formats write it: no sign, no leading zeros.
pub(crate) fn decimal(text: &str) -> Option<u64> {
    text.parse::<u64>().ok().filter(|number| number.to_string() == text)
}

/// Reads the base64 of a hash.
pub(crate) fn hash(text: &str) -> Option<Hash> {
    STANDARD.decode(text).ok()?.try_into().ok()
}

/// What a witness said of a checkpoint: that at a time this was the largest tree it had seen, and that
/// it was consistent with all before (C2SP tlog-cosignature, version 1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cosignature {
    /// When the witness signed, in Unix seconds.
    pub time_s: u64,
    /// What was signed.
    pub checkpoint: Checkpoint,
}

impl Cosignature {
    /// Reads the cosignature of `witness` on a checkpoint note.
    ///
    /// The log's own signature is for [`Checkpoint::verify`] to check.
    ///
    /// # Errors
    /// Fails when the witness did not sign, its signature is wrong, or the text is no checkpoint.
    pub fn verify(note: &str, witness: &VerifierKey) -> Result<Self, LedgerError> {
        if witness.key_use() != KeyUse::Cosignature {
            return Err(LedgerError::invalid(format!("`{witness}` is not the key of a witness")));
        }
        let note = Note::parse(note)?;
        let mut newest = None;
        for blob in note.signatures_of(witness) {
            let wrong = || LedgerError::invalid(format!("the cosignature of `{witness}` is wrong"));
            let (time, signature) = blob.split_first_chunk::<8>().ok_or_else(wrong)?;
            let time_s = u64::from_be_bytes(*time);
            let text = note.unverified_text();
            let message = format!("cosignature/v1\ntime {time_s}\n{text}");
            if i64::try_from(time_s).is_err() || !witness.accepts(message.as_bytes(), signature) {
                return Err(wrong());
            }
            newest = newest.max(Some(time_s));
        }
        let time_s = newest.ok_or_else(|| {
            LedgerError::invalid(format!("the checkpoint is not cosigned by `{witness}`"))
        })?;
        let checkpoint = Checkpoint::from_text(note.unverified_text())?;
        Ok(Self { time_s, checkpoint })
    }
}

/// How far the journal is signed: the number of frames and the chain value after the last of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct JournalHead {
    pub(crate) size: u64,
    pub(crate) chain: Hash,
}

impl JournalHead {
    pub(crate) fn sign(&self, signer: &Signer) -> Result<String, LedgerError> {
        signer.sign(&format!(
            "{HEAD_FORMAT}\n{}\n{}\n{}\n",
            signer.key().name(),
            self.size,
            STANDARD.encode(self.chain)
        ))
    }

    pub(crate) fn verify(note: &str, key: &VerifierKey) -> Result<Self, LedgerError> {
        let text = Note::parse(note)?.verify(key)?;
        let wrong = || LedgerError::invalid("this is no journal head of this log");
        let mut lines = text.strip_suffix('\n').ok_or_else(wrong)?.split('\n');
        if lines.next() != Some(HEAD_FORMAT) || lines.next() != Some(key.name()) {
            return Err(wrong());
        }
        let (Some(size), Some(chain), None) = (lines.next(), lines.next(), lines.next()) else {
            return Err(wrong());
        };
        let size = decimal(size).ok_or_else(wrong)?;
        let chain = hash(chain).ok_or_else(wrong)?;
        Ok(Self { size, chain })
    }
}

/// Refuses origins under which a checkpoint could be taken for a journal head.
pub(crate) fn check_origin(origin: &str) -> Result<(), LedgerError> {
    crate::note::check_name(origin)?;
    if origin == HEAD_FORMAT {
        return Err(LedgerError::invalid(format!("`{origin}` cannot name a log")));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
