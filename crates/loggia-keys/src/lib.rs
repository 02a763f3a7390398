//! The keys of Loggia: the only crate that sees key material (reason b of the house).
//!
//! It turns admitted rows into [`Sealed`] ones (people become handles, content is encrypted under its subject's key),
//! opens blocks for an authorised reader, and destroys a subject's keys so that every copy of their content is unreadable at
//! once. Formats to the byte: `docs/formats/keys.md`.

mod block;
mod cache;
mod calendar;
mod database;
mod destroy;
mod durable;
mod epoch;
mod error;
mod frame;
mod material;
mod read;
mod resolve;
mod root;
mod rotate;
mod rows;
mod seal;
mod sealed;
mod secret;
mod store;
#[cfg(test)]
mod testing;
mod verify;

pub use block::OpenedBlock;
pub use destroy::Destroyed;
pub use error::{KeysError, Result};
pub use frame::{FileKey, FrameKey, WrappedKey};
pub use root::RootSecret;
pub use rotate::Rotated;
pub use seal::SealOutcome;
pub use sealed::{
    BlockPlace, NO_BLOCK, Sealed, SealedBlock, StoredSealed, SubjectHandle, SubjectRef,
    becomes_text,
};
pub use store::KeyStore;
pub use verify::{KeyProblem, KeyStatus};
