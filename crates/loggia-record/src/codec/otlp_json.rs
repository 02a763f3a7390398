//! OTLP logs and traces in JSON: protobuf's JSON mapping with ids in hex.
//!
//! More forgiving than the specification: field names are taken in lowerCamelCase and in
//! snake_case, 64-bit integers as text or number, enumerations as number or name. The records are
//! cut out of the request first and read one by one, so that a bad one is rejected alone.

use std::borrow::Cow;
use std::cell::Cell;

use serde::Deserialize;
use serde::de::{MapAccess, SeqAccess};
use serde_json::value::RawValue;

use self::any_value::{Any, KeyValues};
use self::few::Few;
use super::json::{self, Array, Ctx, Items, Members, Object, Scalar, Text};
use super::span::{Id, LogHead, SpanHead, Status};
use crate::batch::{Batch, Builder, Kind, Sink, Value};
use crate::error::{DecodeError, Fault};
use crate::intrinsic;
use crate::limits::Limits;

mod any_value;
mod few;

/// Resources of a request, or scopes of a resource.
const GROUPS_MAX: usize = 1 << 16;
/// Records of a scope, before [`Limits::records_max`] counts them.
const RECORDS_MAX: usize = 1 << 20;

/// Decodes an `ExportLogsServiceRequest` (or `LogsData`) in JSON.
pub fn decode_otlp_logs_json<'a>(
    bytes: &'a [u8],
    limits: &Limits,
) -> Result<Batch<'a>, DecodeError> {
    let mut builder = Builder::new(bytes.len(), limits)?;
    let request: LogsRequest<'a> = envelope(bytes)?;
    for group in groups(request.resource_logs)? {
        resource_group(group, &mut builder, Kind::Log, log_record)?;
    }
    Ok(builder.finish())
}

/// Decodes an `ExportTraceServiceRequest` (or `TracesData`) in JSON.
pub fn decode_otlp_traces_json<'a>(
    bytes: &'a [u8],
    limits: &Limits,
) -> Result<Batch<'a>, DecodeError> {
    let mut builder = Builder::new(bytes.len(), limits)?;
    let request: TracesRequest<'a> = envelope(bytes)?;
    for group in groups(request.resource_spans)? {
        resource_group(group, &mut builder, Kind::Span, span)?;
    }
    Ok(builder.finish())
}

#[derive(Deserialize)]
struct LogsRequest<'a> {
    #[serde(borrow, rename = "resourceLogs", alias = "resource_logs")]
    resource_logs: Option<Few<ResourceGroup<'a>, GROUPS_MAX>>,
}

#[derive(Deserialize)]
struct TracesRequest<'a> {
    #[serde(borrow, rename = "resourceSpans", alias = "resource_spans")]
    resource_spans: Option<Few<ResourceGroup<'a>, GROUPS_MAX>>,
}

#[derive(Deserialize)]
struct ResourceGroup<'a> {
    #[serde(borrow)]
    resource: Option<&'a RawValue>,
    #[serde(
        borrow,
        rename = "scopeLogs",
        alias = "scope_logs",
        alias = "scopeSpans",
        alias = "scope_spans"
    )]
    scopes: Option<Few<ScopeGroup<'a>, GROUPS_MAX>>,
}

#[derive(Deserialize)]
struct ScopeGroup<'a> {
    #[serde(borrow)]
    scope: Option<&'a RawValue>,
    #[serde(borrow, rename = "logRecords", alias = "log_records", alias = "spans")]
    records: Option<Few<&'a RawValue, RECORDS_MAX>>,
}

fn envelope<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, DecodeError> {
    // Checked once for the whole text, so that no string in it needs another look.
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            return Err(DecodeError::Invalid { what: Fault::Utf8, at: error.valid_up_to() });
        }
    };
    serde_json::from_str(text).map_err(|error| DecodeError::Invalid {
        what: json::fault_of(&error),
        at: json::offset_of(&error, bytes),
    })
}

type ReadRecord<'a> = fn(&'a str, &mut Sink<'a, '_>) -> Result<Option<i64>, Fault>;

fn groups<T>(groups: Option<Few<T, GROUPS_MAX>>) -> Result<Vec<T>, DecodeError> {
    groups.map_or(Ok(Vec::new()), |groups| groups.all("resources or scopes"))
}

fn resource_group<'a>(
    group: ResourceGroup<'a>,
    builder: &mut Builder<'a, '_>,
    kind: Kind,
    read: ReadRecord<'a>,
) -> Result<(), DecodeError> {
    let resource = builder.resource(|sink| {
        group.resource.map_or(Ok(()), |text| resource_attributes(text.get(), sink))
    })?;
    for scope_group in groups(group.scopes)? {
        let records = match scope_group.records {
            Some(records) => records.all("records")?,
            None => continue,
        };
        if records.is_empty() {
            continue;
        }
        let shared = builder.scope(resource, |sink| {
            scope_group.scope.map_or(Ok(()), |text| scope(text.get(), sink))
        })?;
        for record in records {
            let text = record.get();
            builder.record(kind, text.len(), shared, |sink| {
                if text.starts_with('{') { read(text, sink) } else { Err(Fault::NotAnObject) }
            })?;
        }
    }
    Ok(())
}

fn resource_attributes<'a>(text: &'a str, sink: &mut Sink<'a, '_>) -> Result<(), Fault> {
    let fault = Cell::new(None);
    let ctx = Ctx::new(&fault, sink.depth_max());
    json::read(text, ctx, Object(&mut Scope { name: Cow::Borrowed(""), sink, ctx }))
}

fn scope<'a>(text: &'a str, sink: &mut Sink<'a, '_>) -> Result<(), Fault> {
    let fault = Cell::new(None);
    let ctx = Ctx::new(&fault, sink.depth_max());
    let mut scope = Scope { name: Cow::Borrowed(""), sink, ctx };
    json::read(text, ctx, Object(&mut scope))?;
    let Scope { name, sink, .. } = scope;
    if !name.is_empty() {
        sink.intrinsic(intrinsic::SCOPE, Value::Str(name));
    }
    Ok(())
}

/// `InstrumentationScope`, or `Resource`, which is one without a name.
struct Scope<'s, 'a, 'b, 'c> {
    name: Cow<'a, str>,
    sink: &'s mut Sink<'a, 'b>,
    ctx: Ctx<'c>,
}

impl<'a> Members<'a> for Scope<'_, 'a, '_, '_> {
    fn member<A: MapAccess<'a>>(&mut self, key: Cow<'a, str>, map: &mut A) -> Result<(), A::Error> {
        match &*key {
            "name" => self.name = map.next_value::<Text<'a>>()?.0,
            "attributes" => attributes(map, self.sink, self.ctx)?,
            _ => json::skip(map)?,
        }
        Ok(())
    }
}

fn attributes<'a, A: MapAccess<'a>>(
    map: &mut A,
    sink: &mut Sink<'a, '_>,
    ctx: Ctx<'_>,
) -> Result<(), A::Error> {
    map.next_value_seed(Array(&mut KeyValues { sink, ctx }))
}

fn log_record<'a>(text: &'a str, sink: &mut Sink<'a, '_>) -> Result<Option<i64>, Fault> {
    let fault = Cell::new(None);
    let ctx = Ctx::new(&fault, sink.depth_max());
    let mut record = LogRecord { head: LogHead::default(), sink, ctx };
    json::read(text, ctx, Object(&mut record))?;
    let LogRecord { head, sink, .. } = record;
    Ok(head.finish(sink))
}

struct LogRecord<'s, 'a, 'b, 'c> {
    head: LogHead<'a>,
    sink: &'s mut Sink<'a, 'b>,
    ctx: Ctx<'c>,
}

impl<'a> Members<'a> for LogRecord<'_, 'a, '_, '_> {
    fn member<A: MapAccess<'a>>(&mut self, key: Cow<'a, str>, map: &mut A) -> Result<(), A::Error> {
        let (ctx, head) = (self.ctx, &mut self.head);
        match &*key {
            "timeUnixNano" | "time_unix_nano" => {
                head.time_ns = ctx.check(map.next_value::<Scalar<'a>>()?.to_u64())?;
            }
            "observedTimeUnixNano" | "observed_time_unix_nano" => {
                head.observed_ns = ctx.check(map.next_value::<Scalar<'a>>()?.to_u64())?;
            }
            "severityNumber" | "severity_number" => {
                let number = map.next_value::<Scalar<'a>>()?;
                head.severity_number = ctx.check(number.to_enum(severity_number))?;
            }
            "severityText" | "severity_text" => head.severity_text = text(map)?,
            "body" => {
                let mut body = Any::new(ctx);
                map.next_value_seed(Object(&mut body))?;
                head.body = Some(body.value);
            }
            "attributes" => attributes(map, self.sink, ctx)?,
            "traceId" | "trace_id" => head.trace_id = Id::from_hex(&text(map)?),
            "spanId" | "span_id" => head.span_id = Id::from_hex(&text(map)?),
            "eventName" | "event_name" => head.event_name = text(map)?,
            _ => json::skip(map)?,
        }
        Ok(())
    }
}

fn span<'a>(text: &'a str, sink: &mut Sink<'a, '_>) -> Result<Option<i64>, Fault> {
    let fault = Cell::new(None);
    let ctx = Ctx::new(&fault, sink.depth_max());
    let mut span = Span { head: SpanHead::default(), sink, ctx };
    json::read(text, ctx, Object(&mut span))?;
    let Span { head, sink, .. } = span;
    head.finish(sink)
}

struct Span<'s, 'a, 'b, 'c> {
    head: SpanHead<'a>,
    sink: &'s mut Sink<'a, 'b>,
    ctx: Ctx<'c>,
}

impl<'a> Members<'a> for Span<'_, 'a, '_, '_> {
    fn member<A: MapAccess<'a>>(&mut self, key: Cow<'a, str>, map: &mut A) -> Result<(), A::Error> {
        let (ctx, head) = (self.ctx, &mut self.head);
        match &*key {
            "traceId" | "trace_id" => head.trace_id = Id::from_hex(&text(map)?),
            "spanId" | "span_id" => head.span_id = Id::from_hex(&text(map)?),
            "parentSpanId" | "parent_span_id" => head.parent_span_id = Id::from_hex(&text(map)?),
            "name" => head.name = text(map)?,
            "kind" => {
                head.kind = ctx.check(map.next_value::<Scalar<'a>>()?.to_enum(span_kind))?;
            }
            "startTimeUnixNano" | "start_time_unix_nano" => {
                head.start_ns = ctx.check(map.next_value::<Scalar<'a>>()?.to_u64())?;
            }
            "endTimeUnixNano" | "end_time_unix_nano" => {
                head.end_ns = ctx.check(map.next_value::<Scalar<'a>>()?.to_u64())?;
            }
            "attributes" => attributes(map, self.sink, ctx)?,
            "events" => map.next_value_seed(Array(&mut Events { sink: self.sink, ctx }))?,
            "status" => {
                let mut status = StatusMembers { status: &mut head.status, ctx };
                map.next_value_seed(Object(&mut status))?;
            }
            _ => json::skip(map)?,
        }
        Ok(())
    }
}

/// A span's events, each folded into the span.
struct Events<'s, 'a, 'b, 'c> {
    sink: &'s mut Sink<'a, 'b>,
    ctx: Ctx<'c>,
}

impl<'a> Items<'a> for Events<'_, 'a, '_, '_> {
    fn item<A: SeqAccess<'a>>(&mut self, seq: &mut A) -> Result<bool, A::Error> {
        let mark = self.sink.mark();
        // An event has a name and attributes, as a scope does.
        let mut event = Scope { name: Cow::Borrowed(""), sink: self.sink, ctx: self.ctx };
        let found = seq.next_element_seed(Object(&mut event))?.is_some();
        let Scope { name, sink, .. } = event;
        self.ctx.check(sink.fold_event(mark, &name))?;
        Ok(found)
    }
}

struct StatusMembers<'s, 'a, 'c> {
    status: &'s mut Status<'a>,
    ctx: Ctx<'c>,
}

impl<'a> Members<'a> for StatusMembers<'_, 'a, '_> {
    fn member<A: MapAccess<'a>>(&mut self, key: Cow<'a, str>, map: &mut A) -> Result<(), A::Error> {
        match &*key {
            "code" => {
                let code = map.next_value::<Scalar<'a>>()?;
                self.status.code = self.ctx.check(code.to_enum(status_code))?;
            }
            "message" => self.status.message = text(map)?,
            _ => json::skip(map)?,
        }
        Ok(())
    }
}

fn text<'a, A: MapAccess<'a>>(map: &mut A) -> Result<Cow<'a, str>, A::Error> {
    Ok(map.next_value::<Text<'a>>()?.0)
}

fn severity_number(name: &str) -> Option<i32> {
    let name = name.strip_prefix("SEVERITY_NUMBER_")?;
    if name == "UNSPECIFIED" {
        return Some(0);
    }
    let level = name.trim_end_matches(['2', '3', '4']);
    let step = match name.strip_prefix(level)? {
        "" => 0,
        digit => digit.parse::<i32>().ok().filter(|step| (2..=4).contains(step))? - 1,
    };
    let first = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"];
    let at = first.iter().position(|known| *known == level)?;
    Some(i32::try_from(at).ok()? * 4 + 1 + step)
}

fn span_kind(name: &str) -> Option<i32> {
    let kinds = ["UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"];
    number_of(name.strip_prefix("SPAN_KIND_")?, &kinds)
}

fn status_code(name: &str) -> Option<i32> {
    number_of(name.strip_prefix("STATUS_CODE_")?, &["UNSET", "OK", "ERROR"])
}

fn number_of(name: &str, names: &[&str]) -> Option<i32> {
    names.iter().position(|known| *known == name).and_then(|at| i32::try_from(at).ok())
}
