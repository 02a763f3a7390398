//! Proof files (C2SP tlog-proof): what one hands out to show that an entry is in the log.
//!
//! A proof is text: the entry's number, the hashes from its leaf to the root, and the checkpoint that
//! signs the root. With the log's key and the bytes of the leaf anybody can check it, offline.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::checkpoint::{self, Checkpoint};
use crate::entry::{Entry, Hash};
use crate::error::LedgerError;
use crate::merkle;
use crate::note::VerifierKey;

const FORMAT: &str = "c2sp.org/tlog-proof@v1";

/// The longest path that a tree of fewer than 2^64 entries can have.
const HASHES_MAX: usize = 64;

/// Writes a proof file.
pub(crate) fn write(index: u64, hashes: &[Hash], checkpoint: &str) -> String {
    let mut text = format!("{FORMAT}\nindex {index}\n");
    for hash in hashes {
        // Writing to a string cannot fail.
        let _written: std::fmt::Result = writeln!(text, "{}", STANDARD.encode(hash));
    }
    text.push('\n');
    text.push_str(checkpoint);
    text
}

/// What a proof has shown: that `entry` is in the log that signed `checkpoint`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedProof {
    /// The number of the entry in the log.
    pub index: u64,
    /// The entry.
    pub entry: Entry,
    /// The checkpoint under which it is included.
    pub checkpoint: Checkpoint,
}

/// Checks a proof file against the bytes of a leaf and the key of the log.
///
/// # Errors
/// Fails when the proof does not show that this leaf is in this log, and says why.
pub fn verify_proof(vkey: &str, proof: &str, leaf: &[u8]) -> Result<VerifiedProof, LedgerError> {
    let key: VerifierKey = vkey.parse()?;
    let proof = Proof::parse(proof)?;
    let checkpoint = Checkpoint::verify(proof.checkpoint, &key)?;
    let hash = merkle::leaf_hash(leaf);
    if !merkle::verify_inclusion(
        &hash,
        proof.index,
        checkpoint.size,
        &proof.hashes,
        &checkpoint.root,
    ) {
        return Err(LedgerError::invalid(format!(
            "the proof does not show this leaf as entry {} of {}",
            proof.index, checkpoint.size
        )));
    }
    let entry = Entry::from_bytes(leaf)?;
    if entry.seq != proof.index {
        return Err(LedgerError::invalid(format!(
            "the leaf says that it is entry {}, the proof {}",
            entry.seq, proof.index
        )));
    }
    Ok(VerifiedProof { index: proof.index, entry, checkpoint })
}

/// A proof file taken apart.
struct Proof<'a> {
    index: u64,
    hashes: Vec<Hash>,
    checkpoint: &'a str,
}

impl<'a> Proof<'a> {
    fn parse(text: &'a str) -> Result<Self, LedgerError> {
        let wrong = |what: &str| LedgerError::invalid(format!("this is no proof file: {what}"));
        let (head, checkpoint) = text.split_once("\n\n").ok_or_else(|| wrong("no blank line"))?;
        let mut lines = head.split('\n').peekable();
        if lines.next() != Some(FORMAT) {
            return Err(wrong("the first line is another one"));
        }
        // Extra data are allowed and are not authenticated, so nothing reads them.
        if lines.next_if(|line| line.starts_with("extra ")).is_some_and(|line| !is_extra(line)) {
            return Err(wrong("the extra data are not base64"));
        }
        let index = lines
            .next()
            .and_then(|line| line.strip_prefix("index "))
            .and_then(checkpoint::decimal)
            .ok_or_else(|| wrong("the index is missing"))?;
        let hashes: Vec<Hash> = lines
            .take(HASHES_MAX + 1)
            .map(|line| checkpoint::hash(line).ok_or_else(|| wrong("a hash is not base64")))
            .collect::<Result<_, _>>()?;
        if hashes.len() > HASHES_MAX {
            return Err(wrong("it has too many hashes"));
        }
        Ok(Self { index, hashes, checkpoint })
    }
}

fn is_extra(line: &str) -> bool {
    line.strip_prefix("extra ").is_some_and(|data| STANDARD.decode(data).is_ok())
}

#[cfg(test)]
mod tests;
