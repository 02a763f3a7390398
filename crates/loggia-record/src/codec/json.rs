//! Writes compact JSON text, and reads JSON objects member by member with serde.
//!
//! Guarantees: text is borrowed where it has no escapes; nesting is counted, so that the limit
//! hits before the stack does; a fault is reported as a [`Fault`], never as serde's message, which
//! may quote content.

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt::{self, Write as _};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::de::{
    self, Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor,
};

use crate::batch::Value;
use crate::error::Fault;

/// Writes a JSON string.
pub(crate) fn write_text(out: &mut String, text: &str) {
    out.push('"');
    let mut rest = text;
    while let Some(at) = rest.bytes().position(|b| b < 0x20 || b == b'"' || b == b'\\') {
        let (plain, escaped) = rest.split_at_checked(at).unwrap_or((rest, ""));
        out.push_str(plain);
        let mut chars = escaped.chars();
        match chars.next() {
            Some('"') => out.push_str("\\\""),
            Some('\\') => out.push_str("\\\\"),
            Some('\n') => out.push_str("\\n"),
            Some('\r') => out.push_str("\\r"),
            Some('\t') => out.push_str("\\t"),
            Some('\u{8}') => out.push_str("\\b"),
            Some('\u{c}') => out.push_str("\\f"),
            Some(control) => push_fmt(out, format_args!("\\u{:04x}", u32::from(control))),
            None => {}
        }
        rest = chars.as_str();
    }
    out.push_str(rest);
    out.push('"');
}

pub(crate) fn write_int(out: &mut String, number: i64) {
    push_fmt(out, format_args!("{number}"));
}

/// Writes a JSON number, or as protobuf's JSON does a string for what is none.
pub(crate) fn write_float(out: &mut String, number: f64) {
    if number.is_nan() {
        out.push_str("\"NaN\"");
    } else if number.is_infinite() {
        out.push_str(if number > 0.0 { "\"Infinity\"" } else { "\"-Infinity\"" });
    } else {
        push_fmt(out, format_args!("{number:?}"));
    }
}

/// Writes bytes as base64 text.
pub(crate) fn write_bytes(out: &mut String, bytes: &[u8]) {
    out.push('"');
    BASE64_STANDARD.encode_string(bytes, out);
    out.push('"');
}

/// Writes any value.
pub(crate) fn write_value(out: &mut String, value: &Value<'_>) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Int(number) => write_int(out, *number),
        Value::Float(number) => write_float(out, *number),
        Value::Str(text) => write_text(out, text),
        Value::Bytes(bytes) => write_bytes(out, bytes),
        Value::Json(text) => out.push_str(text),
    }
}

fn push_fmt(out: &mut String, args: fmt::Arguments<'_>) {
    // Writing to a `String` cannot fail.
    out.write_fmt(args).unwrap_or_default();
}

/// Where a reader notes what stopped it, and how deep it may still go.
#[derive(Clone, Copy)]
pub(crate) struct Ctx<'c> {
    fault: &'c Cell<Option<Fault>>,
    depth_left: usize,
}

impl<'c> Ctx<'c> {
    pub(crate) fn new(fault: &'c Cell<Option<Fault>>, depth_left: usize) -> Self {
        Self { fault, depth_left }
    }

    /// One level down.
    pub(crate) fn deeper<E: de::Error>(self) -> Result<Self, E> {
        match self.depth_left.checked_sub(1) {
            Some(depth_left) => Ok(Self { depth_left, ..self }),
            None => Err(self.stop(Fault::TooDeep)),
        }
    }

    /// Stops reading because of a fault.
    pub(crate) fn stop<E: de::Error>(self, fault: Fault) -> E {
        self.fault.set(Some(fault));
        E::custom(fault)
    }

    /// Turns our own faults into serde's, for `?`.
    pub(crate) fn check<T, E: de::Error>(self, result: Result<T, Fault>) -> Result<T, E> {
        result.map_err(|fault| self.stop(fault))
    }
}

/// Reads one JSON text with `seed`.
pub(crate) fn read<'de, S: DeserializeSeed<'de>>(
    text: &'de str,
    ctx: Ctx<'_>,
    seed: S,
) -> Result<S::Value, Fault> {
    let mut json = serde_json::Deserializer::from_str(text);
    let outcome = seed.deserialize(&mut json).and_then(|value| {
        json.end()?;
        Ok(value)
    });
    outcome.map_err(|error| ctx.fault.get().unwrap_or_else(|| fault_of(&error)))
}

/// What kind of fault an error of serde's stands for.
pub(crate) fn fault_of(error: &serde_json::Error) -> Fault {
    if error.is_data() {
        Fault::JsonType
    } else if error.to_string().starts_with("recursion limit exceeded") {
        Fault::TooDeep
    } else {
        Fault::JsonSyntax
    }
}

/// Byte offset of an error of serde's within its text.
pub(crate) fn offset_of(error: &serde_json::Error, text: &[u8]) -> usize {
    let line = error.line().saturating_sub(1);
    let start = match line.checked_sub(1) {
        None => 0,
        Some(n) => memchr::memchr_iter(b'\n', text).nth(n).map_or(0, |at| at + 1),
    };
    start.saturating_add(error.column().saturating_sub(1)).min(text.len())
}

/// Text, borrowed from the input unless it had escapes.
pub(crate) struct Text<'a>(pub(crate) Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;
        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }
            fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
            // Protobuf's JSON: null stands for the default.
            fn visit_unit<E: de::Error>(self) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed("")))
            }
        }
        deserializer.deserialize_any(TextVisitor)
    }
}

/// A JSON value that is neither an array nor an object.
pub(crate) enum Scalar<'a> {
    Null,
    Bool(bool),
    Int(i64),
    /// A whole number beyond what `i64` holds.
    Large(u64),
    Float(f64),
    Text(Cow<'a, str>),
}

impl Scalar<'_> {
    /// An unsigned number, or its decimal digits as text.
    pub(crate) fn to_u64(&self) -> Result<u64, Fault> {
        match self {
            Self::Null => Ok(0),
            Self::Int(number) => u64::try_from(*number).map_err(|_negative| Fault::Number),
            Self::Large(number) => Ok(*number),
            Self::Text(text) => text.parse().map_err(|_not_a_number| Fault::Number),
            Self::Float(_) => self.to_i64()?.try_into().map_err(|_negative| Fault::Number),
            Self::Bool(_) => Err(Fault::JsonType),
        }
    }

    /// A signed number, or its decimal digits as text.
    pub(crate) fn to_i64(&self) -> Result<i64, Fault> {
        match self {
            Self::Null => Ok(0),
            Self::Int(number) => Ok(*number),
            Self::Text(text) => text.parse().map_err(|_not_a_number| Fault::Number),
            // 1.0 and 1e3 are whole numbers to protobuf's JSON.
            Self::Float(number) if number.fract() == 0.0 && number.abs() < 9.0e15 => {
                #[expect(clippy::cast_possible_truncation, reason = "bounded by the guard")]
                let whole = *number as i64;
                Ok(whole)
            }
            Self::Float(_) | Self::Large(_) => Err(Fault::Number),
            Self::Bool(_) => Err(Fault::JsonType),
        }
    }

    /// A number, or the text of one, or `NaN`, `Infinity`, `-Infinity`.
    pub(crate) fn to_f64(&self) -> Result<f64, Fault> {
        match self {
            Self::Null => Ok(0.0),
            #[expect(clippy::cast_precision_loss, reason = "a double was due; this is its value")]
            Self::Int(number) => Ok(*number as f64),
            #[expect(clippy::cast_precision_loss, reason = "a double was due; this is its value")]
            Self::Large(number) => Ok(*number as f64),
            Self::Float(number) => Ok(*number),
            Self::Text(text) => text.parse().map_err(|_not_a_number| Fault::Number),
            Self::Bool(_) => Err(Fault::JsonType),
        }
    }

    /// A truth value.
    pub(crate) fn to_bool(&self) -> Result<bool, Fault> {
        match self {
            Self::Null => Ok(false),
            Self::Bool(value) => Ok(*value),
            Self::Int(_) | Self::Large(_) | Self::Float(_) | Self::Text(_) => Err(Fault::JsonType),
        }
    }

    /// An enumeration: its number, or its name as `number_of` knows it.
    pub(crate) fn to_enum(&self, number_of: impl Fn(&str) -> Option<i32>) -> Result<i32, Fault> {
        if let Self::Text(name) = self {
            return name.parse().ok().or_else(|| number_of(name)).ok_or(Fault::Number);
        }
        self.to_i64()?.try_into().map_err(|_too_large| Fault::Number)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Scalar<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ScalarVisitor;
        impl<'de> Visitor<'de> for ScalarVisitor {
            type Value = Scalar<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a single value")
            }
            fn visit_unit<E: de::Error>(self) -> Result<Scalar<'de>, E> {
                Ok(Scalar::Null)
            }
            fn visit_bool<E: de::Error>(self, value: bool) -> Result<Scalar<'de>, E> {
                Ok(Scalar::Bool(value))
            }
            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Scalar<'de>, E> {
                Ok(Scalar::Int(number))
            }
            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Scalar<'de>, E> {
                Ok(i64::try_from(number).map_or(Scalar::Large(number), Scalar::Int))
            }
            fn visit_f64<E: de::Error>(self, number: f64) -> Result<Scalar<'de>, E> {
                Ok(Scalar::Float(number))
            }
            fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Scalar<'de>, E> {
                Ok(Scalar::Text(Cow::Borrowed(text)))
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Scalar<'de>, E> {
                Ok(Scalar::Text(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_any(ScalarVisitor)
    }
}

/// Skips the value of a member.
pub(crate) fn skip<'de, A: MapAccess<'de>>(map: &mut A) -> Result<(), A::Error> {
    map.next_value::<IgnoredAny>().map(|_ignored| ())
}

/// What to do with the members of an object.
pub(crate) trait Members<'de> {
    /// Takes the value of the member `key` from `map`.
    fn member<A: MapAccess<'de>>(
        &mut self,
        key: Cow<'de, str>,
        map: &mut A,
    ) -> Result<(), A::Error>;
}

/// Reads an object, or null, into `M`.
pub(crate) struct Object<'m, M>(pub(crate) &'m mut M);

impl<'de, M: Members<'de>> DeserializeSeed<'de> for Object<'_, M> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, M: Members<'de>> Visitor<'de> for Object<'_, M> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(Text(key)) = map.next_key()? {
            self.0.member(key, &mut map)?;
        }
        Ok(())
    }
    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        Ok(())
    }
}

/// What to do with the items of an array.
pub(crate) trait Items<'de> {
    /// Takes the next item; false at the end.
    fn item<A: SeqAccess<'de>>(&mut self, seq: &mut A) -> Result<bool, A::Error>;
}

/// Reads an array, or null, into `I`.
pub(crate) struct Array<'i, I>(pub(crate) &'i mut I);

impl<'de, I: Items<'de>> DeserializeSeed<'de> for Array<'_, I> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, I: Items<'de>> Visitor<'de> for Array<'_, I> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while self.0.item(&mut seq)? {}
        Ok(())
    }
    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
