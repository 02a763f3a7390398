//! Black-box tests of the binary: what the README promises, done by the real program over its real wires.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::disallowed_methods,
    reason = "tests fail by panicking, and drive a real process in real time"
)]

mod access;
mod command_line;
mod crash;
mod erasure;
mod harness;
mod ingest;
mod real_clients;
mod tampering;
