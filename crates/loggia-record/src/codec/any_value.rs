//! OTLP's `AnyValue` from protobuf: scalars are borrowed, arrays and lists become JSON text.
//!
//! Follows protobuf's rules for repeated fields: the last member of the oneof wins, and an array
//! or list that comes twice is joined.

use std::borrow::Cow;

use super::json;
use super::wire::{Fields, Wire};
use crate::batch::{Sink, Value};
use crate::error::Fault;

/// Reads a `KeyValue` message into the sink.
#[inline]
pub(crate) fn key_value<'a>(bytes: &'a [u8], sink: &mut Sink<'a, '_>) -> Result<(), Fault> {
    let mut key = "";
    let mut value = Value::Null;
    let mut fields = Fields::new(bytes);
    while let Some((number, wire)) = fields.field()? {
        match number {
            1 => key = wire.text()?,
            2 => merge(&mut value, wire.bytes()?, sink.depth_max())?,
            _ => {}
        }
    }
    sink.push(Cow::Borrowed(key), value)
}

/// Merges an `AnyValue` message into `value`.
#[inline]
pub(crate) fn merge<'a>(
    value: &mut Value<'a>,
    bytes: &'a [u8],
    depth_left: usize,
) -> Result<(), Fault> {
    let mut fields = Fields::new(bytes);
    while let Some((number, wire)) = fields.field()? {
        *value = match number {
            1 => Value::Str(Cow::Borrowed(wire.text()?)),
            2 => Value::Bool(wire.varint()? != 0),
            3 => Value::Int(wire.varint()?.cast_signed()),
            4 => Value::Float(f64::from_bits(wire.fixed64()?)),
            5 | 6 => nested(std::mem::replace(value, Value::Null), number, wire, depth_left)?,
            7 => Value::Bytes(Cow::Borrowed(wire.bytes()?)),
            _ => continue,
        };
    }
    Ok(())
}

fn nested<'a>(
    before: Value<'a>,
    number: u32,
    wire: Wire<'a>,
    depth_left: usize,
) -> Result<Value<'a>, Fault> {
    let mut text = match before {
        Value::Json(Cow::Owned(text)) => text,
        Value::Json(Cow::Borrowed(_))
        | Value::Null
        | Value::Bool(_)
        | Value::Int(_)
        | Value::Float(_)
        | Value::Str(_)
        | Value::Bytes(_) => String::with_capacity(wire.bytes()?.len()),
    };
    let shape = if number == 5 { Shape::Array } else { Shape::Object };
    write_nested(&mut text, 0, shape, wire.bytes()?, depth_left)?;
    Ok(Value::Json(Cow::Owned(text)))
}

#[derive(Clone, Copy)]
enum Shape {
    Array,
    Object,
}

impl Shape {
    fn brackets(self) -> (char, char) {
        match self {
            Self::Array => ('[', ']'),
            Self::Object => ('{', '}'),
        }
    }
}

/// Writes an `ArrayValue` or `KeyValueList` at `start` of `out`; joins it to one of the same shape
/// that already stands there, and replaces anything else.
fn write_nested(
    out: &mut String,
    start: usize,
    shape: Shape,
    bytes: &[u8],
    depth_left: usize,
) -> Result<(), Fault> {
    let depth_left = depth_left.checked_sub(1).ok_or(Fault::TooDeep)?;
    let (open, close) = shape.brackets();
    let joins = out.get(start..).is_some_and(|before| before.starts_with(open));
    if joins {
        out.pop();
    } else {
        out.truncate(start);
        out.push(open);
    }
    let mut fields = Fields::new(bytes);
    while let Some((number, wire)) = fields.field()? {
        if number != 1 {
            continue;
        }
        if out.len() > start + 1 {
            out.push(',');
        }
        match shape {
            Shape::Array => {
                let at = out.len();
                write_any(out, at, wire.bytes()?, depth_left)?;
                close_value(out, at);
            }
            Shape::Object => write_key_value(out, wire.bytes()?, depth_left)?,
        }
    }
    out.push(close);
    Ok(())
}

fn write_key_value(out: &mut String, bytes: &[u8], depth_left: usize) -> Result<(), Fault> {
    let mut key = "";
    let mut fields = Fields::new(bytes);
    while let Some((number, wire)) = fields.field()? {
        if number == 1 {
            key = wire.text()?;
        }
    }
    json::write_text(out, key);
    out.push(':');
    let at = out.len();
    let mut fields = Fields::new(bytes);
    while let Some((number, wire)) = fields.field()? {
        if number == 2 {
            write_any(out, at, wire.bytes()?, depth_left)?;
        }
    }
    close_value(out, at);
    Ok(())
}

fn close_value(out: &mut String, start: usize) {
    if out.len() == start {
        out.push_str("null");
    }
}

/// Writes an `AnyValue` at `start` of `out`, nothing when it has no value.
fn write_any(out: &mut String, start: usize, bytes: &[u8], depth_left: usize) -> Result<(), Fault> {
    let mut fields = Fields::new(bytes);
    while let Some((number, wire)) = fields.field()? {
        match number {
            5 => write_nested(out, start, Shape::Array, wire.bytes()?, depth_left)?,
            6 => write_nested(out, start, Shape::Object, wire.bytes()?, depth_left)?,
            1..=4 | 7 => {
                out.truncate(start);
                match number {
                    1 => json::write_text(out, wire.text()?),
                    2 => out.push_str(if wire.varint()? == 0 { "false" } else { "true" }),
                    3 => json::write_int(out, wire.varint()?.cast_signed()),
                    4 => json::write_float(out, f64::from_bits(wire.fixed64()?)),
                    _ => json::write_bytes(out, wire.bytes()?),
                }
            }
            _ => {}
        }
    }
    Ok(())
}
