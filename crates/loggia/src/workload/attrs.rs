//! Short ways to write OTLP attributes and the JSON text inside them.

use std::fmt::Write as _;

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, KeyValue};

/// A growing list of attributes.
#[derive(Debug, Default)]
pub(super) struct Attrs(pub(super) Vec<KeyValue>);

impl Attrs {
    /// An empty list with room for a typical record.
    pub(super) fn new() -> Self {
        Self(Vec::with_capacity(24))
    }

    fn push(&mut self, key: &str, value: Value) -> &mut Self {
        let value = Some(AnyValue { value: Some(value) });
        self.0.push(KeyValue { key: key.to_owned(), value, ..KeyValue::default() });
        self
    }

    /// Adds a text.
    pub(super) fn text(&mut self, key: &str, value: impl Into<String>) -> &mut Self {
        self.push(key, Value::StringValue(value.into()))
    }

    /// Adds an integer.
    pub(super) fn int(&mut self, key: &str, value: impl Into<i64>) -> &mut Self {
        self.push(key, Value::IntValue(value.into()))
    }

    /// Adds a float.
    pub(super) fn float(&mut self, key: &str, value: f64) -> &mut Self {
        self.push(key, Value::DoubleValue(value))
    }

    /// Adds a list with one text.
    pub(super) fn list(&mut self, key: &str, value: &str) -> &mut Self {
        self.push(key, Value::ArrayValue(ArrayValue { values: vec![text_value(value)] }))
    }
}

/// A text as an OTLP value.
pub(super) fn text_value(text: impl Into<String>) -> AnyValue {
    AnyValue { value: Some(Value::StringValue(text.into())) }
}

/// Appends a JSON string with its quotes.
pub(super) fn json_string(text: &str, out: &mut String) {
    out.push('"');
    let mut rest = text;
    while let Some(at) = rest.bytes().position(|byte| byte < 0x20 || byte == b'"' || byte == b'\\')
    {
        let (clean, tail) = rest.split_at(at);
        out.push_str(clean);
        let mut letters = tail.chars();
        match letters.next() {
            Some('\n') => out.push_str("\\n"),
            Some('\t') => out.push_str("\\t"),
            Some(quoted @ ('"' | '\\')) => {
                out.push('\\');
                out.push(quoted);
            }
            Some(control) => put(out, format_args!("\\u{:04x}", u32::from(control))),
            None => {}
        }
        rest = letters.as_str();
    }
    out.push_str(rest);
    out.push('"');
}

/// Appends formatted text; writing to a `String` cannot fail.
pub(super) fn put(out: &mut String, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text).unwrap_or_default();
}

/// Messages in the shape of the current conventions: `[{"role":…,"parts":[{"type":"text","content":…}]}]`.
pub(super) fn messages_json(messages: &[(&str, &str)], finish: Option<&str>) -> String {
    let room: usize = messages.iter().map(|(_, text)| text.len() + 80).sum();
    let mut out = String::with_capacity(room);
    out.push('[');
    for (number, (role, text)) in messages.iter().enumerate() {
        if number > 0 {
            out.push(',');
        }
        out.push_str("{\"role\":\"");
        out.push_str(role);
        out.push_str("\",\"parts\":[{\"type\":\"text\",\"content\":");
        json_string(text, &mut out);
        out.push_str("}]");
        if let Some(finish) = finish {
            out.push_str(",\"finish_reason\":\"");
            out.push_str(finish);
            out.push('"');
        }
        out.push('}');
    }
    out.push(']');
    out
}

/// Unix nanoseconds as OTLP wants them.
pub(super) fn unsigned(ns: i64) -> u64 {
    u64::try_from(ns).unwrap_or(0)
}

/// A float in milliseconds as nanoseconds.
pub(super) fn ms_to_ns(ms: f64) -> i64 {
    whole(ms * 1e6)
}

/// The whole part of a float; floats beyond ±2^53 are clamped.
pub(super) fn whole(value: f64) -> i64 {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    #[expect(clippy::cast_possible_truncation, reason = "clamped to what an i64 holds")]
    let whole = value.clamp(-EXACT, EXACT) as i64;
    whole
}
