//! What is answered to an OTLP client: success, partial success, or an error as `google.rpc.Status`.
//!
//! Log and trace responses are the same bytes in protobuf and differ by one name in JSON.

use super::json;
use crate::batch::Kind;

/// The gRPC codes an OTLP endpoint answers with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusCode {
    /// The request cannot be read.
    InvalidArgument = 3,
    /// The token lacks a permission.
    PermissionDenied = 7,
    /// A limit was hit; try again later.
    ResourceExhausted = 8,
    /// Something went wrong on this side.
    Internal = 13,
    /// Busy or shutting down; try again later.
    Unavailable = 14,
    /// No token, or not a valid one.
    Unauthenticated = 16,
}

/// Encodes an `Export…ServiceResponse`. Without rejections and message it is the empty message,
/// which stands for full success; a message alone is a warning.
pub fn export_response_protobuf(rejected: u64, message: &str) -> Vec<u8> {
    let mut partial = Vec::new();
    if rejected > 0 {
        partial.push(0x08);
        // int64 on the wire: no batch holds more records than that.
        varint(&mut partial, rejected.min(i64::MAX.cast_unsigned()));
    }
    text(&mut partial, 0x12, message);
    let mut response = Vec::new();
    if !partial.is_empty() {
        bytes(&mut response, 0x0a, &partial);
    }
    response
}

/// Encodes an `Export…ServiceResponse` in JSON, where a 64-bit integer is text.
pub fn export_response_json(kind: Kind, rejected: u64, message: &str) -> String {
    if rejected == 0 && message.is_empty() {
        return "{}".to_owned();
    }
    let member = match kind {
        Kind::Log => "rejectedLogRecords",
        Kind::Span => "rejectedSpans",
    };
    let mut out = format!("{{\"partialSuccess\":{{\"{member}\":\"{rejected}\",\"errorMessage\":");
    json::write_text(&mut out, message);
    out.push_str("}}");
    out
}

/// Encodes a `google.rpc.Status`, the body of an error response.
pub fn status_protobuf(code: StatusCode, message: &str) -> Vec<u8> {
    let mut status = vec![0x08];
    varint(&mut status, number(code));
    text(&mut status, 0x12, message);
    status
}

/// Encodes a `google.rpc.Status` in JSON.
pub fn status_json(code: StatusCode, message: &str) -> String {
    let mut out = format!("{{\"code\":{},\"message\":", number(code));
    json::write_text(&mut out, message);
    out.push('}');
    out
}

fn number(code: StatusCode) -> u64 {
    match code {
        StatusCode::InvalidArgument => 3,
        StatusCode::PermissionDenied => 7,
        StatusCode::ResourceExhausted => 8,
        StatusCode::Internal => 13,
        StatusCode::Unavailable => 14,
        StatusCode::Unauthenticated => 16,
    }
}

fn text(out: &mut Vec<u8>, tag: u8, value: &str) {
    if !value.is_empty() {
        bytes(out, tag, value.as_bytes());
    }
}

fn bytes(out: &mut Vec<u8>, tag: u8, value: &[u8]) {
    out.push(tag);
    varint(out, u64::try_from(value.len()).unwrap_or(u64::MAX));
    out.extend_from_slice(value);
}

fn varint(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(0x80 | u8::try_from(number & 0x7f).unwrap_or(0));
        number >>= 7;
    }
    out.push(u8::try_from(number).unwrap_or(0));
}

#[cfg(test)]
mod tests;
