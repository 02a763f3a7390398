//! OTLP's `AnyValue` and `KeyValue` from JSON: arrays and lists become plain compact JSON text.

use std::borrow::Cow;

use base64::Engine as _;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use serde::de::{MapAccess, SeqAccess};

use super::super::json::{self, Array, Ctx, Items, Members, Object, Scalar, Text};
use crate::batch::{Sink, Value};
use crate::error::Fault;

/// A list of attributes, read into a sink.
pub(super) struct KeyValues<'s, 'a, 'b, 'c> {
    pub(super) sink: &'s mut Sink<'a, 'b>,
    pub(super) ctx: Ctx<'c>,
}

impl<'a> Items<'a> for KeyValues<'_, 'a, '_, '_> {
    fn item<A: SeqAccess<'a>>(&mut self, seq: &mut A) -> Result<bool, A::Error> {
        let mut pair = KeyValue { key: Cow::Borrowed(""), any: Any::new(self.ctx) };
        if seq.next_element_seed(Object(&mut pair))?.is_none() {
            return Ok(false);
        }
        self.ctx.check(self.sink.push(pair.key, pair.any.value))?;
        Ok(true)
    }
}

struct KeyValue<'a, 'c> {
    key: Cow<'a, str>,
    any: Any<'a, 'c>,
}

impl<'a> Members<'a> for KeyValue<'a, '_> {
    fn member<A: MapAccess<'a>>(&mut self, key: Cow<'a, str>, map: &mut A) -> Result<(), A::Error> {
        match &*key {
            "key" => self.key = map.next_value::<Text<'a>>()?.0,
            "value" => map.next_value_seed(Object(&mut self.any))?,
            _ => json::skip(map)?,
        }
        Ok(())
    }
}

/// One `AnyValue`.
pub(super) struct Any<'a, 'c> {
    pub(super) value: Value<'a>,
    ctx: Ctx<'c>,
}

impl<'c> Any<'_, 'c> {
    pub(super) fn new(ctx: Ctx<'c>) -> Self {
        Self { value: Value::Null, ctx }
    }
}

impl<'a> Members<'a> for Any<'a, '_> {
    fn member<A: MapAccess<'a>>(&mut self, key: Cow<'a, str>, map: &mut A) -> Result<(), A::Error> {
        match Member::named(&key) {
            Member::Scalar(read) => {
                if let Some(value) = scalar(map, read, self.ctx)? {
                    self.value = value;
                }
            }
            Member::Nested(shape) => {
                let mut text = String::new();
                nested(map, &mut text, shape, self.ctx)?;
                self.value = Value::Json(Cow::Owned(text));
            }
            Member::Unknown => json::skip(map)?,
        }
        Ok(())
    }
}

/// Reads a scalar member; none if it is null, which stands for "not set".
fn scalar<'a, A: MapAccess<'a>>(
    map: &mut A,
    read: ReadScalar<'a>,
    ctx: Ctx<'_>,
) -> Result<Option<Value<'a>>, A::Error> {
    match map.next_value()? {
        Scalar::Null => Ok(None),
        scalar @ (Scalar::Bool(_)
        | Scalar::Int(_)
        | Scalar::Large(_)
        | Scalar::Float(_)
        | Scalar::Text(_)) => ctx.check(read(scalar)).map(Some),
    }
}

type ReadScalar<'a> = fn(Scalar<'a>) -> Result<Value<'a>, Fault>;

/// The members of the oneof.
enum Member<'a> {
    Scalar(ReadScalar<'a>),
    Nested(Shape),
    Unknown,
}

impl Member<'_> {
    fn named(key: &str) -> Self {
        match key {
            "stringValue" | "string_value" => Self::Scalar(text_value),
            "intValue" | "int_value" => Self::Scalar(|number| Ok(Value::Int(number.to_i64()?))),
            "doubleValue" | "double_value" => {
                Self::Scalar(|number| Ok(Value::Float(number.to_f64()?)))
            }
            "boolValue" | "bool_value" => Self::Scalar(|truth| Ok(Value::Bool(truth.to_bool()?))),
            "bytesValue" | "bytes_value" => Self::Scalar(bytes_value),
            "arrayValue" | "array_value" => Self::Nested(Shape::Array),
            "kvlistValue" | "kvlist_value" => Self::Nested(Shape::Object),
            _ => Self::Unknown,
        }
    }
}

fn text_value(scalar: Scalar<'_>) -> Result<Value<'_>, Fault> {
    if let Scalar::Text(text) = scalar { Ok(Value::Str(text)) } else { Err(Fault::JsonType) }
}

fn bytes_value(scalar: Scalar<'_>) -> Result<Value<'_>, Fault> {
    const LENIENT: GeneralPurposeConfig =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    const PLAIN: GeneralPurpose = GeneralPurpose::new(&STANDARD, LENIENT);
    const URL: GeneralPurpose = GeneralPurpose::new(&URL_SAFE, LENIENT);
    let Scalar::Text(text) = scalar else { return Err(Fault::JsonType) };
    let alphabet = if text.contains(['-', '_']) { &URL } else { &PLAIN };
    match alphabet.decode(text.as_bytes()) {
        Ok(bytes) => Ok(Value::Bytes(Cow::Owned(bytes))),
        Err(_not_base64) => Err(Fault::Base64),
    }
}

#[derive(Clone, Copy)]
enum Shape {
    Array,
    Object,
}

/// Reads an `ArrayValue` or a `KeyValueList` and writes it to `out`.
fn nested<'a, A: MapAccess<'a>>(
    map: &mut A,
    out: &mut String,
    shape: Shape,
    ctx: Ctx<'_>,
) -> Result<(), A::Error> {
    let ctx = ctx.deeper()?;
    let (open, close) = match shape {
        Shape::Array => ('[', ']'),
        Shape::Object => ('{', '}'),
    };
    out.push(open);
    let start = out.len();
    map.next_value_seed(Object(&mut NestedValues { out, start, shape, ctx }))?;
    out.push(close);
    Ok(())
}

/// `{"values": […]}`.
struct NestedValues<'o, 'c> {
    out: &'o mut String,
    start: usize,
    shape: Shape,
    ctx: Ctx<'c>,
}

impl<'a> Members<'a> for NestedValues<'_, '_> {
    fn member<A: MapAccess<'a>>(&mut self, key: Cow<'a, str>, map: &mut A) -> Result<(), A::Error> {
        if key == "values" {
            return map.next_value_seed(Array(self));
        }
        json::skip(map)
    }
}

impl<'a> Items<'a> for NestedValues<'_, '_> {
    fn item<A: SeqAccess<'a>>(&mut self, seq: &mut A) -> Result<bool, A::Error> {
        let mark = self.out.len();
        if mark > self.start {
            self.out.push(',');
        }
        let found = match self.shape {
            Shape::Array => {
                let mut any = NestedAny::new(self.out, self.ctx);
                let found = seq.next_element_seed(Object(&mut any))?.is_some();
                any.close();
                found
            }
            Shape::Object => {
                let mut value = String::new();
                let any = NestedAny::new(&mut value, self.ctx);
                let mut pair = NestedKeyValue { key: Cow::Borrowed(""), any };
                let found = seq.next_element_seed(Object(&mut pair))?.is_some();
                json::write_text(self.out, &pair.key);
                pair.any.close();
                self.out.push(':');
                self.out.push_str(&value);
                found
            }
        };
        if !found {
            self.out.truncate(mark);
        }
        Ok(found)
    }
}

struct NestedKeyValue<'o, 'a, 'c> {
    key: Cow<'a, str>,
    any: NestedAny<'o, 'c>,
}

impl<'a> Members<'a> for NestedKeyValue<'_, 'a, '_> {
    fn member<A: MapAccess<'a>>(&mut self, key: Cow<'a, str>, map: &mut A) -> Result<(), A::Error> {
        match &*key {
            "key" => self.key = map.next_value::<Text<'a>>()?.0,
            "value" => map.next_value_seed(Object(&mut self.any))?,
            _ => json::skip(map)?,
        }
        Ok(())
    }
}

/// An `AnyValue` within another, written as JSON text.
struct NestedAny<'o, 'c> {
    out: &'o mut String,
    start: usize,
    ctx: Ctx<'c>,
}

impl<'o, 'c> NestedAny<'o, 'c> {
    fn new(out: &'o mut String, ctx: Ctx<'c>) -> Self {
        let start = out.len();
        Self { out, start, ctx }
    }

    fn close(&mut self) {
        if self.out.len() == self.start {
            self.out.push_str("null");
        }
    }
}

impl<'a> Members<'a> for NestedAny<'_, '_> {
    fn member<A: MapAccess<'a>>(&mut self, key: Cow<'a, str>, map: &mut A) -> Result<(), A::Error> {
        match Member::named(&key) {
            Member::Scalar(read) => {
                if let Some(value) = scalar(map, read, self.ctx)? {
                    self.out.truncate(self.start);
                    json::write_value(self.out, &value);
                }
                Ok(())
            }
            Member::Nested(shape) => {
                self.out.truncate(self.start);
                nested(map, self.out, shape, self.ctx)
            }
            Member::Unknown => json::skip(map),
        }
    }
}
