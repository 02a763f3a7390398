//! OTLP logs and traces in protobuf: <https://opentelemetry.io/docs/specs/otlp/>.
//!
//! A request, its resources and its scopes are framing: a fault there refuses the request. A fault
//! in a record rejects the record; one in the attributes of a resource or scope rejects the records
//! below it. Unknown fields are skipped, links, flags and dropped-counts are not kept.

use std::borrow::Cow;

use super::any_value;
use super::span::{Id, LogHead, SpanHead, Status};
use super::wire::{Fields, Wire, offset};
use crate::batch::{Batch, Builder, Kind, Resource, Sink, Value};
use crate::error::{DecodeError, Fault};
use crate::intrinsic;
use crate::limits::Limits;

/// Decodes an `ExportLogsServiceRequest` (or `LogsData`) in protobuf.
pub fn decode_otlp_logs<'a>(bytes: &'a [u8], limits: &Limits) -> Result<Batch<'a>, DecodeError> {
    request(bytes, limits, Kind::Log, log_record)
}

/// Decodes an `ExportTraceServiceRequest` (or `TracesData`) in protobuf.
pub fn decode_otlp_traces<'a>(bytes: &'a [u8], limits: &Limits) -> Result<Batch<'a>, DecodeError> {
    request(bytes, limits, Kind::Span, span)
}

type ReadRecord<'a> = fn(&'a [u8], &mut Sink<'a, '_>) -> Result<Option<i64>, Fault>;

/// The envelope: a request holds resources, these hold scopes, and these hold records. Logs and
/// traces number those fields alike.
fn request<'a>(
    bytes: &'a [u8],
    limits: &Limits,
    kind: Kind,
    read: ReadRecord<'a>,
) -> Result<Batch<'a>, DecodeError> {
    let mut envelope =
        Envelope { builder: Builder::new(bytes.len(), limits)?, request: bytes, kind, read };
    let mut fields = Fields::new(bytes);
    while let Some((number, wire)) = envelope.framing(&mut fields, bytes)? {
        if number == 1 {
            let group = envelope.sub_message(wire, bytes)?;
            envelope.resource_group(group)?;
        }
    }
    Ok(envelope.builder.finish())
}

struct Envelope<'a, 'l> {
    builder: Builder<'a, 'l>,
    request: &'a [u8],
    kind: Kind,
    read: ReadRecord<'a>,
}

impl<'a> Envelope<'a, '_> {
    /// `ResourceLogs` or `ResourceSpans`.
    fn resource_group(&mut self, group: &'a [u8]) -> Result<(), DecodeError> {
        // The resource may be written after its scopes, and in several parts: look for it first.
        let mut fields = Fields::new(group);
        let resource = self.builder.resource(|sink| {
            while let Some((number, wire)) = fields.field()? {
                if number == 1 {
                    resource_attributes(wire.bytes()?, sink)?;
                }
            }
            Ok(())
        })?;
        let mut fields = Fields::new(group);
        while let Some((number, wire)) = self.framing(&mut fields, group)? {
            if number == 2 {
                let scope_group = self.sub_message(wire, group)?;
                self.scope_group(resource, scope_group)?;
            }
        }
        Ok(())
    }

    /// `ScopeLogs` or `ScopeSpans`.
    fn scope_group(&mut self, resource: Resource, group: &'a [u8]) -> Result<(), DecodeError> {
        let mut fields = Fields::new(group);
        let mut has_records = false;
        while let Some((number, _)) = self.framing(&mut fields, group)? {
            has_records |= number == 2;
        }
        if !has_records {
            return Ok(());
        }
        let shared = self.builder.scope(resource, |sink| scope(group, sink))?;
        let mut fields = Fields::new(group);
        while let Some((number, wire)) = self.framing(&mut fields, group)? {
            if number == 2 {
                let record = self.sub_message(wire, group)?;
                let read = self.read;
                self.builder.record(self.kind, record.len(), shared, |sink| read(record, sink))?;
            }
        }
        Ok(())
    }

    fn framing(
        &self,
        fields: &mut Fields<'a>,
        message: &'a [u8],
    ) -> Result<Option<(u32, Wire<'a>)>, DecodeError> {
        fields.field().map_err(|what| self.invalid(what, message))
    }

    fn sub_message(&self, wire: Wire<'a>, message: &'a [u8]) -> Result<&'a [u8], DecodeError> {
        wire.bytes().map_err(|what| self.invalid(what, message))
    }

    fn invalid(&self, what: Fault, message: &'a [u8]) -> DecodeError {
        DecodeError::Invalid { what, at: offset(self.request, message) }
    }
}

fn resource_attributes<'a>(bytes: &'a [u8], sink: &mut Sink<'a, '_>) -> Result<(), Fault> {
    let mut fields = Fields::new(bytes);
    while let Some((number, wire)) = fields.field()? {
        if number == 1 {
            any_value::key_value(wire.bytes()?, sink)?;
        }
    }
    Ok(())
}

/// Reads the scope out of its group.
fn scope<'a>(group: &'a [u8], sink: &mut Sink<'a, '_>) -> Result<(), Fault> {
    let mut name = "";
    let mut groups = Fields::new(group);
    while let Some((number, wire)) = groups.field()? {
        if number != 1 {
            continue;
        }
        let mut fields = Fields::new(wire.bytes()?);
        while let Some((number, wire)) = fields.field()? {
            match number {
                1 => name = wire.text()?,
                3 => any_value::key_value(wire.bytes()?, sink)?,
                _ => {}
            }
        }
    }
    if !name.is_empty() {
        sink.intrinsic(intrinsic::SCOPE, Value::str(name));
    }
    Ok(())
}

fn log_record<'a>(bytes: &'a [u8], sink: &mut Sink<'a, '_>) -> Result<Option<i64>, Fault> {
    let mut head = LogHead::default();
    let mut fields = Fields::new(bytes);
    while let Some((number, wire)) = fields.field()? {
        match number {
            1 => head.time_ns = wire.fixed64()?,
            2 => head.severity_number = wire.int32()?,
            3 => head.severity_text = Cow::Borrowed(wire.text()?),
            5 => {
                let body = head.body.get_or_insert(Value::Null);
                any_value::merge(body, wire.bytes()?, sink.depth_max())?;
            }
            6 => any_value::key_value(wire.bytes()?, sink)?,
            9 => head.trace_id = Id::from_bytes(wire.bytes()?),
            10 => head.span_id = Id::from_bytes(wire.bytes()?),
            11 => head.observed_ns = wire.fixed64()?,
            12 => head.event_name = Cow::Borrowed(wire.text()?),
            _ => {}
        }
    }
    Ok(head.finish(sink))
}

fn span<'a>(bytes: &'a [u8], sink: &mut Sink<'a, '_>) -> Result<Option<i64>, Fault> {
    let mut head = SpanHead::default();
    let mut fields = Fields::new(bytes);
    while let Some((number, wire)) = fields.field()? {
        match number {
            1 => head.trace_id = Id::from_bytes(wire.bytes()?),
            2 => head.span_id = Id::from_bytes(wire.bytes()?),
            4 => head.parent_span_id = Id::from_bytes(wire.bytes()?),
            5 => head.name = Cow::Borrowed(wire.text()?),
            6 => head.kind = wire.int32()?,
            7 => head.start_ns = wire.fixed64()?,
            8 => head.end_ns = wire.fixed64()?,
            9 => any_value::key_value(wire.bytes()?, sink)?,
            11 => event(wire.bytes()?, sink)?,
            15 => status(&mut head.status, wire.bytes()?)?,
            _ => {}
        }
    }
    head.finish(sink)
}

/// Folds a span's event into the span.
fn event<'a>(bytes: &'a [u8], sink: &mut Sink<'a, '_>) -> Result<(), Fault> {
    let mark = sink.mark();
    let mut name = "";
    let mut fields = Fields::new(bytes);
    while let Some((number, wire)) = fields.field()? {
        match number {
            2 => name = wire.text()?,
            3 => any_value::key_value(wire.bytes()?, sink)?,
            _ => {}
        }
    }
    sink.fold_event(mark, name)
}

fn status<'a>(status: &mut Status<'a>, bytes: &'a [u8]) -> Result<(), Fault> {
    let mut fields = Fields::new(bytes);
    while let Some((number, wire)) = fields.field()? {
        match number {
            2 => status.message = Cow::Borrowed(wire.text()?),
            3 => status.code = wire.int32()?,
            _ => {}
        }
    }
    Ok(())
}
