//! Tests of the door from outside: real policy, keys, ledger and store in a temporary directory.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on stops"
)]

mod answers;
mod evolution;
mod limits;
mod oracle;
mod random;
mod reveal;
mod search;
mod support;
mod tail;
