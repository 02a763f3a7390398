//! The record model and its wire forms: bytes from a network in, a [`Batch`] of records out.
//!
//! A crate of its own for reason (b): it reads hostile input. It is pure (no I/O, no clock, no
//! randomness), it never panics, every size is bounded by [`Limits`], and each decoder is fuzzed.
//! Text and bytes are borrowed from the input wherever the wire form permits.
//!
//! A record that cannot be read is left out and listed in [`Batch::rejected`]; the others are
//! kept. Only a request whose framing is broken is refused as a whole ([`DecodeError`]).
//!
//! What a record is called after decoding:
//! - *Intrinsics* begin with `@` (`@body`, `@severity`, `@trace_id`, …): see [`intrinsic`].
//!   A sender's own key that begins with `@` is prefixed with `attr.`, so none can be forged.
//! - Resource and scope attributes keep their names and are stored once ([`RecordView::shared`]).
//! - Arrays and key-value lists become compact JSON text ([`Value::Json`]).

mod batch;
mod codec;
mod error;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
pub mod intrinsic;
mod limits;
mod severity;
mod time;

pub use batch::{Attr, Batch, Kind, RecordView, Value};
pub use codec::lines::decode_lines;
pub use codec::ndjson::decode_ndjson;
pub use codec::otlp::{decode_otlp_logs, decode_otlp_traces};
pub use codec::otlp_json::{decode_otlp_logs_json, decode_otlp_traces_json};
pub use codec::response::{
    StatusCode, export_response_json, export_response_protobuf, status_json, status_protobuf,
};
pub use error::{DecodeError, Fault, Rejection};
pub use limits::Limits;
