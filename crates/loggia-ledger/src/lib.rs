//! Tamper-evident append-only log: entries, tiles, checkpoints, proofs and an offline verifier.
//!
//! A crate of its own for reason (c) of the house: it is a contract that others use without the
//! server. It stands alone – bytes in, [`Receipt`] out – and knows nothing of logs, policies or keys.
//!
//! What it guarantees:
//! - a [`Receipt`] exists only after its entry has reached the disk (`fdatasync` of the journal);
//! - after any failed write or sync the ledger takes nothing more (fail closed);
//! - a torn tail of the journal is cut on open, never misread; anything else that does not fit is
//!   an error that names the file and the entry;
//! - the files are those of the C2SP formats (tlog-tiles, checkpoint, signed note, tlog-proof), so a
//!   client written by somebody else verifies them with nothing but the public key;
//! - [`verify_dir`] needs only a copy of the directory and finds one flipped byte in any file of it.
//!
//! The bytes on disk are described in `docs/formats/ledger.md`. Start reading at [`Ledger`].

#![warn(missing_docs)]

mod checkpoint;
mod clock;
mod commitment;
mod durable;
mod entry;
mod error;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
mod journal;
mod kind;
mod ledger;
mod merkle;
mod note;
mod open;
mod proof;
mod publish;
mod read;
mod sequence;
mod tile;
mod tree;
mod verify;

pub use checkpoint::{Checkpoint, Cosignature};
pub use clock::{Clock, ManualClock};
pub use commitment::{Blind, Commitment, commit};
pub use entry::{ENTRY_BYTES, Entry, Hash, NewEntry, RECORD_BYTES_MAX, Receipt};
pub use error::LedgerError;
pub use kind::EntryKind;
pub use ledger::{Ledger, LedgerConfig};
pub use merkle::{leaf_hash, verify_consistency, verify_inclusion};
pub use note::VerifierKey;
pub use proof::{VerifiedProof, verify_proof};
pub use read::Entries;
pub use verify::{VerifyFailure, VerifyReport, verify_dir};
