//! Durability of Loggia: the write-ahead log, segments and the catalog.
//!
//! A crate of its own because it keeps arrow, parquet and SQLite away from the others (reason a of the house).
//!
//! What it guarantees:
//! - [`Store::append`] takes only [`Sealed`](loggia_keys::Sealed) batches and returns after `fdatasync`; what it
//!   acknowledged survives any crash, exactly once;
//! - each kind of write has one commit point: the log's sync for a batch, one catalog transaction for a flush;
//! - a [`Snapshot`] holds each committed record once, in memory or in a segment, also while a flush is running;
//! - a failed sync is fatal for writing, never for reading; overload is refused, never dropped;
//! - one changed byte in any stored file is found and the file named ([`verify_dir`]).
//!
//! A record's way: [`Store::append`] (`store.rs`) → writer thread (`commit.rs`) → log (`wal.rs`, `durable.rs`) → memtable
//! (`memtable.rs`) → segment (`flush.rs`, `segment/write.rs`) → catalog (`catalog.rs`). Formats to the byte:
//! `docs/formats/{wal,segment,catalog}.md`.

#![warn(missing_docs)]

mod arrow_form;
mod catalog;
mod commit;
mod config;
mod durable;
mod error;
mod flush;
mod format;
mod health;
mod layout;
mod memtable;
mod segment;
mod sidecar;
mod store;
mod tail;
mod verify;
mod wal;

pub use arrow_form::{BLOCK_COLUMN, ROW_COLUMN, WRITE_ID_COLUMN, arrow_schema, to_arrow};
pub use commit::{Committed, Pending};
pub use config::{Fault, FaultHook, StoreConfig};
pub use durable::{write_durably, write_private_durably};
pub use error::{Error, Result};
pub use flush::LEDGER_LABEL;
pub use loggia_ledger::Clock;
pub use memtable::Snapshot;
pub use segment::{BatchOrigin, ContentReader, SegmentId, SegmentInfo};
pub use sidecar::{SidecarState, check_sidecar, remove_sidecar, write_sidecar};
pub use store::Store;
pub use tail::{Subscription, TailEvent, TailWait};
pub use verify::{VerifyOptions, VerifyProblem, VerifyReport, verify_dir};
