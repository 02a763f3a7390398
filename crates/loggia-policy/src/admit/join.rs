//! Several attributes of one content field, as one JSON object in order of arrival.
//!
//! Each value passes the detectors by itself, before it is escaped, so that no escape hides anything from them.

use loggia_record::{Attr, Value};

use crate::detect::ConversationRef;
use crate::patterns::Matched;

use super::columns::ColumnBuilder;
use super::convert::as_text;
use super::text::{TextDesk, Verdict, WITHHELD};

/// Writes `{"name":value,…}` into the column.
pub(super) fn write<'b, 'a: 'b>(
    parts: impl Iterator<Item = (&'b Attr<'a>, Matched)>,
    conversation: Option<&ConversationRef<'_>>,
    desk: &mut TextDesk<'_>,
    column: &mut ColumnBuilder,
) -> bool {
    let mut out = String::from("{");
    for (attr, matched) in parts {
        // Bytes that are not text have no place in JSON.
        let Some(text) = as_text(&attr.value) else { continue };
        if out.len() > 1 {
            out.push(',');
        }
        // A name that the policy spells is known; of any other, a part is the sender's own.
        let name = match matched {
            Matched::Spelled => attr.key.as_ref(),
            Matched::Open => passed(&attr.key, conversation, desk),
        };
        escape(name, &mut out);
        out.push(':');
        let raw = match &attr.value {
            Value::Json(_) | Value::Bool(_) | Value::Int(_) => true,
            Value::Float(number) => number.is_finite(),
            Value::Str(_) | Value::Bytes(_) | Value::Null => false,
        };
        let value = passed(&text, conversation, desk);
        // A placeholder in place of a number makes JSON that is none.
        if raw && (value == text || is_json(value)) {
            out.push_str(value);
        } else {
            escape(value, &mut out);
        }
    }
    out.push('}');
    column.push_text(&out)
}

/// A text as the detectors let it pass.
fn passed<'t>(
    text: &'t str,
    conversation: Option<&ConversationRef<'_>>,
    desk: &'t mut TextDesk<'_>,
) -> &'t str {
    match desk.read(text, conversation) {
        Verdict::Clean => text,
        Verdict::Redacted => &desk.redacted,
        Verdict::Withheld => WITHHELD,
    }
}

fn is_json(text: &str) -> bool {
    serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
}

/// Writes a text as a JSON string.
fn escape(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if u32::from(c) < 0x20 => {
                out.push_str("\\u00");
                let digit = |value: u32| char::from_digit(value, 16).unwrap_or('0');
                out.push(digit(u32::from(c) >> 4));
                out.push(digit(u32::from(c) & 15));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::escape;

    #[test]
    fn escapes_are_those_of_json() {
        for text in ["plain", "a\"b\\c", "line\nfeed\ttab\r", "\u{1}\u{1f}é漢🙂", ""] {
            let mut out = String::new();
            escape(text, &mut out);
            assert_eq!(serde_json::from_str::<String>(&out).unwrap(), text);
        }
    }
}
