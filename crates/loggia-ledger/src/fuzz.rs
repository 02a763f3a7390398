//! What the fuzzer feeds: each parser that reads bytes of others. Nothing here may panic.
//!
//! Compiled for tests and for the fuzz workspace only; stable property tests run the same bodies.

use std::io::Cursor;

use crate::checkpoint::{Checkpoint, Cosignature, JournalHead};
use crate::entry::Entry;
use crate::journal::{Header, Next, Reader};
use crate::note::{Note, VerifierKey};
use crate::proof::verify_proof;
use crate::tile::TilePath;

const VKEY: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";

/// Reads notes, checkpoints, heads, proofs and keys. What is read as a note is written the same.
pub fn ledger_note(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    if let Ok(note) = Note::parse(text) {
        assert_eq!(note.to_string(), text, "a note is not written as it was read");
    }
    if let Ok(key) = text.parse::<VerifierKey>() {
        assert_eq!(key.to_string(), text, "a key is not written as it was read");
    }
    let Ok(key) = VKEY.parse::<VerifierKey>() else { return };
    // Nobody but the holder of the key can make these pass.
    assert!(JournalHead::verify(text, &key).is_err(), "a head was forged");
    assert!(Checkpoint::verify(text, &key).is_err(), "a checkpoint was forged");
    assert!(Cosignature::verify(text, &key).is_err(), "a cosignature was forged");
    assert!(verify_proof(VKEY, text, bytes).is_err(), "a proof was forged");
}

/// Reads tile names and journals. What is read as a name is written the same.
pub fn ledger_tile(bytes: &[u8]) {
    if let Ok(path) = String::from_utf8_lossy(bytes).parse::<TilePath>() {
        assert_eq!(path.to_string().as_bytes(), bytes, "a name is not written as it was read");
    }
    if let Ok(entry) = Entry::from_bytes(bytes) {
        assert_eq!(entry.to_bytes().as_slice(), bytes, "an entry is not written as it was read");
    }
    let header = Header { shard: 0, origin: "fuzz".into() };
    let whole = [header.to_bytes().as_slice(), bytes].concat();
    for input in [bytes, &whole] {
        let Ok(Some((_header, mut reader))) = Reader::from_start(Cursor::new(input)) else {
            continue;
        };
        while let Ok(Next::Frame(_)) = reader.next() {}
    }
}

#[cfg(test)]
mod tests;
