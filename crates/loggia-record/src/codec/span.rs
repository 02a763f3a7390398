//! What the two encodings of OTLP share: the intrinsics of a log record and of a span.

use std::borrow::Cow;

use crate::batch::{Sink, Value};
use crate::error::Fault;
use crate::intrinsic;
use crate::severity;

/// The fields of a log record apart from its attributes.
#[derive(Default)]
pub(crate) struct LogHead<'a> {
    pub(crate) time_ns: u64,
    pub(crate) observed_ns: u64,
    pub(crate) severity_number: i32,
    pub(crate) severity_text: Cow<'a, str>,
    pub(crate) body: Option<Value<'a>>,
    pub(crate) trace_id: Id<16>,
    pub(crate) span_id: Id<8>,
    pub(crate) event_name: Cow<'a, str>,
}

impl<'a> LogHead<'a> {
    /// Adds the intrinsics and returns the event time: the record's, else when it was observed.
    pub(crate) fn finish(self, sink: &mut Sink<'a, '_>) -> Option<i64> {
        // An `AnyValue` without a value is no body.
        if let Some(body) = self.body.filter(|body| *body != Value::Null) {
            sink.intrinsic(intrinsic::BODY, body);
        }
        severity::push(sink, Some(self.severity_text), i64::from(self.severity_number));
        // An id of the wrong length means "not part of a trace" on a log record.
        push_id(sink, intrinsic::TRACE_ID, self.trace_id.valid());
        push_id(sink, intrinsic::SPAN_ID, self.span_id.valid());
        push_text(sink, intrinsic::EVENT_NAME, self.event_name);
        instant(self.time_ns).or_else(|| instant(self.observed_ns))
    }
}

/// The fields of a span apart from its attributes and events.
#[derive(Default)]
pub(crate) struct SpanHead<'a> {
    pub(crate) trace_id: Id<16>,
    pub(crate) span_id: Id<8>,
    pub(crate) parent_span_id: Id<8>,
    pub(crate) name: Cow<'a, str>,
    pub(crate) kind: i32,
    pub(crate) start_ns: u64,
    pub(crate) end_ns: u64,
    pub(crate) status: Status<'a>,
}

/// The status of a span.
#[derive(Default)]
pub(crate) struct Status<'a> {
    pub(crate) code: i32,
    pub(crate) message: Cow<'a, str>,
}

impl<'a> SpanHead<'a> {
    /// Adds the intrinsics and returns the event time: when the span began.
    pub(crate) fn finish(self, sink: &mut Sink<'a, '_>) -> Result<Option<i64>, Fault> {
        push_text(sink, intrinsic::NAME, self.name);
        push_id(sink, intrinsic::TRACE_ID, self.trace_id.required()?);
        push_id(sink, intrinsic::SPAN_ID, self.span_id.required()?);
        push_id(sink, intrinsic::PARENT_SPAN_ID, self.parent_span_id.required()?);
        let kind = match self.kind {
            1 => "internal",
            2 => "server",
            3 => "client",
            4 => "producer",
            5 => "consumer",
            _ => "",
        };
        push_text(sink, intrinsic::SPAN_KIND, Cow::Borrowed(kind));
        let status = match self.status.code {
            1 => "ok",
            2 => "error",
            _ => "unset",
        };
        sink.intrinsic(intrinsic::STATUS, Value::str(status));
        push_text(sink, intrinsic::STATUS_MESSAGE, self.status.message);
        let (start, end) = (instant(self.start_ns), instant(self.end_ns));
        if let (Some(start), Some(end)) = (start, end)
            && end >= start
        {
            #[expect(clippy::cast_precision_loss, reason = "microseconds of a year still fit")]
            let duration_ms = (end - start) as f64 / 1e6;
            sink.intrinsic(intrinsic::DURATION_MS, Value::Float(duration_ms));
        }
        Ok(start.or(end))
    }
}

/// A trace or span id: `N` bytes, none at all, or malformed.
#[derive(Clone, Copy, Default)]
pub(crate) enum Id<const N: usize> {
    #[default]
    Absent,
    Present([u8; N]),
    Malformed,
}

impl<const N: usize> Id<N> {
    /// From the bytes of a protobuf field.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Self {
        match <[u8; N]>::try_from(bytes) {
            Ok(id) if id == [0; N] => Self::Absent,
            Ok(id) => Self::Present(id),
            Err(_length) if bytes.is_empty() => Self::Absent,
            Err(_length) => Self::Malformed,
        }
    }

    /// From hex digits of either case.
    pub(crate) fn from_hex(text: &str) -> Self {
        let digits = text.as_bytes();
        if digits.is_empty() {
            return Self::Absent;
        }
        if digits.len() != N * 2 {
            return Self::Malformed;
        }
        let mut id = [0; N];
        for (byte, pair) in id.iter_mut().zip(digits.chunks_exact(2)) {
            let [high, low] = pair else { return Self::Malformed };
            match (char::from(*high).to_digit(16), char::from(*low).to_digit(16)) {
                (Some(high), Some(low)) => *byte = u8::try_from(high * 16 + low).unwrap_or(0),
                (None, _) | (_, None) => return Self::Malformed,
            }
        }
        Self::from_bytes(&id)
    }

    /// The id, if it is one.
    pub(crate) fn valid(self) -> Option<[u8; N]> {
        match self {
            Self::Present(id) => Some(id),
            Self::Absent | Self::Malformed => None,
        }
    }

    /// The id, where a malformed one spoils the record.
    fn required(self) -> Result<Option<[u8; N]>, Fault> {
        match self {
            Self::Malformed => Err(Fault::Id),
            Self::Present(_) | Self::Absent => Ok(self.valid()),
        }
    }
}

/// Adds an id in hex, if there is one.
pub(crate) fn push_id<const N: usize>(
    sink: &mut Sink<'_, '_>,
    key: &'static str,
    id: Option<[u8; N]>,
) {
    if let Some(id) = id {
        let mut hex = String::with_capacity(N * 2);
        for byte in id {
            hex.push(hex_digit(byte >> 4));
            hex.push(hex_digit(byte & 0xf));
        }
        sink.intrinsic(key, Value::Str(Cow::Owned(hex)));
    }
}

fn hex_digit(nibble: u8) -> char {
    char::from(if nibble < 10 { b'0' + nibble } else { b'a' - 10 + nibble })
}

fn push_text<'a>(sink: &mut Sink<'a, '_>, key: &'static str, text: Cow<'a, str>) {
    if !text.is_empty() {
        sink.intrinsic(key, Value::Str(text));
    }
}

/// Zero means unknown; so does a time after the year 2262, which 64 signed bits do not hold.
fn instant(ns: u64) -> Option<i64> {
    i64::try_from(ns).ok().filter(|ns| *ns != 0)
}
