//! The same records as newline-delimited JSON: for the NDJSON endpoint, and as the yardstick for "raw bytes".

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;

use super::Request;
use super::attrs::{json_string, put};

/// Appends one JSON object a line for each record of the request.
pub(super) fn write(request: &Request, out: &mut String) {
    match request {
        Request::Traces(request) => {
            for group in &request.resource_spans {
                for span in group.scope_spans.iter().flat_map(|scope| &scope.spans) {
                    begin(span.start_time_unix_nano, &span.trace_id, &span.span_id, out);
                    member("name", |out| json_string(&span.name, out), out);
                    let ns = span.end_time_unix_nano.saturating_sub(span.start_time_unix_nano);
                    let micros = ns / 1000;
                    member(
                        "duration_ms",
                        |out| put(out, format_args!("{}.{:03}", micros / 1000, micros % 1000)),
                        out,
                    );
                    attributes(&span.attributes, out);
                    for event in &span.events {
                        for attribute in &event.attributes {
                            let key = format!("{}.{}", event.name, attribute.key);
                            member(&key, |out| value(attribute.value.as_ref(), out), out);
                        }
                    }
                    end(group.resource.as_ref(), out);
                }
            }
        }
        Request::Logs(request) => {
            for group in &request.resource_logs {
                for log in group.scope_logs.iter().flat_map(|scope| &scope.log_records) {
                    begin(log.time_unix_nano, &log.trace_id, &log.span_id, out);
                    member("level", |out| json_string(&log.severity_text, out), out);
                    member("message", |out| value(log.body.as_ref(), out), out);
                    attributes(&log.attributes, out);
                    end(group.resource.as_ref(), out);
                }
            }
        }
    }
}

fn begin(time_ns: u64, trace: &[u8], span: &[u8], out: &mut String) {
    put(out, format_args!("{{\"time\":{time_ns}"));
    member("trace_id", |out| hex(trace, out), out);
    member("span_id", |out| hex(span, out), out);
}

fn end(resource: Option<&Resource>, out: &mut String) {
    if let Some(resource) = resource {
        attributes(&resource.attributes, out);
    }
    out.push_str("}\n");
}

fn attributes(list: &[KeyValue], out: &mut String) {
    for attribute in list {
        member(&attribute.key, |out| value(attribute.value.as_ref(), out), out);
    }
}

fn member(key: &str, write_value: impl FnOnce(&mut String), out: &mut String) {
    out.push(',');
    json_string(key, out);
    out.push(':');
    write_value(out);
}

fn hex(bytes: &[u8], out: &mut String) {
    out.push('"');
    for byte in bytes {
        put(out, format_args!("{byte:02x}"));
    }
    out.push('"');
}

/// The workload makes texts, numbers and lists of texts only.
fn value(any: Option<&AnyValue>, out: &mut String) {
    match any.and_then(|any| any.value.as_ref()) {
        Some(Value::StringValue(text)) => json_string(text, out),
        Some(Value::IntValue(number)) => put(out, format_args!("{number}")),
        Some(Value::DoubleValue(number)) => put(out, format_args!("{number}")),
        Some(Value::BoolValue(flag)) => put(out, format_args!("{flag}")),
        Some(Value::ArrayValue(list)) => {
            out.push('[');
            for (number, item) in list.values.iter().enumerate() {
                if number > 0 {
                    out.push(',');
                }
                value(Some(item), out);
            }
            out.push(']');
        }
        Some(Value::KvlistValue(_) | Value::BytesValue(_) | Value::StringValueStrindex(_))
        | None => out.push_str("null"),
    }
}
