//! Gen AI telemetry of each generation in the field, as its instrumentations send it.

use loggia_record::{Limits, decode_otlp_logs, decode_otlp_traces};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{
    AnyValue, ArrayValue, KeyValue, KeyValueList, any_value::Value as V,
};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, span};
use prost::Message as _;

use crate::show;

fn any(value: V) -> AnyValue {
    AnyValue { value: Some(value) }
}

fn text(value: &str) -> AnyValue {
    any(V::StringValue(value.to_owned()))
}

fn pairs(pairs: &[(&str, AnyValue)]) -> Vec<KeyValue> {
    let pair = |(key, value): &(&str, AnyValue)| KeyValue {
        key: (*key).to_owned(),
        value: Some(value.clone()),
        ..KeyValue::default()
    };
    pairs.iter().map(pair).collect()
}

fn map(members: &[(&str, AnyValue)]) -> AnyValue {
    any(V::KvlistValue(KeyValueList { values: pairs(members) }))
}

fn list(values: Vec<AnyValue>) -> AnyValue {
    any(V::ArrayValue(ArrayValue { values }))
}

#[track_caller]
fn check_span(span: Span, expected: &[&str]) {
    let scope_spans = vec![ScopeSpans { spans: vec![span], ..Default::default() }];
    let group = ResourceSpans { scope_spans, ..Default::default() };
    let bytes = ExportTraceServiceRequest { resource_spans: vec![group] }.encode_to_vec();
    let batch = decode_otlp_traces(&bytes, &Limits::default()).unwrap();
    let mut expected = [&["span at None"], expected].concat();
    expected.extend(["@status = str unset", "-"]);
    assert_eq!(show::batch(&batch), [expected]);
}

#[test]
fn opentelemetry_span_with_legacy_events() {
    let event = |name: &str, members: &[(&str, AnyValue)]| span::Event {
        name: name.to_owned(),
        attributes: pairs(members),
        ..Default::default()
    };
    check_span(
        Span {
            attributes: pairs(&[
                ("gen_ai.operation.name", text("chat")),
                ("gen_ai.request.model", text("gpt-5")),
                ("gen_ai.usage.input_tokens", any(V::IntValue(12))),
                ("gen_ai.response.finish_reasons", list(vec![text("stop")])),
                ("gen_ai.input.messages", text(r#"[{"role":"user"}]"#)),
            ]),
            events: vec![
                event("gen_ai.user.message", &[("content", text("Who am I?"))]),
                event("gen_ai.user.message", &[("content", text("And you?"))]),
                event(
                    "gen_ai.choice",
                    &[
                        ("index", any(V::IntValue(0))),
                        ("message", map(&[("content", text("Me."))])),
                    ],
                ),
                event("gen_ai.content.prompt", &[("gen_ai.prompt", text("old"))]),
                event("exception", &[("exception.message", text("boom")), ("escaped", text("no"))]),
            ],
            ..Span::default()
        },
        &[
            "gen_ai.operation.name = str chat",
            "gen_ai.request.model = str gpt-5",
            "gen_ai.usage.input_tokens = int 12",
            r#"gen_ai.response.finish_reasons = json ["stop"]"#,
            r#"gen_ai.input.messages = str [{"role":"user"}]"#,
            "gen_ai.user.message.content = str Who am I?",
            "gen_ai.user.message.content = str And you?",
            "gen_ai.choice.index = int 0",
            r#"gen_ai.choice.message = json {"content":"Me."}"#,
            "gen_ai.prompt = str old",
            "exception.message = str boom",
            "exception.escaped = str no",
        ],
    );
}

#[test]
fn openinference_and_traceloop_spans() {
    let names = [
        "llm.input_messages.0.message.content",
        "llm.input_messages.1.message.tool_calls.0.tool_call.function.arguments",
        "gen_ai.prompt.0.content",
        "gen_ai.completion.0.content",
        "traceloop.entity.input",
    ];
    let attributes: Vec<_> = names.iter().map(|name| (*name, text("x"))).collect();
    let expected: Vec<_> = names.iter().map(|name| format!("{name} = str x")).collect();
    let expected: Vec<_> = expected.iter().map(String::as_str).collect();
    check_span(Span { attributes: pairs(&attributes), ..Span::default() }, &expected);
}

#[test]
fn opentelemetry_event_with_structured_content() {
    let message = map(&[
        ("role", text("user")),
        ("parts", list(vec![map(&[("type", text("text")), ("content", text("say \"hi\""))])])),
    ]);
    let log = LogRecord {
        observed_time_unix_nano: 9,
        event_name: "gen_ai.client.inference.operation.details".to_owned(),
        attributes: pairs(&[
            ("gen_ai.conversation.id", text("c-1")),
            ("gen_ai.input.messages", list(vec![message])),
        ]),
        body: Some(map(&[
            ("temperature", any(V::DoubleValue(0.5))),
            ("seed", any(V::IntValue(7))),
        ])),
        ..LogRecord::default()
    };
    let scope_logs = vec![ScopeLogs { log_records: vec![log], ..Default::default() }];
    let group = ResourceLogs { scope_logs, ..Default::default() };
    let bytes = ExportLogsServiceRequest { resource_logs: vec![group] }.encode_to_vec();
    let batch = decode_otlp_logs(&bytes, &Limits::default()).unwrap();
    let messages = r#"[{"role":"user","parts":[{"type":"text","content":"say \"hi\""}]}]"#;
    assert_eq!(
        show::batch(&batch),
        [[
            "log at Some(9)",
            "gen_ai.conversation.id = str c-1",
            &format!("gen_ai.input.messages = json {messages}"),
            r#"@body = json {"temperature":0.5,"seed":7}"#,
            "@event_name = str gen_ai.client.inference.operation.details",
            "-",
        ]]
    );
}
