//! Tests of the store from outside, on real files.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on stops")]

mod basics;
mod crash;
mod faults;
mod oracle;
mod support;
mod verify;
