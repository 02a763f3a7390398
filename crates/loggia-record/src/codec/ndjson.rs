//! Newline-delimited JSON: one object a line, as services' own loggers write it.
//!
//! Nested objects flatten to dotted keys, arrays become JSON text, and the usual names feed the
//! intrinsics; what does not fit its intrinsic keeps its own name, so that nothing is lost. A line
//! that is not an object is rejected alone; blank lines are skipped.

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::json::{self, Ctx, Members, Object, Text};
use super::lines::Lines;
use super::span::{Id, push_id};
use crate::batch::{Batch, Builder, Kind, SharedId, Sink, Value};
use crate::error::{DecodeError, Fault};
use crate::limits::Limits;
use crate::severity::{self, Level};
use crate::{intrinsic, time};

/// Decodes newline-delimited JSON objects. [`crate::Rejection::position`] is the line.
pub fn decode_ndjson<'a>(bytes: &'a [u8], limits: &Limits) -> Result<Batch<'a>, DecodeError> {
    let mut builder = Builder::new(bytes.len(), limits)?;
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    for (position, line) in Lines::new(bytes) {
        builder
            .record_at(position, Kind::Log, line.len(), SharedId::NONE, |sink| row(line, sink))?;
    }
    Ok(builder.finish())
}

fn row<'a>(line: &'a [u8], sink: &mut Sink<'a, '_>) -> Result<Option<i64>, Fault> {
    let Ok(text) = std::str::from_utf8(line) else { return Err(Fault::Utf8) };
    if !text.trim_start_matches([' ', '\t']).starts_with('{') {
        return Err(Fault::NotAnObject);
    }
    let fault = Cell::new(None);
    let ctx = Ctx::new(&fault, sink.depth_max());
    let mut row = Row { head: Head::default(), sink, ctx };
    json::read(text, ctx, Object(&mut row))?;
    let Row { head, sink, .. } = row;
    Ok(head.finish(sink))
}

/// What feeds the intrinsics.
#[derive(Default)]
struct Head<'a> {
    time_ns: Option<i64>,
    body: Option<Value<'a>>,
    severity: Option<Cow<'a, str>>,
    severity_number: i64,
    trace_id: Option<[u8; 16]>,
    span_id: Option<[u8; 8]>,
    parent_span_id: Option<[u8; 8]>,
    event_name: Option<Cow<'a, str>>,
}

impl<'a> Head<'a> {
    /// Takes the value if its name and form are those of an intrinsic not yet taken; else hands it
    /// back.
    fn take(&mut self, key: &str, value: Value<'a>) -> Option<Value<'a>> {
        match key {
            "time" | "timestamp" | "ts" | "@timestamp" if self.time_ns.is_none() => {
                self.time_ns = match &value {
                    Value::Int(number) => time::epoch_int(*number),
                    Value::Float(number) => time::epoch_float(*number),
                    Value::Str(text) => time::any(text),
                    Value::Null | Value::Bool(_) | Value::Bytes(_) | Value::Json(_) => None,
                };
                if self.time_ns.is_some() { None } else { Some(value) }
            }
            "message" | "msg" | "log" | "body" if self.body.is_none() => {
                self.body = Some(value);
                None
            }
            "level" | "severity" | "lvl" | "log.level" if self.severity.is_none() => {
                self.take_severity(value)
            }
            "severity_number" | "severityNumber" if self.severity_number == 0 => {
                if let Value::Int(number @ 1..=24) = value {
                    self.severity_number = number;
                    return None;
                }
                Some(value)
            }
            "trace_id" | "traceId" | "trace.id" => take_id(&mut self.trace_id, value),
            "span_id" | "spanId" | "span.id" => take_id(&mut self.span_id, value),
            "parent_span_id" | "parentSpanId" => take_id(&mut self.parent_span_id, value),
            "event_name" | "event.name" if self.event_name.is_none() => {
                if let Value::Str(name) = value {
                    self.event_name = Some(name);
                    return None;
                }
                Some(value)
            }
            _ => Some(value),
        }
    }

    fn take_severity(&mut self, value: Value<'a>) -> Option<Value<'a>> {
        if let Value::Int(number) = value {
            let Some(level) = Level::from_json_number(number) else { return Some(value) };
            self.severity = Some(Cow::Borrowed(level.name()));
            return None;
        }
        if let Value::Str(text) = value {
            self.severity = Some(text);
            return None;
        }
        Some(value)
    }

    fn finish(self, sink: &mut Sink<'a, '_>) -> Option<i64> {
        if let Some(body) = self.body {
            sink.intrinsic(intrinsic::BODY, body);
        }
        severity::push(sink, self.severity, self.severity_number);
        push_id(sink, intrinsic::TRACE_ID, self.trace_id);
        push_id(sink, intrinsic::SPAN_ID, self.span_id);
        push_id(sink, intrinsic::PARENT_SPAN_ID, self.parent_span_id);
        if let Some(event_name) = self.event_name {
            sink.intrinsic(intrinsic::EVENT_NAME, Value::Str(event_name));
        }
        self.time_ns
    }
}

fn take_id<'a, const N: usize>(slot: &mut Option<[u8; N]>, value: Value<'a>) -> Option<Value<'a>> {
    let id = if let Value::Str(text) = &value
        && slot.is_none()
    {
        Id::<N>::from_hex(text).valid()
    } else {
        None
    };
    if id.is_none() {
        return Some(value);
    }
    *slot = id;
    None
}

/// One line while it is read.
struct Row<'s, 'a, 'b, 'c> {
    head: Head<'a>,
    sink: &'s mut Sink<'a, 'b>,
    ctx: Ctx<'c>,
}

impl<'a> Row<'_, 'a, '_, '_> {
    fn put<E: de::Error>(&mut self, key: Cow<'a, str>, value: Value<'a>) -> Result<(), E> {
        match self.head.take(&key, value) {
            Some(value) => self.ctx.check(self.sink.push(key, value)),
            None => Ok(()),
        }
    }
}

impl<'a> Members<'a> for Row<'_, 'a, '_, '_> {
    fn member<A: MapAccess<'a>>(&mut self, key: Cow<'a, str>, map: &mut A) -> Result<(), A::Error> {
        let ctx = self.ctx;
        map.next_value_seed(Flat { row: self, key, ctx })
    }
}

/// One value of a line, under its dotted key.
struct Flat<'r, 's, 'a, 'b, 'c> {
    row: &'r mut Row<'s, 'a, 'b, 'c>,
    key: Cow<'a, str>,
    ctx: Ctx<'c>,
}

impl<'a> DeserializeSeed<'a> for Flat<'_, '_, 'a, '_, '_> {
    type Value = ();
    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'a> Visitor<'a> for Flat<'_, '_, 'a, '_, '_> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }
    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        self.row.put(self.key, Value::Null)
    }
    fn visit_bool<E: de::Error>(self, value: bool) -> Result<(), E> {
        self.row.put(self.key, Value::Bool(value))
    }
    fn visit_i64<E: de::Error>(self, number: i64) -> Result<(), E> {
        self.row.put(self.key, Value::Int(number))
    }
    fn visit_u64<E: de::Error>(self, number: u64) -> Result<(), E> {
        // Beyond i64 only text keeps every digit, and an id may be such a number.
        let value = match i64::try_from(number) {
            Ok(number) => Value::Int(number),
            Err(_too_large) => Value::str(number.to_string()),
        };
        self.row.put(self.key, value)
    }
    fn visit_f64<E: de::Error>(self, number: f64) -> Result<(), E> {
        self.row.put(self.key, Value::Float(number))
    }
    fn visit_borrowed_str<E: de::Error>(self, text: &'a str) -> Result<(), E> {
        self.row.put(self.key, Value::str(text))
    }
    fn visit_str<E: de::Error>(self, text: &str) -> Result<(), E> {
        self.row.put(self.key, Value::str(text.to_owned()))
    }
    fn visit_seq<A: SeqAccess<'a>>(self, seq: A) -> Result<(), A::Error> {
        let mut text = String::new();
        Plain { out: &mut text, ctx: self.ctx }.visit_seq(seq)?;
        self.row.put(self.key, Value::Json(Cow::Owned(text)))
    }
    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<(), A::Error> {
        let ctx = self.ctx.deeper()?;
        let mut empty = true;
        while let Some(Text(inner)) = map.next_key()? {
            empty = false;
            let key = ctx.check(self.row.sink.dotted(&self.key, &inner))?;
            map.next_value_seed(Flat { row: self.row, key: Cow::Owned(key), ctx })?;
        }
        if empty {
            return self.row.put(self.key, Value::Json(Cow::Borrowed("{}")));
        }
        Ok(())
    }
}

/// Writes any JSON value as compact text.
struct Plain<'o, 'c> {
    out: &'o mut String,
    ctx: Ctx<'c>,
}

impl<'a> DeserializeSeed<'a> for Plain<'_, '_> {
    type Value = ();
    fn deserialize<D: Deserializer<'a>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'a> Visitor<'a> for Plain<'_, '_> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }
    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        json::write_value(self.out, &Value::Null);
        Ok(())
    }
    fn visit_bool<E: de::Error>(self, value: bool) -> Result<(), E> {
        json::write_value(self.out, &Value::Bool(value));
        Ok(())
    }
    fn visit_i64<E: de::Error>(self, number: i64) -> Result<(), E> {
        json::write_int(self.out, number);
        Ok(())
    }
    fn visit_u64<E: de::Error>(self, number: u64) -> Result<(), E> {
        self.out.push_str(&number.to_string());
        Ok(())
    }
    fn visit_f64<E: de::Error>(self, number: f64) -> Result<(), E> {
        json::write_float(self.out, number);
        Ok(())
    }
    fn visit_str<E: de::Error>(self, text: &str) -> Result<(), E> {
        json::write_text(self.out, text);
        Ok(())
    }
    fn visit_seq<A: SeqAccess<'a>>(self, mut seq: A) -> Result<(), A::Error> {
        let ctx = self.ctx.deeper()?;
        self.out.push('[');
        let start = self.out.len();
        loop {
            let mark = self.out.len();
            if mark > start {
                self.out.push(',');
            }
            if seq.next_element_seed(Plain { out: self.out, ctx })?.is_none() {
                self.out.truncate(mark);
                break;
            }
        }
        self.out.push(']');
        Ok(())
    }
    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<(), A::Error> {
        let ctx = self.ctx.deeper()?;
        self.out.push('{');
        let start = self.out.len();
        while let Some(Text(key)) = map.next_key()? {
            if self.out.len() > start {
                self.out.push(',');
            }
            json::write_text(self.out, &key);
            self.out.push(':');
            map.next_value_seed(Plain { out: self.out, ctx })?;
        }
        self.out.push('}');
        Ok(())
    }
}
