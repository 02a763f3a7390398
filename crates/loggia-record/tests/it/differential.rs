//! Against OpenTelemetry's own types: what prost and serde encode, we decode to the same records,
//! computed here in the plainest way.

use loggia_record::{
    Limits, decode_otlp_logs, decode_otlp_logs_json, decode_otlp_traces, decode_otlp_traces_json,
};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{
    AnyValue, ArrayValue, InstrumentationScope, KeyValue, KeyValueList, any_value,
};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status, span};
use proptest::collection::vec;
use proptest::prelude::*;
use prost::Message as _;
use serde_json::json;

use crate::show;

type Records = Vec<Vec<String>>;

proptest! {
    #[test]
    fn logs_in_protobuf_and_json(request in logs_request()) {
        let expected = expected_logs(&request);
        let bytes = request.encode_to_vec();
        let batch = decode_otlp_logs(&bytes, &Limits::default()).unwrap();
        prop_assert_eq!(&show::batch(&batch), &expected);
        prop_assert!(batch.rejected().is_empty());

        let text = serde_json::to_string(&request).unwrap();
        let batch = decode_otlp_logs_json(text.as_bytes(), &Limits::default()).unwrap();
        prop_assert_eq!(&show::batch(&batch), &expected);

        // The field names as the .proto files have them, and blanks between tokens.
        let snake = serde_json::to_string_pretty(&snake_case(serde_json::from_str(&text).unwrap()));
        let snake = snake.unwrap();
        let batch = decode_otlp_logs_json(snake.as_bytes(), &Limits::default()).unwrap();
        prop_assert_eq!(&show::batch(&batch), &expected);
    }

    #[test]
    fn traces_in_protobuf_and_json(request in trace_request()) {
        let expected = expected_spans(&request);
        let bytes = request.encode_to_vec();
        let batch = decode_otlp_traces(&bytes, &Limits::default()).unwrap();
        prop_assert_eq!(&show::batch(&batch), &expected);
        prop_assert!(batch.rejected().is_empty());

        let text = serde_json::to_string(&request).unwrap();
        let batch = decode_otlp_traces_json(text.as_bytes(), &Limits::default()).unwrap();
        prop_assert_eq!(&show::batch(&batch), &expected);
    }

    /// What prost accepts after a change of some bytes, we accept with the same number of records;
    /// what it refuses, we refuse in whole or in part.
    #[test]
    fn damaged_protobuf(request in logs_request(), edits in vec((any::<prop::sample::Index>(), any::<u8>()), 1..4)) {
        let mut bytes = request.encode_to_vec();
        bytes.push(0x0a);
        bytes.push(0x00);
        for (at, byte) in edits {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let theirs = ExportLogsServiceRequest::decode(bytes.as_slice());
        let ours = decode_otlp_logs(&bytes, &Limits::default());
        if let (Ok(theirs), Ok(ours)) = (&theirs, &ours) {
            // Groups are where we are stricter; each costs the record it is in.
            if ours.rejected().is_empty() {
                prop_assert_eq!(&show::batch(ours), &expected_logs(theirs));
            }
        }
        if let (Err(theirs), Ok(ours)) = (&theirs, &ours) {
            let message = theirs.to_string();
            prop_assert!(!ours.rejected().is_empty() || is_not_looked_into(&message), "{message}");
        }
    }
}

/// Whether prost complains of a field that we skip, or of a resource or scope that may have no
/// records (these have a test of their own).
fn is_not_looked_into(message: &str) -> bool {
    let fields = [
        "LogRecord.flags:",
        "dropped_attributes_count:",
        "schema_url:",
        "ResourceLogs.resource:",
        "ScopeLogs.scope:",
        "strindex:",
    ];
    fields.iter().any(|field| message.contains(field))
}

// --- what is expected ---

fn expected_logs(request: &ExportLogsServiceRequest) -> Records {
    let mut records = Vec::new();
    for group in &request.resource_logs {
        for scope_logs in &group.scope_logs {
            for log in &scope_logs.log_records {
                let time = [log.time_unix_nano, log.observed_time_unix_nano]
                    .into_iter()
                    .find_map(|ns| i64::try_from(ns).ok().filter(|ns| *ns > 0));
                let mut lines = vec![format!("log at {time:?}")];
                attributes(&log.attributes, &mut lines);
                if let Some(body) = log.body.as_ref().filter(|body| body.value.is_some()) {
                    lines.push(format!("@body = {}", value(Some(body))));
                }
                let names = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"];
                let known = names.iter().position(|name| *name == log.severity_text);
                let number = log.severity_number;
                if !log.severity_text.is_empty() {
                    lines.push(format!("@severity = str {}", log.severity_text.to_uppercase()));
                } else if (1..=24).contains(&number) {
                    let name = names[usize::try_from((number - 1) / 4).unwrap()];
                    lines.push(format!("@severity = str {name}"));
                }
                let from_name = known.map_or(0, |at| i32::try_from(at).unwrap() * 4 + 1);
                let number = if number == 0 { from_name } else { number };
                if number != 0 {
                    lines.push(format!("@severity_number = int {number}"));
                }
                id("@trace_id", &log.trace_id, 16, &mut lines);
                id("@span_id", &log.span_id, 8, &mut lines);
                text("@event_name", &log.event_name, &mut lines);
                lines.push("-".to_owned());
                shared(group.resource.as_ref(), scope_logs.scope.as_ref(), &mut lines);
                records.push(lines);
            }
        }
    }
    records
}

fn expected_spans(request: &ExportTraceServiceRequest) -> Records {
    let mut records = Vec::new();
    for group in &request.resource_spans {
        for scope_spans in &group.scope_spans {
            for span in &scope_spans.spans {
                records.push(expected_span(span, group, scope_spans));
            }
        }
    }
    records
}

fn expected_span(span: &Span, group: &ResourceSpans, scope_spans: &ScopeSpans) -> Vec<String> {
    let times = [span.start_time_unix_nano, span.end_time_unix_nano]
        .map(|ns| i64::try_from(ns).ok().filter(|ns| *ns > 0));
    let mut lines = vec![format!("span at {:?}", times[0].or(times[1]))];
    attributes(&span.attributes, &mut lines);
    for event in &span.events {
        for pair in &event.attributes {
            let as_is = pair.key.contains('.')
                || pair.key.starts_with("gen_ai")
                || pair.key.starts_with("exception")
                || event.name.is_empty();
            let key = match (pair.key.starts_with('@'), as_is) {
                (true, _) => format!("attr.{}", pair.key),
                (false, true) => pair.key.clone(),
                (false, false) => format!("{}.{}", event.name, pair.key),
            };
            lines.push(format!("{key} = {}", value(pair.value.as_ref())));
        }
    }
    text("@name", &span.name, &mut lines);
    id("@trace_id", &span.trace_id, 16, &mut lines);
    id("@span_id", &span.span_id, 8, &mut lines);
    id("@parent_span_id", &span.parent_span_id, 8, &mut lines);
    let kinds = ["internal", "server", "client", "producer", "consumer"];
    if let Some(kind) = usize::try_from(span.kind - 1).ok().and_then(|at| kinds.get(at)) {
        lines.push(format!("@span_kind = str {kind}"));
    }
    let status = span.status.clone().unwrap_or_default();
    let name = match status.code {
        1 => "ok",
        2 => "error",
        _ => "unset",
    };
    lines.push(format!("@status = str {name}"));
    text("@status_message", &status.message, &mut lines);
    if let [Some(start), Some(end)] = times
        && end >= start
    {
        lines.push(format!("@duration_ms = float {:?}", (end - start) as f64 / 1e6));
    }
    lines.push("-".to_owned());
    shared(group.resource.as_ref(), scope_spans.scope.as_ref(), &mut lines);
    lines
}

fn shared(
    resource: Option<&Resource>,
    scope: Option<&InstrumentationScope>,
    lines: &mut Vec<String>,
) {
    attributes(resource.map_or(&[][..], |resource| &resource.attributes), lines);
    if let Some(scope) = scope {
        attributes(&scope.attributes, lines);
        text("@scope", &scope.name, lines);
    }
}

fn attributes(pairs: &[KeyValue], lines: &mut Vec<String>) {
    for pair in pairs {
        let escape = if pair.key.starts_with('@') { "attr." } else { "" };
        lines.push(format!("{escape}{} = {}", pair.key, value(pair.value.as_ref())));
    }
}

fn text(key: &str, text: &str, lines: &mut Vec<String>) {
    if !text.is_empty() {
        lines.push(format!("{key} = str {text}"));
    }
}

fn id(key: &str, bytes: &[u8], len: usize, lines: &mut Vec<String>) {
    if bytes.len() == len && bytes.iter().any(|byte| *byte != 0) {
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        lines.push(format!("{key} = str {hex}"));
    }
}

fn value(any: Option<&AnyValue>) -> String {
    use any_value::Value as V;
    match any.and_then(|any| any.value.as_ref()) {
        None | Some(V::StringValueStrindex(_)) => "null".to_owned(),
        Some(V::StringValue(v)) => format!("str {v}"),
        Some(V::BoolValue(v)) => format!("bool {v}"),
        Some(V::IntValue(v)) => format!("int {v}"),
        Some(V::DoubleValue(v)) => format!("float {v:?}"),
        Some(V::BytesValue(v)) => format!("bytes {v:?}"),
        Some(V::ArrayValue(_) | V::KvlistValue(_)) => {
            let mut text = String::new();
            nested(any, &mut text);
            format!("json {text}")
        }
    }
}

fn nested(any: Option<&AnyValue>, out: &mut String) {
    use any_value::Value as V;
    match any.and_then(|any| any.value.as_ref()) {
        None | Some(V::StringValueStrindex(_)) => out.push_str("null"),
        Some(V::StringValue(v)) => out.push_str(&json!(v).to_string()),
        Some(V::BoolValue(v)) => out.push_str(&json!(v).to_string()),
        Some(V::IntValue(v)) => out.push_str(&json!(v).to_string()),
        Some(V::DoubleValue(v)) if v.is_finite() => out.push_str(&format!("{v:?}")),
        Some(V::DoubleValue(v)) if v.is_nan() => out.push_str("\"NaN\""),
        Some(V::DoubleValue(v)) if *v > 0.0 => out.push_str("\"Infinity\""),
        Some(V::DoubleValue(_)) => out.push_str("\"-Infinity\""),
        Some(V::BytesValue(v)) => {
            use base64::Engine as _;
            let text = base64::prelude::BASE64_STANDARD.encode(v);
            out.push_str(&json!(text).to_string());
        }
        Some(V::ArrayValue(array)) => {
            out.push('[');
            for (i, item) in array.values.iter().enumerate() {
                out.push_str(if i == 0 { "" } else { "," });
                nested(Some(item), out);
            }
            out.push(']');
        }
        Some(V::KvlistValue(list)) => {
            out.push('{');
            for (i, pair) in list.values.iter().enumerate() {
                out.push_str(if i == 0 { "" } else { "," });
                out.push_str(&json!(pair.key).to_string());
                out.push(':');
                nested(pair.value.as_ref(), out);
            }
            out.push('}');
        }
    }
}

fn snake_case(json: serde_json::Value) -> serde_json::Value {
    use serde_json::Value as J;
    match json {
        J::Object(map) => {
            J::Object(map.into_iter().map(|(k, v)| (snake_name(&k), snake_case(v))).collect())
        }
        J::Array(items) => J::Array(items.into_iter().map(snake_case).collect()),
        J::Null | J::Bool(_) | J::Number(_) | J::String(_) => json,
    }
}

fn snake_name(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() {
            out.push('_');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}

// --- what is generated ---

fn any_value() -> impl Strategy<Value = AnyValue> {
    use any_value::Value as V;
    let leaf = prop_oneof![
        4 => "\\PC{0,20}".prop_map(|v| Some(V::StringValue(v))),
        1 => any::<String>().prop_map(|v| Some(V::StringValue(v))),
        1 => any::<bool>().prop_map(|v| Some(V::BoolValue(v))),
        1 => any::<i64>().prop_map(|v| Some(V::IntValue(v))),
        1 => any::<i32>().prop_map(|v| Some(V::DoubleValue(f64::from(v) / 8.0))),
        // (longer fractions lose their last bit in serde_json, unless its `float_roundtrip` is on)
        1 => vec(any::<u8>(), 0..20).prop_map(|v| Some(V::BytesValue(v))),
    ]
    .prop_map(|value| AnyValue { value });
    leaf.prop_recursive(4, 20, 5, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..5)
                .prop_map(|values| AnyValue { value: Some(V::ArrayValue(ArrayValue { values })) }),
            vec((key(), inner), 0..5).prop_map(|pairs| AnyValue {
                value: Some(V::KvlistValue(KeyValueList { values: key_values(pairs) }))
            }),
        ]
    })
}

fn key_values(pairs: Vec<(String, AnyValue)>) -> Vec<KeyValue> {
    let pair = |(key, value)| KeyValue { key, value: Some(value), ..KeyValue::default() };
    pairs.into_iter().map(pair).collect()
}

fn key() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("gen_ai.request.model".to_owned()),
        Just("content".to_owned()),
        Just("@body".to_owned()),
        "[a-z_.]{0,12}",
    ]
}

fn attribute_list() -> impl Strategy<Value = Vec<KeyValue>> {
    vec((key(), any_value()), 0..5).prop_map(key_values)
}

fn resource() -> impl Strategy<Value = Option<Resource>> {
    proptest::option::of(
        attribute_list().prop_map(|attributes| Resource { attributes, ..Resource::default() }),
    )
}

fn scope() -> impl Strategy<Value = Option<InstrumentationScope>> {
    proptest::option::of(("[a-z.]{0,10}", attribute_list()).prop_map(|(name, attributes)| {
        InstrumentationScope { name, attributes, version: "1".to_owned(), ..Default::default() }
    }))
}

fn nanos() -> impl Strategy<Value = u64> {
    prop_oneof![Just(0), Just(1_763_953_756_123_456_789), any::<u64>()]
}

fn bytes_of(len: usize) -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![Just(Vec::new()), Just(vec![0; len]), vec(any::<u8>(), len)]
}

fn log_record() -> impl Strategy<Value = LogRecord> {
    let severity = (0..=25_i32, prop_oneof![Just(""), Just("INFO"), Just("ERROR"), Just("mine")]);
    let ids = (bytes_of(16), bytes_of(8));
    (
        nanos(),
        nanos(),
        severity,
        proptest::option::of(any_value()),
        attribute_list(),
        ids,
        "[a-z.]{0,9}",
    )
        .prop_map(|(time, observed, severity, body, attributes, ids, event_name)| LogRecord {
            time_unix_nano: time,
            observed_time_unix_nano: observed,
            severity_number: severity.0,
            severity_text: severity.1.to_owned(),
            body,
            attributes,
            dropped_attributes_count: 3,
            flags: 1,
            trace_id: ids.0,
            span_id: ids.1,
            event_name,
        })
}

fn span_message() -> impl Strategy<Value = Span> {
    let event = (prop_oneof![Just("exception"), Just("gen_ai.choice"), Just("")], attribute_list())
        .prop_map(|(name, attributes)| span::Event {
            name: name.to_owned(),
            attributes,
            time_unix_nano: 5,
            ..Default::default()
        });
    let status = proptest::option::of(
        (0..4_i32, "[a-z]{0,5}").prop_map(|(code, message)| Status { code, message }),
    );
    let ids = (bytes_of(16), bytes_of(8), bytes_of(8));
    (ids, "[a-z ]{0,9}", 0..7_i32, (nanos(), nanos()), attribute_list(), vec(event, 0..3), status)
        .prop_map(|(ids, name, kind, times, attributes, events, status)| Span {
            trace_id: ids.0,
            span_id: ids.1,
            parent_span_id: ids.2,
            name,
            kind,
            start_time_unix_nano: times.0,
            end_time_unix_nano: times.1,
            attributes,
            events,
            status,
            links: vec![span::Link::default()],
            ..Span::default()
        })
}

fn logs_request() -> impl Strategy<Value = ExportLogsServiceRequest> {
    let scope_logs = (scope(), vec(log_record(), 0..3)).prop_map(|(scope, log_records)| {
        ScopeLogs { scope, log_records, schema_url: "https://example.org".to_owned() }
    });
    let group = (resource(), vec(scope_logs, 0..3)).prop_map(|(resource, scope_logs)| {
        ResourceLogs { resource, scope_logs, schema_url: String::new() }
    });
    vec(group, 0..3).prop_map(|resource_logs| ExportLogsServiceRequest { resource_logs })
}

fn trace_request() -> impl Strategy<Value = ExportTraceServiceRequest> {
    let scope_spans = (scope(), vec(span_message(), 0..3)).prop_map(|(scope, spans)| ScopeSpans {
        scope,
        spans,
        schema_url: String::new(),
    });
    let group = (resource(), vec(scope_spans, 0..3)).prop_map(|(resource, scope_spans)| {
        ResourceSpans { resource, scope_spans, schema_url: String::new() }
    });
    vec(group, 0..3).prop_map(|resource_spans| ExportTraceServiceRequest { resource_spans })
}
