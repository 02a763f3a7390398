//! What can be wrong with a request or a record. Positions and reasons, never content.

use std::fmt;

/// Why a whole request was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The framing around the records is broken, so that none can be trusted.
    #[error("request is invalid at byte {at}: {what}")]
    Invalid {
        /// What was wrong.
        what: Fault,
        /// Byte offset into the request.
        at: usize,
    },
    /// The request goes over one of the [`Limits`](crate::Limits).
    #[error("request is too large: more than {limit} {what}")]
    TooLarge {
        /// What there is too much of: `bytes`, `records`, `attributes`, …
        what: &'static str,
        /// How much would have been allowed.
        limit: usize,
    },
}

/// A record that could not be read, or was over a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rejection {
    position: u32,
    fault: Fault,
}

impl Rejection {
    pub(crate) fn new(position: u32, fault: Fault) -> Self {
        Self { position, fault }
    }

    /// Which record of the request, counted from 0 over kept and rejected ones. In line formats
    /// it is the line, counted from 0 over all lines, blank ones included.
    pub fn position(self) -> u32 {
        self.position
    }

    /// What was wrong with it.
    pub fn reason(self) -> Fault {
        self.fault
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "record {}: {}", self.position, self.fault)
    }
}

/// One reason why bytes do not make a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// A length or a fixed-width number reaches past the end.
    Truncated,
    /// A variable-length integer has more than 64 bits.
    VarintTooLong,
    /// Field number 0, or one with more than 29 bits.
    FieldNumber,
    /// A known field has another wire type than its schema says, or the wire type is undefined.
    WireType,
    /// A protobuf group, which no OTLP message has.
    Group,
    /// Text is not UTF-8.
    Utf8,
    /// Values nest deeper than the limit.
    TooDeep,
    /// More attributes than the limit.
    TooManyAttributes,
    /// The names of nested values, or of the attributes of events, add up to too much.
    NamesTooLong,
    /// The record is larger than the limit.
    RecordTooLarge,
    /// A trace or span id of the wrong length, or not hexadecimal.
    Id,
    /// A number out of range, or text where a number was due.
    Number,
    /// A bytes value that is not base64.
    Base64,
    /// Malformed JSON.
    JsonSyntax,
    /// A JSON value of another type than was due.
    JsonType,
    /// A record that is not a JSON object.
    NotAnObject,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Truncated => "message ends early",
            Self::VarintTooLong => "variable-length integer has more than 64 bits",
            Self::FieldNumber => "field number is out of range",
            Self::WireType => "field has the wrong wire type",
            Self::Group => "protobuf groups are not supported",
            Self::Utf8 => "text is not valid utf-8",
            Self::TooDeep => "values are nested too deeply",
            Self::TooManyAttributes => "too many attributes",
            Self::NamesTooLong => "names of nested values are too long",
            Self::RecordTooLarge => "record is too large",
            Self::Id => "trace or span id is malformed",
            Self::Number => "number is malformed or out of range",
            Self::Base64 => "bytes value is not base64",
            Self::JsonSyntax => "json is malformed",
            Self::JsonType => "json value has the wrong type",
            Self::NotAnObject => "record is not a json object",
        })
    }
}
