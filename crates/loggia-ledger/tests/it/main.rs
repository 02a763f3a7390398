//! The ledger from outside: only its public interface and its files.
//!
//! `oracles` runs verifiers that others have written, where the machine has them.

#![expect(clippy::indexing_slicing, reason = "these are tests; a panic is a failed test")]
#![expect(clippy::unwrap_used, reason = "these are tests; a failed unwrap is a failed test")]

mod crash;
mod flips;
mod life;
mod oracles;
mod support;
